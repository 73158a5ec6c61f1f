// Walks the table of runs for an operator: in order of position, in short reads with no snapshot held between them, so
// that the write-ahead log of a running instance can start anew meanwhile. What is swept during the walk is not seen;
// what is appended during it is beyond its end.
//
// A page that cannot be read hides the rows on it: the walk goes on with the first row after it.

import type { Connection } from '../log/connection.ts';
import { assertAscending, isCorrupt } from '../log/file.ts';

export interface Walk {
  readonly upTo: number;
  /** Rows that follow this position cannot be read. */
  readonly onGap: (after: number) => void;
}

const positionsAtOnce = 256;

export function* walkPositions(connection: Connection, { upTo, onGap }: Walk): Generator<number> {
  const list = connection.prepare<{ seq: number }, [number, number, number]>(
    'SELECT seq FROM runs NOT INDEXED WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
  );
  /** Null when a page on the way cannot be read. */
  const next = (after: number, count: number): readonly number[] | null =>
    unlessCorrupt(() => {
      const positions = list.all(after, upTo, count).map(({ seq }) => seq);
      assertAscending(positions, after);
      return positions;
    });

  /** Where reading works again after `from`, where it does not: found by ever longer steps, then by halving. */
  const endOfGap = (from: number): number => {
    let [bad, good] = [from, from + 1];
    for (let step = 1; good < upTo && next(good, 1) === null; step *= 2) [bad, good] = [good, good + step];
    while (good - bad > 1) {
      const middle = bad + Math.floor((good - bad) / 2);
      if (next(middle, 1) === null) bad = middle;
      else good = middle;
    }
    return good;
  };

  let at = 0;
  while (at < upTo) {
    const positions = next(at, positionsAtOnce) ?? next(at, 1);
    if (positions === null) {
      onGap(at);
      at = endOfGap(at);
      continue;
    }
    yield* positions;
    if (positions.length === 0) return;
    at = positions.at(-1)!;
  }
}

/** The last position given out, or of a row beyond it when that number is damaged or gone. */
export function lastPosition(connection: Connection): number {
  const state = unlessCorrupt(() => connection.one<{ last: number }>('SELECT last FROM state'));
  const furthest = unlessCorrupt(() => connection.one<{ seq: number | null }>('SELECT max(seq) AS seq FROM runs'));
  return Math.max(state?.last ?? 0, furthest?.seq ?? 0);
}

/** What a damaged page does not give is null. */
export function unlessCorrupt<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return null;
  }
}

/** What a walk wants to know of a row without its bodies. */
export interface Head {
  readonly topic: string;
  readonly type: string;
  readonly count: number;
  readonly receivedAtMs: number;
  readonly bytes: number;
}

export function fetchHead(connection: Connection): (seq: number) => Head | null {
  const statement = connection.prepare<Head, [number]>(
    'SELECT topic, type, count, received_at_ms AS receivedAtMs, length(ndjson) AS bytes FROM runs WHERE seq = ?',
  );
  return seq => statement.get(seq);
}
