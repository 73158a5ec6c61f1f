// Settings: what moves events into their tables.

import { streams } from '../../schemas/event.ts';
import { bytes, choice, choices, integer } from './kinds.ts';

export const etlSettings = {
  streams: choices({
    of: ['all', ...streams],
    default: 'all',
    help: 'What the etl role moves from the broker; UGC_TOPIC must keep streams apart',
  }),
  etlUnknownTypes: choice({
    of: ['wait', 'dead_letter'],
    default: 'wait',
    help: 'What becomes of records of an event type this process does not know',
  }),
  etlBlockRowsMax: integer({ default: 100_000, min: 1, max: 1_000_000, help: 'Most rows in one insert' }),
  etlBlockBytesMax: bytes({ default: '8MiB', min: '1KiB', max: '1GiB', help: 'Most bytes in one insert' }),
  etlIntervalMs: integer({
    default: 200,
    min: 0,
    max: 60_000,
    help: 'A table in use is inserted into at most this often, one at rest at once; all together five times as often',
  }),
};
