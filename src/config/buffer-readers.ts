// Who reads the disk buffer, by the settings and not by the role: processes of the same folder agree on it, whatever part
// each of them has.

import type { Config } from './config.ts';

/** With a broker the drain empties the buffer, without one the mover reads it. */
export const bufferReadersOf = ({ kafkaBrokers }: Pick<Config, 'kafkaBrokers'>): readonly string[] => [
  kafkaBrokers === '' ? 'etl' : 'drain',
];
