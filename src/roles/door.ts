// The door, opened: who may, by UGC_AUTH.

import type { Config } from '../config/config.ts';
import { admitByKeys } from '../door/admit.ts';
import { crossOriginOf } from '../door/cross-origin.ts';
import { openKeyring } from '../door/keyring.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { CrossOrigin } from '../http/cross-origin.ts';
import type { Admit } from '../http/route.ts';
import { keysFile } from '../process/instance.ts';
import type { Logger } from '../process/telemetry.ts';
import type { Role } from './role.ts';

export interface Door extends Role {
  readonly crossOrigin: CrossOrigin;
  /** Absent = everybody may. */
  readonly admit?: Admit;
}

export const keysFileOf = ({ keysPath: given, dataDir }: Pick<Config, 'keysPath' | 'dataDir'>): string =>
  given === '' ? keysFile(dataDir) : given;

/** Throws `config_invalid` when the file of keys is there and wrong. */
export function openDoor(config: Config, logger: Logger): Door {
  const forPages = { origins: config.corsOrigins, credentials: config.corsCredentials };
  if (config.auth === 'none') return { crossOrigin: crossOriginOf(forPages), close: async () => {} };
  const path = keysFileOf(config);
  const keyring = keyringAt(path, logger);
  const nobody = (): string | null =>
    keyring.size === 0 ? `there is no API key in ${path}, so nobody may send: ugc keys add <name>` : null;
  const none = nobody();
  if (none !== null) logger.warn(none);
  return {
    admit: admitByKeys(keyring),
    crossOrigin: crossOriginOf({ ...forPages, ofKeys: () => keyring.origins }),
    problems: () => {
      const problem = keyring.problem() ?? nobody();
      return problem === null ? {} : { keys: problem };
    },
    close: async () => keyring.close(),
  };
}

function keyringAt(path: string, logger: Logger) {
  try {
    return openKeyring({ path, logger });
  } catch (error) {
    throw new PipelineError('config_invalid', `the API keys: ${messageOf(error)}`, { cause: error });
  }
}
