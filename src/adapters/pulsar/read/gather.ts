// Messages of a partition, in their order, as batches: runs of NDJSON that are gapless in positions and of one event type and
// version. Messages without a position of their own are runs without any.

import { type Run, runsInto } from '../../../record/runs.ts';
import type { Message } from './message.ts';

export interface Gathered extends Omit<Run, 'first' | 'last'> {
  readonly first?: number;
  readonly last?: number;
  readonly ids: readonly string[];
}

const newline = 10;

export function gather(messages: readonly Message[]): readonly Gathered[] {
  const gathered: Gathered[] = [];
  for (let from = 0; from < messages.length; ) {
    const isPlaced = messages[from]!.position !== null;
    let to = from + 1;
    while (to < messages.length && (messages[to]!.position !== null) === isPlaced) to++;
    const some = messages.slice(from, to);
    let taken = 0;
    for (const { first, last, ...run } of runsOf(some)) {
      const ids = some.slice(taken, taken + run.count).map(({ id }) => id);
      taken += run.count;
      gathered.push({ ...run, ...(isPlaced && { first, last }), ids });
    }
    from = to;
  }
  return gathered;
}

/** The values side by side in one buffer, a line break behind each that is a line. */
function runsOf(messages: readonly Message[]): readonly Run[] {
  const runs = runsInto();
  const bytes = Buffer.allocUnsafe(messages.reduce((sum, { value }) => sum + value.length + 1, 0));
  let out = 0;
  messages.forEach(({ position, value, atMs }, index) => {
    const isLine = value.indexOf(newline) < 0;
    const size = value.length;
    bytes.set(value, out);
    const stamp = isLine ? runs.stampOf(bytes, out, out + size) : null;
    const run = runs.at(position ?? index, { stamp, isLine, bytes, out, size });
    out += size;
    if (isLine) bytes[out++] = newline;
    else run.form = 'raw';
    run.end = out;
    run.count++;
    run.oldestAtMs = Math.min(run.oldestAtMs, atMs);
  });
  return runs.finish();
}
