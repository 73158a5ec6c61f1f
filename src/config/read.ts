// Reads the configuration: flags, environment and env file, each setting by itself and one against another.

import { isLoopback } from '../process/address.ts';
import { type Config, settings } from './config.ts';
import { contradictionsOf } from './contradictions.ts';
import { envName, flagName, type Given, parseSettings } from './parse.ts';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads flags, environment and env file, and checks what one setting says about another. */
export function readConfig(given: Given): ConfigResult {
  const parsed = parseSettings(settings, given);
  if (!parsed.ok) return parsed;
  const config: Config = parsed.values;
  const problems: string[] = [];
  if (!isLoopback(config.host) && !parsed.given.has('auth'))
    problems.push(
      `UGC_HOST (--host) is ${config.host}, which others can reach: say who may send with UGC_AUTH (--auth), e.g. --auth=none`,
    );
  problems.push(...contradictionsOf(config));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

/** The settings as rows for people: name, flag, what it takes, default, help. */
export function configTable(): readonly { env: string; flag: string; takes: string; default: string; help: string }[] {
  return Object.entries(settings).map(([key, setting]) => ({
    env: envName(key),
    flag: flagName(key),
    takes: setting.takes,
    default: setting.defaultText,
    help: setting.help,
  }));
}
