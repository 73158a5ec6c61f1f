// The door, opened: who may, by UGC_AUTH.

import type { Config } from '../config/config.ts';
import { publicKeyAlgorithms, secretAlgorithms } from '../config/jwt.ts';
import { admitBy, type Way } from '../door/admit.ts';
import { byKey } from '../door/by-key.ts';
import { byToken } from '../door/by-token.ts';
import { readGivenKeys } from '../door/given-keys.ts';
import { askForKeys } from '../door/issuer.ts';
import { findersOf, secretFinder } from '../door/key-finders.ts';
import { fixedKeys, type KeySet, loadedKeys } from '../door/key-set.ts';
import { openKeyring } from '../door/keyring.ts';
import type { TokenRules } from '../door/token.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Guard } from '../http/openapi.ts';
import type { Admit } from '../http/route.ts';
import { issuerKeysFile, keysFile } from '../process/instance.ts';
import type { Logger } from '../process/telemetry.ts';
import type { Role } from './role.ts';

export interface Door extends Role {
  /** Absent = everybody may. */
  readonly admit?: Admit;
  /** What it lets in by. */
  readonly guards: readonly Guard[];
}

export const keysFileOf = ({ keysPath: given, dataDir }: Pick<Config, 'keysPath' | 'dataDir'>): string =>
  given === '' ? keysFile(dataDir) : given;

/** Throws `config_invalid` when the file of keys is there and wrong, or the keys of tokens that were given are. */
export function openDoor(config: Config, logger: Logger): Door {
  const keys = config.auth.includes('keys') ? openKeys(config, logger) : null;
  const tokens = config.auth.includes('jwt') ? openTokens(config, logger) : null;
  const ways = { ...(keys && { byKey: keys.way }), ...(tokens && { byToken: tokens.way }) };
  const open = [keys, tokens].filter(way => way !== null);
  return {
    guards: [...(keys ? (['keys'] as const) : []), ...(tokens ? (['jwt'] as const) : [])],
    ...(open.length > 0 && { admit: admitBy(ways) }),
    problems: () => Object.assign({}, ...open.map(({ problems }) => problems())),
    close: async () => {
      for (const { close } of open) await close();
    },
  };
}

interface OpenWay {
  readonly way: Way;
  problems(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

function openKeys(config: Config, logger: Logger): OpenWay {
  const path = keysFileOf(config);
  const keyring = orRefused('the API keys', () => openKeyring({ path, logger }));
  const nobody = (): string | null =>
    keyring.size === 0 ? `there is no API key in ${path}, so nobody may send: ugc keys add <name>` : null;
  const none = nobody();
  if (none !== null) logger.warn(none);
  return {
    way: byKey(keyring),
    problems: () => {
      const problem = keyring.problem() ?? nobody();
      return problem === null ? {} : { keys: problem };
    },
    close: async () => keyring.close(),
  };
}

function openTokens(config: Config, logger: Logger): OpenWay {
  const rules = rulesOf(config);
  const keys = tokenKeysOf(config, rules, logger);
  return {
    way: byToken({ keys, rules, scopes: config.jwtScopes }),
    problems: () => {
      const problem = keys.problem();
      return problem === null ? {} : { jwt: problem };
    },
    close: keys.close,
  };
}

function rulesOf({ jwtIssuer, jwtAudience, jwtAlgorithms, jwtSecret, jwtClockToleranceSeconds }: Config): TokenRules {
  const fitting = jwtSecret === '' ? publicKeyAlgorithms : secretAlgorithms;
  return {
    issuer: jwtIssuer,
    audiences: jwtAudience.includes('*') ? [] : jwtAudience,
    algorithms: jwtAlgorithms.length > 0 ? jwtAlgorithms : fitting,
    toleranceMs: jwtClockToleranceSeconds * 1000,
  };
}

function tokenKeysOf(config: Config, { algorithms }: TokenRules, logger: Logger): KeySet {
  const { jwtIssuer: issuer, jwtJwksUrl: jwksUrl, jwtPublicKey, jwtSecret, jwtReloadSeconds, dataDir } = config;
  if (jwtSecret !== '') return fixedKeys(secretFinder(jwtSecret));
  if (jwtPublicKey !== '')
    return fixedKeys(findersOf(orRefused('UGC_JWT_PUBLIC_KEY', () => readGivenKeys(jwtPublicKey, algorithms))));
  return loadedKeys({
    from: jwksUrl === '' ? issuer : jwksUrl,
    load: signal => askForKeys({ issuer, jwksUrl }, signal),
    path: issuerKeysFile(dataDir),
    reloadEveryMs: jwtReloadSeconds * 1000,
    logger,
  });
}

function orRefused<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new PipelineError('config_invalid', `${what}: ${messageOf(error)}`, { cause: error });
  }
}
