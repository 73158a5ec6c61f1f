// How far each topic and partition is done. Batches begin in order and finish in any; the position moves to the last
// record before the first batch that is not finished, never past it. A partition that was lost and came back begins
// anew, at its committed position: its batches are told from those of the time before by their epoch.

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
      const commits: Promise<void>[] = [];
      for (const key of new Set(batches.map(keyOf))) {
        const queue = open.get(key) ?? [];
        for (const entry of queue) if (finished.has(entry.batch)) entry.isFinished = true;
        const unfinished = queue.findIndex(entry => !entry.isFinished);
        const done = queue.splice(0, unfinished < 0 ? queue.length : unfinished).at(-1);
        if (queue.length === 0) open.delete(key);
        // At once, so that a log can join them.
        if (done !== undefined) commits.push(source.commit(done.batch));
      }
      await Promise.all(commits);
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

const keyOf = ({ topic, partition, epoch = 0 }: Batch): string => `${topic}/${partition}/${epoch}`;
