// Records that can be no event, as rows of files of their own: nothing that was in the log is left out of the archive.

import type { TableDefinition } from '../ports/tables.ts';

export const deadType = '_dead';

export const deadTable: TableDefinition = {
  type: deadType,
  summary: 'Records of the log that can be no event',
  isInternal: true,
  columns: [
    { name: 'event_type', type: 'LowCardinality(String)', about: 'Always _dead' },
    { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'The log’s time of it' },
    { name: 'topic', type: 'LowCardinality(String)', about: 'Where it lay' },
    { name: 'partition', type: 'UInt32', about: 'Of the topic' },
    { name: 'position', type: 'UInt64', about: 'In the partition' },
    { name: 'reason', type: 'LowCardinality(String)', about: 'Why it can be no event' },
    { name: 'detail', type: 'String', about: 'The same in words' },
    { name: 'raw', type: 'String', about: 'Its bytes, base64' },
  ],
};

export interface DeadRow {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly reason: string;
  readonly detail: string;
  /** Null: it had no value. */
  readonly value: Uint8Array | null;
  readonly atMs: number;
}

export const deadBody = ({ topic, partition, position, reason, detail, value, atMs }: DeadRow): string =>
  JSON.stringify({
    event_type: deadType,
    received_at: new Date(atMs).toISOString().replace('T', ' ').replace('Z', ''),
    topic,
    partition,
    position,
    reason,
    detail,
    raw: Buffer.from(value ?? []).toString('base64'),
  });
