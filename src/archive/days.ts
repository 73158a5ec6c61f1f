// Rows by type and day of received_at: what becomes a file. Bytes are only pointed at, not copied.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { dayOf } from './layout.ts';
import type { Piece } from './pieces.ts';
import { receivedAtOf } from './received.ts';

export interface DayRows {
  readonly type: string;
  readonly version: number;
  readonly day: string;
  /** Runs of lines, in order. */
  readonly chunks: readonly Uint8Array[];
  readonly rows: number;
  readonly receivedFromMs: number;
  readonly receivedToMs: number;
}

interface Growing {
  readonly type: string;
  version: number;
  readonly day: string;
  readonly chunks: Uint8Array[];
  rows: number;
  receivedFromMs: number;
  receivedToMs: number;
}

const newline = 10;

/** In order of type and day. Between pieces others have their turn: a file has a hundred megabytes of them. */
export async function byDay(pieces: readonly Pick<Piece, 'parts'>[]): Promise<readonly DayRows[]> {
  const days = new Map<string, Growing>();
  for (const { parts } of pieces) {
    for (const { type, version, ndjson } of parts) takeRows({ type, version }, ndjson, days);
    await nextTurn();
  }
  return [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, rows]) => rows);
}

/** Rows of a day that lie side by side are one chunk. */
function takeRows(of: Pick<Growing, 'type' | 'version'>, ndjson: Uint8Array, days: Map<string, Growing>): void {
  let run: { readonly into: Growing; readonly from: number } | null = null;
  for (let start = 0; start < ndjson.length; ) {
    const found = ndjson.indexOf(newline, start);
    const next = found < 0 ? ndjson.length : found + 1;
    const atMs = receivedAt(ndjson, start, next);
    const into = dayIn(days, of, atMs);
    if (run !== null && run.into !== into) {
      run.into.chunks.push(ndjson.subarray(run.from, start));
      run = null;
    }
    run ??= { into, from: start };
    into.rows++;
    into.receivedFromMs = Math.min(into.receivedFromMs, atMs);
    into.receivedToMs = Math.max(into.receivedToMs, atMs);
    start = next;
  }
  if (run !== null) run.into.chunks.push(ndjson.subarray(run.from));
}

const dayMs = 86_400_000;
const dayNames = new Map<number, string>();

function dayIn(
  days: Map<string, Growing>,
  { type, version }: Pick<Growing, 'type' | 'version'>,
  atMs: number,
): Growing {
  const day = dayNamed(Math.floor(atMs / dayMs));
  const key = `${type}/${day}`;
  const known = days.get(key);
  if (known !== undefined) {
    known.version = Math.max(known.version, version);
    return known;
  }
  const made: Growing = {
    type,
    version,
    day,
    chunks: [],
    rows: 0,
    receivedFromMs: Number.POSITIVE_INFINITY,
    receivedToMs: Number.NEGATIVE_INFINITY,
  };
  days.set(key, made);
  return made;
}

function dayNamed(day: number): string {
  const known = dayNames.get(day);
  if (known !== undefined) return known;
  if (dayNames.size > 1_000) dayNames.clear();
  const name = dayOf(day * dayMs);
  dayNames.set(day, name);
  return name;
}

/** Of a body between two places, epoch milliseconds. */
function receivedAt(bytes: Uint8Array, from: number, to: number): number {
  const stamped = receivedAtOf(bytes, from, to);
  if (stamped !== null) return stamped;
  // A body that an edge has written says it in front; one with another order of keys is read as a whole.
  const { received_at: at } = JSON.parse(Buffer.from(bytes.subarray(from, to)).toString()) as { received_at?: unknown };
  const atMs = typeof at === 'string' ? Date.parse(at.includes('T') ? at : `${at.replace(' ', 'T')}Z`) : Number.NaN;
  if (Number.isNaN(atMs)) throw new Error(`a record has no received_at: ${String(at)}`);
  return atMs;
}
