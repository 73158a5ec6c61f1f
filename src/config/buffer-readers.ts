// Who reads the disk buffer, by the settings and not by the role: processes of the same folder agree on it, whatever part
// each of them has.

import { hasArchive } from './archive.ts';
import type { Config } from './config.ts';
import { keepsHistory } from './content.ts';
import { brokerOf } from './transport.ts';

type ReadBy = Pick<Config, 'transport' | 'kafkaBrokers' | 'role' | 'auth' | 'contentHistory' | 'archiveUrl'>;

/**
 * With a broker the drain empties the buffer. Without one the mover reads it, and the viewing history where it is kept, and
 * the archive where there is one.
 */
export function bufferReadersOf(config: ReadBy): readonly string[] {
  if (brokerOf(config) !== null) return ['drain'];
  return ['etl', ...(keepsHistory(config) ? ['history'] : []), ...(hasArchive(config) ? ['archive'] : [])];
}
