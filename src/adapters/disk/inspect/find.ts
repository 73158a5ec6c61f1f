// Single events in the buffer's log and in its quarantine, by their ids: the newest rows first, in steps so short that
// appends hardly notice. Nothing is changed, and damage is not looked at: what it hides is not found.

import type { BufferedEvent } from '../../../ports/buffer.ts';
import { bodyStart } from '../../../record/stamp.ts';
import type { Connection } from '../log/connection.ts';

export interface FoundStep {
  readonly found: readonly BufferedEvent[];
  /** Where to go on, null = everything has been looked at. */
  readonly next: number | null;
}

export interface Finder {
  /** One step downwards, of rows before `before`; with `before` null the first, which looks into quarantine too. */
  step(ids: readonly string[], before: number | null): FoundStep;
}

/** What one step looks at, one row more at most; appends wait behind it for a millisecond. */
const stepBytes = 512 * 1024;
/** The newest so many. */
const quarantinedMax = 1_000;

interface Seen {
  readonly seq: number;
  readonly topic: string;
  readonly type: string;
  readonly count: number;
  readonly atMs: number;
  readonly ndjson: Uint8Array;
}

export function finder({ prepare }: Pick<Connection, 'prepare'>): Finder {
  const older = prepare<Seen, [number]>(
    `SELECT seq, topic, type, count, received_at_ms AS atMs, ndjson FROM runs NOT INDEXED
     WHERE seq < ? ORDER BY seq DESC LIMIT 1`,
  );
  const aside = prepare<Omit<Seen, 'count'> & { readonly reason: string }, []>(
    `SELECT topic, type, seq, at_ms AS atMs, reason, raw AS ndjson FROM quarantine ORDER BY rowid DESC LIMIT ${quarantinedMax}`,
  );

  function inQuarantine(ids: readonly string[]): BufferedEvent[] {
    return aside.all().flatMap(({ topic, type, seq, atMs, reason, ndjson }) =>
      placesOf(ndjson, ids).map(({ id, body }) => ({
        id,
        topic,
        type,
        position: seq,
        atMs,
        body,
        setAside: reason,
      })),
    );
  }

  return {
    step(ids, before) {
      const found = before === null ? inQuarantine(ids) : [];
      let next = before ?? Number.MAX_SAFE_INTEGER;
      for (let bytes = 0; bytes < stepBytes; ) {
        const row = older.get(next);
        if (row === null) return { found, next: null };
        const { seq, topic, type, count, atMs, ndjson } = row;
        for (const { id, body, line } of placesOf(ndjson, ids))
          found.push({ id, topic, type, position: seq - count + 1 + line, atMs, body, setAside: null });
        bytes += ndjson.length;
        next = seq;
      }
      return { found, next };
    },
  };
}

/** Every body begins with its event_id. */
function placesOf(ndjson: Uint8Array, ids: readonly string[]) {
  const bytes = Buffer.from(ndjson.buffer, ndjson.byteOffset, ndjson.byteLength);
  return ids.flatMap(id => {
    const start = bodyStart(id);
    let at = bytes.indexOf(start);
    while (at > 0 && bytes[at - 1] !== newline) at = bytes.indexOf(start, at + 1);
    if (at < 0) return [];
    const end = bytes.indexOf(newline, at);
    const body = bytes.toString('utf8', at, end < 0 ? bytes.length : end);
    return [{ id, body, line: countLines(bytes.subarray(0, at)) }];
  });
}

const newline = 10;

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}
