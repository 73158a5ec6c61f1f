// Who reads the disk buffer, by the settings and not by the role: processes of the same folder agree on it, whatever part
// each of them has.

import type { Config } from './config.ts';
import { keepsHistory } from './content.ts';
import { brokerOf } from './transport.ts';

type ReadBy = Pick<Config, 'transport' | 'kafkaBrokers' | 'role' | 'auth' | 'contentHistory'>;

/** With a broker the drain empties the buffer, without one the mover reads it, and the viewing history where it is kept. */
export function bufferReadersOf(config: ReadBy): readonly string[] {
  if (brokerOf(config) !== null) return ['drain'];
  return keepsHistory(config) ? ['etl', 'history'] : ['etl'];
}
