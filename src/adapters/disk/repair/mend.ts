// What is done about damage that a read has met.
//
//   bodies damaged                           the bad records are set aside
//   head damaged                             the whole row is set aside
//   unreadable, or not as the index says     the index may be wrong: it is made anew, once for each such row; if that
//                                            does not help the row is noted in quarantine and passed
//
// When that cannot be written because the disk is full, the row waits ('later') and the other topics go on.

import type { Connection } from '../log/connection.ts';
import { assertChanged } from '../log/file.ts';
import { isHeadIntact, type Row } from '../log/row.ts';
import { type IndexRepair, indexRepair } from '../log/topic-index.ts';
import { fetchRow } from '../read/rows.ts';
import { type Damage, type Mended, quarantine } from './quarantine.ts';

/** Positions start at the clock in µs; no file gets as far ahead of it as this, and sums with it stay exact. */
const positionsAheadMax = 10 ** 14;

export interface Mender {
  mend(damage: Damage): Mended;
  /** At the start: the last position given out can be true, and no row lies beyond it, where no reader would get to. */
  checkLast(): void;
  readonly index: IndexRepair;
}

export function mender(connection: Connection): Mender {
  const aside = quarantine(connection);
  const index = indexRepair(connection, aside);
  const suspects = new Set<number>();
  const fetch = fetchRow(connection);
  const getLast = connection.prepare<{ last: number }>('SELECT last FROM state');
  const setLast = connection.prepare<null, [number]>('UPDATE state SET last = ?');
  const furthest = connection.prepare<{ seq: number }, []>(
    'SELECT seq FROM runs NOT INDEXED ORDER BY seq DESC LIMIT 1',
  );

  const mender: Mender = {
    index,

    checkLast() {
      const { last } = getLast.get()!;
      const now = Date.now() * 1000;
      let likely = last <= now + positionsAheadMax ? last : now;
      for (let row = furthestRow(); row !== null && row.seq > likely; row = furthestRow()) {
        if (isHeadIntact(row)) likely = row.seq;
        else if (mender.mend({ topic: row.topic, seq: row.seq, row, error: null }) !== 'pass') break;
      }
      if (likely === last) return;
      connection.write('fsynced', () => assertChanged(setLast.run(likely)));
      connection.complain('the last position of the buffer was damaged: set anew', {
        position: likely,
        position_was: last,
      });
    },

    mend(damage) {
      const { topic, seq, row, error } = damage;
      if ((row === null || row.topic !== topic || error === 'hidden') && !suspects.has(seq)) {
        suspects.add(seq);
        try {
          index.rebuild();
        } catch {
          // Then the second look at the row sets it aside.
        }
        return 'again';
      }
      if (error === 'hidden') return 'later';
      if (row === null) return aside.giveUp(damage);
      return aside.setAside(row, topic, isHeadIntact(row) && row.topic === topic ? 'body' : 'head');
    },
  };
  return mender;

  function furthestRow(): Row | null {
    const last = furthest.get();
    return last === null ? null : fetch(last.seq);
  }
}
