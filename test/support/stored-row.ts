// A stored body and the row it is: what ClickHouse's JSONEachRow says of the exact view, value by value.

import { type EventType, wordColumn } from '../../schemas/event.ts';
import { keyOf } from '../../schemas/key.ts';
import { writerOf } from '../../src/record/canonical.ts';
import { parseJson } from '../../src/record/json.ts';

export type Row = Record<string, unknown>;

/** Rows as JSONEachRow spells them, every digit kept. */
export const rowsOf = (ndjson: string): Row[] =>
  ndjson
    .split('\n')
    .filter(line => line !== '')
    .map(line => parseJson(line) as Row);

const timeText = (iso: unknown): unknown => (iso === null ? null : String(iso).replace('T', ' ').replace('Z', ''));

const writeObject = writerOf({ kind: 'object' }, 128);

/** What the exact view of its type says of a body. */
export function rowOf(type: EventType, body: Row): Row {
  const row: Row = { ...body };
  for (const name of ['received_at', 'timestamp', 'sent_at']) row[name] = timeText(body[name]);
  for (const { name, kind, words } of type.allFields) {
    const value = body[name];
    if (kind === 'time') row[name] = timeText(value);
    if (kind === 'object') row[name] = writeObject(value);
    if (words !== undefined) row[wordColumn(name)] = value === null ? '' : words[Number(value)];
    if (name === 'video_id' && !('film_id' in type.fields)) row.film_id = value;
  }
  if ('user_id' in row && 'anonymous_id' in row && !('person' in type.fields)) row.person = keyOf(body);
  return row;
}
