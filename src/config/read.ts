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
  const problems = [...(parsed.given.has('auth') ? [] : openDoorsOf(config)), ...contradictionsOf(config)];
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

/** Where others could come in, and the operator has not said who may. */
const openDoorsOf = (config: Config): readonly string[] =>
  (['host', 'clickhouseHttpHost'] as const)
    .filter(key => !isLoopback(config[key]) && (key === 'host' || servesClickhouse(config)))
    .map(key => {
      const whoMay = key === 'host' ? 'who may send' : 'who may query (that port asks for no name)';
      return `${envName(key)} (${flagName(key)}) is ${config[key]}, which others can reach: say ${whoMay} with UGC_AUTH (--auth), e.g. --auth=none`;
    });

const servesClickhouse = ({ clickhouseUrl, clickhouseHttpPort }: Config): boolean =>
  clickhouseUrl === '' && clickhouseHttpPort >= 0;

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
