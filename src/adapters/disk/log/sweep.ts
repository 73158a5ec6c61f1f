// Tidying up: rows every reader has passed are deleted, and when little is left the file's free pages go back to the
// volume. In steps of about 2 ms under the write lock for either, so that no process's append waits long for it.
//
// When all is swept the counter of events and the index are held against the table: rows the index does not show would
// otherwise lie there unseen for ever.
//
// A row that cannot be deleted because its pages are damaged stays and is not tried again before a restart.

import { messageOf } from '../../../errors.ts';
import type { Connection } from './connection.ts';
import { assertAscending, isCorrupt, pageBytes } from './file.ts';
import type { Pages } from './room.ts';
import type { IndexRepair } from './topic-index.ts';

export interface Sweeper {
  /** A position of this topic has moved. */
  look(topic: string): void;
  /** A reader is gone, or is about to be: the topics it stood in are known now. */
  lookEverywhere(): void;
  /** One step; true when there is more to do. */
  step(): boolean;
}

const stepMs = 2;
const stepRowsMax = 128;
/** Free pages kept for the next burst, and how many go back to the volume in one step. */
const keptFreePages = (16 * 2 ** 20) / pageBytes;
const stepPages = 2 ** 19 / pageBytes;

export interface SweeperOptions {
  readonly connection: Connection;
  readonly pages: () => Pages;
  /** The volume is nearly full: keep no free pages, appends need the space for the log. */
  readonly isTight: () => boolean;
  readonly index: IndexRepair;
}

export function sweeper({ connection, pages, isTight, index }: SweeperOptions): Sweeper {
  const allTopics = connection.prepare<{ topic: string }, []>("SELECT DISTINCT topic FROM readers WHERE topic <> ''");
  // What every registered reader has passed; no reader at all: nothing is passed.
  const passed = connection.prepare<{ position: number | null }, [string]>(
    `SELECT min(coalesce(mine.position, 0)) AS position FROM readers AS every
     LEFT JOIN readers AS mine ON mine.reader = every.reader AND mine.topic = ? WHERE every.topic = ''`,
  );
  const list = connection.prepare<{ seq: number }, [string, number, number, number]>(
    `SELECT seq FROM runs
     WHERE topic = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
  );
  const remove = connection.prepare<{ count: number }, [number]>('DELETE FROM runs WHERE seq = ? RETURNING count');
  const release = connection.prepare<null, [number]>('UPDATE state SET events = max(0, events - ?)');
  const vacuum = connection.prepare(`PRAGMA incremental_vacuum(${stepPages})`);
  const oldest = connection.prepare<{ seq: number; topic: string }>(
    'SELECT seq, topic FROM runs NOT INDEXED ORDER BY seq LIMIT 1',
  );
  const countEvents = connection.prepare<{ events: number }>('SELECT events FROM state');
  const recount = connection.prepare('UPDATE state SET events = 0 WHERE NOT EXISTS (SELECT 1 FROM runs NOT INDEXED)');
  const stuck = new Set<number>();
  /** Even a delete needs some space in the log: after a failure one row at a time, then more again. */
  let stepRows = stepRowsMax;
  /** By topic: where the sweep of it has come to. */
  const open = new Map(allTopics.all().map(({ topic }) => [topic, 0]));

  const removeSome = (seqs: readonly number[]): number => {
    let reached = 0;
    let trying = 0;
    try {
      connection.write('lazy', () => {
        const until = performance.now() + stepMs;
        let events = 0;
        for (const seq of seqs) {
          trying = seq;
          if (!stuck.has(seq)) events += remove.get(seq)?.count ?? 0;
          reached = seq;
          if (performance.now() > until) break;
        }
        release.run(events);
      });
      return reached;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      stuck.add(trying);
      connection.complain('a row of the buffer cannot be deleted: its space is lost', {
        position: trying,
        reason: messageOf(error),
      });
      return seqs[0]! - 1;
    }
  };

  /** Whether the oldest row is one that all have passed, yet the index does not show it. One snapshot. */
  const findHidden = (): number | null =>
    connection.read(() => {
      const first = oldest.get();
      if (first === null || stuck.has(first.seq)) return null;
      const { topic, seq } = first;
      const isPassed = seq <= (passed.get(topic)?.position ?? 0);
      return isPassed && list.all(topic, seq - 1, seq, 1).length === 0 ? seq : null;
    });

  const check = (): void => {
    const hidden = findHidden();
    if (hidden !== null) {
      stuck.add(hidden);
      index.rebuild();
    }
    // Rows that could not be read leave their events in the count: it is right again when the log is empty.
    if (oldest.get() === null && countEvents.get()!.events > 0) connection.write('lazy', () => recount.run());
  };

  /** Some rows of one topic; false when there are none. */
  const removePassed = (): boolean => {
    for (const [topic, from] of open) {
      const seqs = list.all(topic, from, passed.get(topic)?.position ?? 0, stepRows).map(({ seq }) => seq);
      assertAscending(seqs, from);
      if (seqs.length > 0) {
        const rows = stepRows;
        stepRows = 1;
        open.set(topic, removeSome(seqs));
        stepRows = Math.min(stepRowsMax, rows * 2);
        return true;
      }
      open.delete(topic);
      if (open.size === 0) check();
    }
    return false;
  };

  /** Some free pages; false when there are few. */
  const giveBack = (): boolean => {
    const { count, free } = pages();
    if (free * 2 < count || free <= (isTight() ? 0 : keptFreePages)) return false;
    vacuum.all();
    return true;
  };

  const look = (topic: string): void => {
    if (!open.has(topic)) open.set(topic, 0);
  };

  return {
    look,
    lookEverywhere() {
      for (const { topic } of allTopics.all()) look(topic);
    },

    step() {
      index.bringAllBack();
      const hasRemoved = removePassed();
      // Giving back takes space in the log, too: on a volume that is nearly full removing goes first, it frees some.
      if (hasRemoved && isTight()) return true;
      // Else beside a removal, too: while events come and go without a pause there is always a row to remove.
      return giveBack() || hasRemoved;
    },
  };
}
