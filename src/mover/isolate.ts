// The slow path, after the sink has refused a block for certain: which records are to blame? Halves are tried on the
// sink's check, which stores nothing; what is refused alone is dead, everything else is good.

import { PipelineError } from '../errors.ts';
import type { DeadLetter, DeadLetters } from '../ports/sink.ts';
import type { Batch } from '../ports/source.ts';
import { letterOf, type PlacedBatch, recordsOf, type SingleRecord } from './records.ts';

export interface Isolated {
  readonly letters: readonly DeadLetter[];
  /** The batches without the dead records, same coordinates. Empty ones are left out. */
  readonly good: readonly Batch[];
}

/** Rejects with whatever makes the check itself impossible, and with `sink_halted` when no record alone is refused. */
export async function isolate(
  deadLetters: Pick<DeadLetters, 'check'>,
  {
    type,
    batches,
    signal,
  }: { readonly type: string; readonly batches: readonly Batch[]; readonly signal: AbortSignal },
): Promise<Isolated> {
  const records = batches.flatMap(recordsOf);
  const refusals = new Map<SingleRecord, string>();
  const halves: (readonly SingleRecord[])[] = [records];
  for (let part = halves.pop(); part !== undefined; part = halves.pop()) {
    const refusal = await deadLetters.check(
      { type, rows: part.length, chunks: part.map(record => record.raw) },
      signal,
    );
    if (refusal === null) continue;
    if (part.length === 1) {
      refusals.set(part[0]!, refusal.message);
      continue;
    }
    const middle = part.length >> 1;
    halves.push(part.slice(0, middle), part.slice(middle));
  }
  if (refusals.size === 0)
    throw new PipelineError('sink_halted', `rows of ${type} were refused but none of them alone`);
  return {
    letters: [...refusals].map(([{ batch, place, raw }, detail]) =>
      letterOf(batch, { place, raw, reason: 'refused', detail }),
    ),
    good: batches.flatMap(batch => without(batch, records, refusals)),
  };
}

/** The records that are left, where they stood. */
function without(
  batch: Batch,
  records: readonly SingleRecord[],
  refusals: ReadonlyMap<SingleRecord, string>,
): PlacedBatch[] {
  const kept = records.filter(record => record.batch === batch && !refusals.has(record));
  if (kept.length === 0) return [];
  const ndjson = Buffer.concat(kept.map(record => record.raw));
  return [{ ...batch, count: kept.length, ndjson, places: kept.map(record => record.place) }];
}
