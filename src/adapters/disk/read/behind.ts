// How many events a reader has still to pass, by topic: heads of rows, in order of position and in steps so short that
// appends hardly notice. What damaged pages hide is not counted.

import type { Connection } from '../log/connection.ts';
import type { Cursors } from './read.ts';

export interface BehindStep {
  /** By topic. */
  readonly events: Readonly<Record<string, number>>;
  /** Where to go on, null = everything has been looked at. */
  readonly next: number | null;
}

export interface BehindCounter {
  /** One step, of rows after `after`; `passed` is where the reader stands. */
  step(passed: Cursors, after: number): BehindStep;
}

/** About a millisecond: no body is read. */
const stepRows = 512;

export function behindCounter({ prepare }: Pick<Connection, 'prepare'>): BehindCounter {
  const heads = prepare<{ seq: number; topic: string; count: number }, [number, number]>(
    'SELECT seq, topic, count FROM runs NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT ?',
  );
  return {
    step(passed, after) {
      const events: Record<string, number> = {};
      const rows = heads.all(after, stepRows);
      for (const { seq, topic, count } of rows)
        if (seq > (passed[topic] ?? 0)) events[topic] = (events[topic] ?? 0) + count;
      return { events, next: rows.length < stepRows ? null : rows.at(-1)!.seq };
    },
  };
}
