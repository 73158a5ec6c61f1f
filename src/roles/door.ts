// The door, opened: who may send, by UGC_AUTH, how much, and pages of which origins.

import type { Config } from '../config/config.ts';
import { admitByKeys } from '../door/admit.ts';
import { crossOriginOf } from '../door/cross-origin.ts';
import { type Keyring, openKeyring } from '../door/keyring.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { CrossOrigin } from '../http/cross-origin.ts';
import { type Admit, admitEverybody } from '../http/route.ts';
import { keysFile } from '../process/instance.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { rateLimitsOf } from './rate-limits.ts';
import type { Role } from './role.ts';

export interface Door extends Role {
  readonly admit: Admit;
  readonly crossOrigin: CrossOrigin;
}

export interface DoorOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export const keysFileOf = ({ keysPath: given, dataDir }: Pick<Config, 'keysPath' | 'dataDir'>): string =>
  given === '' ? keysFile(dataDir) : given;

/** Throws `config_invalid` when the file of keys is there and wrong. */
export function openDoor({ config, logger, metrics }: DoorOptions): Door {
  const keyring = config.auth === 'keys' ? keyringOf(config, logger) : null;
  const limits = rateLimitsOf({
    config,
    admit: keyring === null ? admitEverybody : admitByKeys(keyring),
    logger,
    metrics,
  });
  return {
    admit: limits.admit,
    crossOrigin: crossOriginOf({
      origins: config.corsOrigins,
      credentials: config.corsCredentials,
      ...(keyring !== null && { ofKeys: () => keyring.origins }),
    }),
    problems: () => {
      const problem = keyring === null ? null : (keyring.problem() ?? nobodyMay(keyring, config));
      return problem === null ? {} : { keys: problem };
    },
    scrape: async () => limits.scrape(),
    close: async () => {
      limits.close();
      keyring?.close();
    },
  };
}

function keyringOf(config: Config, logger: Logger): Keyring {
  try {
    const keyring = openKeyring({ path: keysFileOf(config), logger });
    const none = nobodyMay(keyring, config);
    if (none !== null) logger.warn(none);
    return keyring;
  } catch (error) {
    throw new PipelineError('config_invalid', `the API keys: ${messageOf(error)}`, { cause: error });
  }
}

const nobodyMay = (keyring: Keyring, config: Config): string | null =>
  keyring.size === 0 ? `there is no API key in ${keysFileOf(config)}, so nobody may send: ugc keys add <name>` : null;
