// Who reads the disk buffer, by the settings and not by the role: processes of the same folder agree on it, whatever part
// each of them has.

import type { Config } from './config.ts';
import { brokerOf } from './transport.ts';

/** With a broker the drain empties the buffer, without one the mover reads it. */
export const bufferReadersOf = (config: Pick<Config, 'transport' | 'kafkaBrokers'>): readonly string[] => [
  brokerOf(config) === null ? 'etl' : 'drain',
];
