// The keys of an issuer as they last were, in the data folder: a process that starts while the issuer is away knows them.
// Public keys all, yet who could change the file could let anybody in: it is its owner's to write, like the keys' file.

import { readFileSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { replaceFile } from '../../process/file.ts';
import type { Logger } from '../../process/telemetry.ts';
import { type Jwk, readKeySet } from './jwk-set.ts';

export interface KeptKeys {
  /** Whose: those of another issuer are of no use. */
  readonly from: string;
  readonly keys: readonly Jwk[];
}

/** None where there is no file, it is another issuer's, or it cannot be read, which is logged. */
export function readKeptKeys(path: string, from: string, logger: Logger): readonly Jwk[] {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<KeptKeys> | null;
    return kept?.from === from ? readKeySet(kept).keys : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn({ path, reason: messageOf(error) }, 'the kept keys of tokens cannot be read: they are loaded anew');
    return [];
  }
}

/** Whether it is in place, durable; else that is logged: only a start while the issuer is away is worse off. */
export function writeKeptKeys(path: string, kept: KeptKeys, logger: Logger): boolean {
  try {
    replaceFile(path, `${JSON.stringify(kept, null, 2)}\n`);
    return true;
  } catch (error) {
    logger.warn({ path, reason: messageOf(error) }, 'the keys of tokens cannot be kept for the next start');
    return false;
  }
}
