// A small table and its rows, as the edge would write them.

import type { RowBlock } from '../../src/ports/sink.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';

export const seenTable: TableDefinition = {
  type: 'seen',
  summary: 'Something was seen',
  columns: [
    { name: 'event_id', type: 'UUID', about: 'Identity' },
    { name: 'event_type', type: 'LowCardinality(String)', about: 'Event type' },
    { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'When the server took it' },
    { name: 'timestamp', type: "DateTime64(3, 'UTC')", about: 'When it happened' },
    { name: 'user_id', type: 'Nullable(String)', about: 'Who' },
    { name: 'seconds', type: 'Float64', about: 'For how long' },
    { name: 'properties', type: 'String', about: 'Anything else' },
  ],
};

export interface SeenRow {
  readonly event_id?: string;
  readonly received_at?: string;
  readonly timestamp?: string;
  readonly user_id?: string | null;
  readonly seconds?: number;
  /** JSON text. */
  readonly properties?: string;
}

/** A UUIDv7 of a number: greater numbers are later. */
export const idOf = (number: number): string =>
  `01900000-${(number >>> 16).toString(16).padStart(4, '0')}-7${((number >>> 4) & 0xfff).toString(16).padStart(3, '0')}-8000-${number.toString(16).padStart(12, '0')}`;

export function seenLine(row: SeenRow = {}): string {
  const { event_id, properties = '{}', ...rest } = row;
  const fields = {
    event_id: event_id ?? Bun.randomUUIDv7(),
    event_type: 'seen',
    received_at: '2026-11-21T10:00:00.000Z',
    timestamp: '2026-11-21T09:59:59.123Z',
    user_id: null,
    seconds: 1,
    ...rest,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"properties":${properties}}\n`;
}

export const seenBlock = (...rows: readonly SeenRow[]): RowBlock => blockOf('seen', rows.map(seenLine));

export const blockOf = (type: string, lines: readonly string[]): RowBlock => ({
  type,
  rows: lines.length,
  chunks: lines.map(line => Buffer.from(line)),
});

/** `count` rows with ids that are theirs alone. */
export const seenRows = (count: number): SeenRow[] =>
  Array.from({ length: count }, () => ({ event_id: Bun.randomUUIDv7() }));
