// How far each topic and partition is done. Batches begin in order and finish in any; the position moves to the last
// record before the first batch that is not finished, never past it.

import type { Batch, Source } from '../ports.ts';

export interface Progress {
  begin(batch: Batch): void;
  /** Commits whatever prefix is finished now. */
  finish(batches: readonly Batch[]): Promise<void>;
  /** When the edge took the oldest record that is not finished, by topic. */
  oldest(): ReadonlyMap<string, number>;
}

export function progressOf(source: Source): Progress {
  const open = new Map<string, { readonly batch: Batch; isFinished: boolean }[]>();
  return {
    begin: batch => {
      const key = keyOf(batch);
      const queue = open.get(key);
      if (queue === undefined) open.set(key, [{ batch, isFinished: false }]);
      else queue.push({ batch, isFinished: false });
    },
    finish: async batches => {
      const finished = new Set(batches);
      for (const key of new Set(batches.map(keyOf))) {
        const queue = open.get(key) ?? [];
        for (const entry of queue) if (finished.has(entry.batch)) entry.isFinished = true;
        const unfinished = queue.findIndex(entry => !entry.isFinished);
        const done = queue.splice(0, unfinished < 0 ? queue.length : unfinished).at(-1);
        if (done !== undefined) await source.commit(done.batch);
      }
    },
    oldest: () => {
      const oldest = new Map<string, number>();
      for (const queue of open.values())
        for (const { batch, isFinished } of queue)
          if (!isFinished)
            oldest.set(batch.topic, Math.min(batch.oldestAtMs, oldest.get(batch.topic) ?? Number.POSITIVE_INFINITY));
      return oldest;
    },
  };
}

const keyOf = ({ topic, partition }: Batch): string => `${topic}/${partition}`;
