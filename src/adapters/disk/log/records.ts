// The buffer's records one by one, for an operator: those of the log, each proven by its checksum, and those in
// quarantine as they are. One row is in memory at a time.

import type { BufferDamage, BufferFilter, BufferRecord, QuarantinedRecord } from '../../../ports/buffer-file.ts';
import { fetchHead, lastPosition, unlessCorrupt, walkPositions } from '../inspect/walk.ts';
import { fetchRow } from '../read/rows.ts';
import type { Connection } from './connection.ts';
import { examine, isBodyIntact, isHeadIntact, type Row } from './row.ts';

type OnDamage = (damage: BufferDamage) => void;

/** Oldest first, up to the last one there is now. */
export function* recordsOf(
  connection: Connection,
  { topic, type, id }: BufferFilter,
  onDamage: OnDamage,
): Generator<BufferRecord> {
  const fetch = fetchRow(connection);
  const glance = fetchHead(connection);
  const onGap = (position: number): void => onDamage({ position, records: null, what: 'a page cannot be read' });
  for (const seq of walkPositions(connection, { upTo: lastPosition(connection), onGap })) {
    const head = unlessCorrupt(() => ({ row: glance(seq) }));
    if (head?.row && ((topic ?? head.row.topic) !== head.row.topic || (type ?? head.row.type) !== head.row.type))
      continue;
    const found = head && unlessCorrupt(() => ({ row: fetch(seq) }));
    if (found === null) onDamage({ position: seq, records: null, what: 'its row cannot be read' });
    else if (found.row !== null) yield* provenRecords(found.row, id, onDamage);
  }
}

function* provenRecords(row: Row, id: string | undefined, onDamage: OnDamage): Generator<BufferRecord> {
  const damage = (records: number, what: string): void => onDamage({ position: row.seq, records, what });
  if (!isHeadIntact(row)) return damage(row.count, 'the address of its row is damaged');
  const isWanted = id === undefined ? () => true : isOf(id);
  if (id !== undefined && isBodyIntact(row) && !isWanted(row.ndjson)) return;
  const keys: readonly (string | null)[] = JSON.parse(row.keys);
  const { topic, type, receivedAtMs } = row;
  let proven = 0;
  for (const { record, raw } of isBodyIntact(row) ? linesOf(row.ndjson) : examine(row)) {
    if (record === null) continue;
    proven++;
    if (!isWanted(raw)) continue;
    const position = row.seq - row.count + 1 + record;
    yield { topic, type, position, key: keys[record] ?? null, receivedAtMs, body: raw };
  }
  if (proven < row.count) damage(row.count - proven, 'its checksum does not match');
}

/** Every body begins with its id. */
function isOf(id: string): (body: Uint8Array) => boolean {
  const start = `{"event_id":${JSON.stringify(id)}`;
  return body => Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(start);
}

function* linesOf(ndjson: Uint8Array): Generator<{ readonly record: number; readonly raw: Uint8Array }> {
  let record = 0;
  for (let at = 0; at < ndjson.length; record++) {
    const end = ndjson.indexOf(10, at);
    yield { record, raw: ndjson.subarray(at, end) };
    at = end + 1;
  }
}

type Entry = Omit<QuarantinedRecord, 'raw'> & { readonly rowid: number };

const entriesAtOnce = 128;

/** In the order they were set aside, up to the last one there is now. */
export function* quarantinedOf(
  connection: Connection,
  { topic, type, id, reason }: BufferFilter,
): Generator<QuarantinedRecord> {
  const { last } = connection.one<{ last: number }>('SELECT coalesce(max(rowid), 0) AS last FROM quarantine')!;
  const list = connection.prepare<Entry, [number, number, number]>(
    `SELECT rowid, topic, type, seq AS position, line AS "index", records, reason, at_ms AS atMs
     FROM quarantine WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?`,
  );
  const fetch = connection.prepare<{ raw: Uint8Array }, [number, number, number, string]>(
    'SELECT CAST(raw AS BLOB) AS raw FROM quarantine WHERE rowid = ? AND seq = ? AND line = ? AND topic = ?',
  );
  const isWanted = (entry: Entry): boolean =>
    (topic ?? entry.topic) === entry.topic &&
    (type ?? entry.type) === entry.type &&
    entry.reason.toLowerCase().startsWith((reason ?? '').toLowerCase());
  const isWantedBody = id === undefined ? () => true : isOf(id);
  for (let at = 0; ; ) {
    const entries = list.all(at, last, entriesAtOnce);
    if (entries.length === 0) return;
    for (const { rowid, ...entry } of entries) {
      at = rowid;
      if (!isWanted({ rowid, ...entry })) continue;
      const raw = fetch.get(rowid, entry.position, entry.index, entry.topic)?.raw;
      // Another process may have requeued it a moment ago.
      if (raw !== undefined && isWantedBody(raw)) yield { ...entry, raw };
    }
  }
}
