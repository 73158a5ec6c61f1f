// Single records of a batch: where each came from, its bytes, and the dead letter it becomes when it can be no row.

import type { DeadReason } from '../errors.ts';
import type { DeadLetter } from '../ports/sink.ts';
import type { Batch } from '../ports/source.ts';
import { type Place, placeOfBytes } from '../record/place.ts';

/** A batch whose records are not all of a run of the log: where each of them stood. */
export interface PlacedBatch extends Batch {
  readonly places: readonly Place[];
}

/** One record of a batch of lines. */
export interface SingleRecord {
  readonly batch: Batch;
  readonly place: Place;
  /** With its line break. */
  readonly raw: Uint8Array;
}

const newline = 10;

export function recordsOf(batch: Batch): SingleRecord[] {
  const records: SingleRecord[] = [];
  const { ndjson, first, last, count, places } = batch as Batch & Partial<PlacedBatch>;
  const placeAt = (index: number, raw: Uint8Array): Place => {
    if (first === undefined || last === undefined) return placeOfBytes(raw);
    // Without gaps a record's own position is known, which is the same however the log is cut into batches another time.
    return count === last - first + 1 ? { position: first + index, index: 0 } : { position: first, index };
  };
  for (let start = 0; start < ndjson.length; ) {
    const end = ndjson.indexOf(newline, start);
    const next = end < 0 ? ndjson.length : end + 1;
    const index = records.length;
    const raw = ndjson.subarray(start, next);
    records.push({ batch, place: places?.[index] ?? placeAt(index, raw), raw });
    start = next;
  }
  return records;
}

export const withoutBreak = (line: Uint8Array): Uint8Array => (line.at(-1) === newline ? line.subarray(0, -1) : line);

export interface DeadRecord {
  readonly place: Place;
  readonly raw: Uint8Array;
  readonly reason: DeadReason;
  readonly detail: string;
  readonly atMs?: number;
}

export function letterOf(
  batch: Batch,
  { place, raw, reason, detail, atMs = batch.oldestAtMs }: DeadRecord,
): DeadLetter {
  const { topic, log = '' } = batch;
  // Without positions the partition a record came by need not be the one it comes by again.
  const partition = batch.first === undefined ? 0 : batch.partition;
  const { position, index } = place;
  return { topic, partition, position, index, log, reason, detail, raw, atMs, failedAtMs: Date.now() };
}

/** Every record of a batch of lines as a dead letter. */
export const lettersOf = (batch: Batch, reason: DeadReason, detail: string): DeadLetter[] =>
  recordsOf(batch).map(({ place, raw }) => letterOf(batch, { place, raw, reason, detail }));
