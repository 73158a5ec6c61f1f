// The slow path, after the sink has refused a block for certain: which records are to blame? Halves are tried on the
// sink's check, which stores nothing; what is refused alone is dead, everything else is good.

import { PipelineError } from '../errors.ts';
import type { Batch, DeadLetter, Sink } from '../ports.ts';

/** A batch some records have been taken out of: where the rest stood. Dead letters are told apart by these indexes. */
interface Sifted extends Batch {
  readonly indexes: readonly number[];
}

/** One record, with where it came from. */
interface Lone {
  readonly batch: Batch;
  readonly index: number;
  readonly raw: Uint8Array;
}

export interface Isolated {
  readonly letters: readonly DeadLetter[];
  /** The batches without the dead records, same coordinates. Empty ones are left out. */
  readonly good: readonly Batch[];
}

/** Rejects with whatever makes the check itself impossible, and with `sink_halted` when no record alone is refused. */
export async function isolate(
  sink: Sink,
  {
    type,
    batches,
    signal,
  }: { readonly type: string; readonly batches: readonly Batch[]; readonly signal: AbortSignal },
): Promise<Isolated> {
  const records = batches.flatMap(recordsOf);
  const refusals = new Map<Lone, string>();
  const halves: (readonly Lone[])[] = [records];
  for (let part = halves.pop(); part !== undefined; part = halves.pop()) {
    const refusal = await sink.check({ type, rows: part.length, chunks: part.map(record => record.raw) }, signal);
    if (refusal === null) continue;
    if (part.length === 1) {
      refusals.set(part[0]!, refusal.message);
      continue;
    }
    const middle = part.length >> 1;
    halves.push(part.slice(0, middle), part.slice(middle));
  }
  if (refusals.size === 0)
    throw new PipelineError('sink_halted', `ClickHouse refused rows of ${type} but none of them alone`);
  return {
    letters: [...refusals].map(([record, detail]) => letterOf(record, 'refused', detail)),
    good: batches.flatMap(batch => without(batch, records, refusals)),
  };
}

/** Every record of a batch as a dead letter. */
export const lettersOf = (batch: Batch, reason: string, detail: string): DeadLetter[] =>
  recordsOf(batch).map(record => letterOf(record, reason, detail));

function letterOf({ batch, index, raw }: Lone, reason: string, detail: string): DeadLetter {
  const { topic, partition, first } = batch;
  return { topic, partition, position: first, index, reason, detail, raw, failedAtMs: Date.now() };
}

const newline = 10;

function recordsOf(batch: Batch): Lone[] {
  if (batch.form !== undefined) return [{ batch, index: 0, raw: batch.ndjson }];
  const records: Lone[] = [];
  const { ndjson, indexes } = batch as Partial<Sifted> & Batch;
  for (let start = 0; start < ndjson.length; ) {
    const end = ndjson.indexOf(newline, start);
    const next = end < 0 ? ndjson.length : end + 1;
    const at = records.length;
    records.push({ batch, index: indexes?.[at] ?? at, raw: ndjson.subarray(start, next) });
    start = next;
  }
  return records;
}

function without(batch: Batch, records: readonly Lone[], refusals: ReadonlyMap<Lone, string>): Sifted[] {
  const kept = records.filter(record => record.batch === batch && !refusals.has(record));
  if (kept.length === 0) return [];
  const ndjson = Buffer.concat(kept.map(record => record.raw));
  return [{ ...batch, count: kept.length, ndjson, indexes: kept.map(record => record.index) }];
}
