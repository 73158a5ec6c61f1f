// The door, opened: who may send, by UGC_AUTH, how much, and pages of which origins.

import type { Config } from '../config/config.ts';
import { admitBy, type OpenWay } from '../door/admit.ts';
import { crossOriginOf } from '../door/cross-origin.ts';
import { byKey } from '../door/keys/by-key.ts';
import { openKeyring } from '../door/keys/keyring.ts';
import { forbidden } from '../door/refusal.ts';
import type { CrossOrigin } from '../http/cross-origin.ts';
import type { Guard } from '../http/openapi.ts';
import { type Admit, admitEverybody } from '../http/route.ts';
import { keysFile } from '../process/instance.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { openTokens } from './door-tokens.ts';
import { orRefused } from './or-refused.ts';
import { rateLimitsOf } from './rate-limits.ts';
import type { Role } from './role.ts';

export interface Door extends Role {
  readonly admit: Admit;
  /** What it lets in by; none = everybody may. */
  readonly guards: readonly Guard[];
  readonly crossOrigin: CrossOrigin;
}

export interface DoorOptions {
  readonly config: Config;
  /** No role lets anybody do anything: no keys are read then, no issuer is asked, and nobody would be let in. */
  readonly isShut: boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export const keysFileOf = ({ keysPath: given, dataDir }: Pick<Config, 'keysPath' | 'dataDir'>): string =>
  given === '' ? keysFile(dataDir) : given;

/** Throws `config_invalid` when the file of keys is there and wrong, or the keys of tokens that were given are. */
export function openDoor({ config, isShut, logger, metrics }: DoorOptions): Door {
  const auth = isShut ? [] : config.auth;
  const keys = auth.includes('keys') ? openKeys(config, logger) : null;
  const tokens = auth.includes('jwt') ? openTokens({ config, logger, metrics }) : null;
  const open = [keys, tokens].filter(way => way !== null);
  const ways = { ...(keys && { byKey: keys.way }), ...(tokens && { byToken: tokens.way }) };
  const admit = isShut ? nobody : open.length === 0 ? admitEverybody : admitBy(ways);
  const limits = rateLimitsOf({ config, admit, logger, metrics });
  return {
    admit: limits.admit,
    guards: [...(keys ? (['keys'] as const) : []), ...(tokens ? (['jwt'] as const) : [])],
    crossOrigin: crossOriginOf({
      origins: config.corsOrigins,
      credentials: config.corsCredentials,
      ...(keys && { ofKeys: keys.origins }),
    }),
    problems: () => Object.assign({}, ...open.map(({ problems }) => problems())),
    scrape: async () => limits.scrape(),
    close: async () => {
      limits.close();
      for (const { close } of open) await close();
    },
  };
}

const nobody: Admit = () => forbidden('nothing is taken here');

function openKeys(config: Config, logger: Logger): OpenWay & { readonly origins: () => readonly string[] } {
  const path = keysFileOf(config);
  const keyring = orRefused('the API keys', () => openKeyring({ path, logger }));
  const missing = (): string | null =>
    keyring.size === 0 ? `there is no API key in ${path}, so nobody may send: ugc keys add <name>` : null;
  const none = missing();
  if (none !== null) logger.warn(none);
  return {
    way: byKey(keyring),
    origins: () => keyring.origins,
    problems: () => {
      const problem = keyring.problem() ?? missing();
      return problem === null ? {} : { keys: problem };
    },
    close: async () => keyring.close(),
  };
}
