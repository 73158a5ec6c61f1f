// Single records of a batch: where each came from, its bytes, and the dead letter it becomes when it can be no row.

import type { DeadReason } from '../errors.ts';
import type { DeadLetter } from '../ports/sink.ts';
import type { Batch } from '../ports/source.ts';

/** What tells a record's dead letter from every other of its topic and partition. */
export interface Place {
  readonly position: number;
  readonly index: number;
}

/** A batch whose records are not all of a run of the log: where each of them stood. */
export interface PlacedBatch extends Batch {
  readonly places: readonly Place[];
}

/** One record of a batch of lines. */
export interface Lone {
  readonly batch: Batch;
  readonly place: Place;
  /** With its line break. */
  readonly raw: Uint8Array;
}

const newline = 10;

export function recordsOf(batch: Batch): Lone[] {
  const records: Lone[] = [];
  const { ndjson, first, last, count, places } = batch as Batch & Partial<PlacedBatch>;
  // Without gaps a record's own position is known, which is the same however the log is cut into batches another time.
  const placeAt = (index: number): Place =>
    count === last - first + 1 ? { position: first + index, index: 0 } : { position: first, index };
  for (let start = 0; start < ndjson.length; ) {
    const end = ndjson.indexOf(newline, start);
    const next = end < 0 ? ndjson.length : end + 1;
    const index = records.length;
    records.push({ batch, place: places?.[index] ?? placeAt(index), raw: ndjson.subarray(start, next) });
    start = next;
  }
  return records;
}

export interface Death {
  readonly place: Place;
  readonly raw: Uint8Array;
  readonly reason: DeadReason;
  readonly detail: string;
  readonly atMs?: number;
}

export function letterOf(batch: Batch, { place, raw, reason, detail, atMs = batch.oldestAtMs }: Death): DeadLetter {
  const { topic, partition, log = '' } = batch;
  const { position, index } = place;
  return { topic, partition, position, index, log, reason, detail, raw, atMs, failedAtMs: Date.now() };
}

/** Every record of a batch of lines as a dead letter. */
export const lettersOf = (batch: Batch, reason: DeadReason, detail: string): DeadLetter[] =>
  recordsOf(batch).map(({ place, raw }) => letterOf(batch, { place, raw, reason, detail }));
