// Deliveries → batches of NDJSON. A record has no place here that outlives redelivery: a delivery tag is of one channel,
// and AMQP does not tell a stream from one that was made anew under its name and counts from 0 again. So no batch says a
// position, and what can be no row is told from every other by its bytes.

import type { Ack, Batch } from '../../../ports/source.ts';
import { runsInto } from '../../../record/runs.ts';

/** A record as it was delivered. */
export interface Delivery {
  readonly content: Buffer;
  /** The offset in its stream, or its delivery tag: goes up by one. */
  readonly at: number;
  /** When it was written; -1 = not said. */
  readonly atMs: number;
}

/** What a commit needs to know. */
export interface Finished {
  readonly topic: string;
  readonly epoch: number;
  readonly last: number;
  /** Of the last record. */
  readonly bytes: Uint8Array;
}

export const finishedOf = (ack: Ack): Finished => ack as unknown as Finished;

const newline = 10;

export function batchesOf(
  deliveries: readonly Delivery[],
  { topic, epoch }: { readonly topic: string; readonly epoch: number },
): Batch[] {
  const runs = runsInto();
  const size = deliveries.reduce((sum, { content }) => sum + content.length + 1, 0);
  const bytes = Buffer.allocUnsafe(size);
  const ends = new Map<number, Uint8Array>();
  let out = 0;
  for (const { content, at, atMs } of deliveries) {
    content.copy(bytes, out);
    const end = out + content.length;
    const isLine = !content.includes(newline);
    const stamp = isLine ? runs.stampOf(bytes, out, end) : null;
    const run = runs.at(at, { stamp, isLine, bytes, out, size: content.length });
    out = end;
    if (isLine) bytes[out++] = newline;
    else run.form = 'raw';
    run.end = out;
    run.count++;
    run.oldestAtMs = Math.min(run.oldestAtMs, atMs);
    ends.set(at, content);
  }
  return runs.finish().map(({ first: _, last, ...run }) => {
    const finished: Finished = { topic, epoch, last, bytes: ends.get(last)! };
    return { ...run, topic, partition: 0, epoch, ack: finished as unknown as Ack };
  });
}
