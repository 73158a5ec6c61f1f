// How far each topic and partition is done. Batches begin in order and finish in any; committed is the last
// batch before the first one that is not finished, never one past it. A batch may go separate ways: it is finished when
// each of its parts is. A partition that was lost and came back begins anew, at what was committed: its batches are
// told from those of the time before by their epoch.

import type { Batch, Source } from '../ports/source.ts';

export interface Progress {
  /** `parts` is what will be finished: the batch itself, or whatever it is cut into. */
  begin(batch: Batch, parts?: readonly object[]): void;
  /** Commits whatever prefix is finished now. A part that never began is nothing. */
  finish(parts: readonly object[]): Promise<void>;
  /** When the edge took the oldest record that is not finished, by topic. */
  oldest(): ReadonlyMap<string, number>;
}

interface Entry {
  readonly batch: Batch;
  unfinished: number;
}

export function progressOf(source: Pick<Source, 'commit'>): Progress {
  const open = new Map<string, Entry[]>();
  const entryOf = new Map<object, Entry>();
  return {
    begin: (batch, parts = [batch]) => {
      const key = keyOf(batch);
      const entry = { batch, unfinished: parts.length };
      for (const part of parts) entryOf.set(part, entry);
      const queue = open.get(key);
      if (queue === undefined) open.set(key, [entry]);
      else queue.push(entry);
    },
    finish: async parts => {
      const touched = new Set<string>();
      for (const part of parts) {
        const entry = entryOf.get(part);
        if (entry === undefined) continue;
        entryOf.delete(part);
        entry.unfinished--;
        touched.add(keyOf(entry.batch));
      }
      const commits: Promise<void>[] = [];
      for (const key of touched) {
        const queue = open.get(key) ?? [];
        const unfinished = queue.findIndex(entry => entry.unfinished > 0);
        const done = queue.splice(0, unfinished < 0 ? queue.length : unfinished).at(-1);
        if (queue.length === 0) open.delete(key);
        // At once, so that a log can join them.
        if (done !== undefined) commits.push(source.commit(done.batch.ack));
      }
      await Promise.all(commits);
    },
    oldest: () => {
      const oldest = new Map<string, number>();
      for (const queue of open.values())
        for (const { batch, unfinished } of queue)
          if (unfinished > 0)
            oldest.set(batch.topic, Math.min(batch.oldestAtMs, oldest.get(batch.topic) ?? Number.POSITIVE_INFINITY));
      return oldest;
    },
  };
}

const keyOf = ({ topic, partition, epoch = 0 }: Batch): string => `${topic}/${partition}/${epoch}`;
