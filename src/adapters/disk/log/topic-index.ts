// The index over topics, made anew when it is damaged. It is the only way readers find rows, so after damage nobody can
// say which rows were passed over unseen: every row still there is appended again at the end, where every reader comes
// by. What a reader had seen it sees twice; the ids in it make that harmless.
//
// While that goes on a reader without a name is registered. It has passed nothing, so nothing is deleted; its entry says
// up to which position rows are still to be brought back, and survives a crash.

import { PipelineError } from '../../../errors.ts';
import { fetchRow, insertRow } from '../read/rows.ts';
import type { Quarantine } from '../repair/quarantine.ts';
import type { Connection } from './connection.ts';
import { assertAscending, assertChanged, createRuns, isCorrupt, orNull } from './file.ts';
import { isBodyIntact, isHeadIntact, sealRun } from './row.ts';

export interface IndexRepair {
  rebuild(): void;
  /** Goes on with a repair that was interrupted, if there is one. */
  bringAllBack(): void;
}

export function indexRepair(connection: Connection, { setAside }: Quarantine): IndexRepair {
  const fetch = fetchRow(connection);
  const insert = insertRow(connection);
  const remove = connection.prepare<null, [number]>('DELETE FROM runs WHERE seq = ?');
  const getLast = connection.prepare<{ last: number }>('SELECT last FROM state');
  const setLast = connection.prepare<null, [number]>('UPDATE state SET last = ?');
  const mark = connection.prepare("INSERT OR REPLACE INTO readers SELECT '', '', last FROM state");
  const marked = connection.prepare<{ position: number }>(
    "SELECT position FROM readers WHERE reader = '' AND topic = ''",
  );
  const unmark = connection.prepare("DELETE FROM readers WHERE reader = ''");

  /** The last resort: a new table with every row that can be read; the old one stays in the file under another name. */
  const replaceTable = (): void => {
    const stamp = Date.now();
    let copied = 0;
    const gaps: number[] = [];
    connection.write('fsynced', () => {
      connection.run(`ALTER TABLE runs RENAME TO damaged_${stamp}`);
      for (const sql of createRuns(`runs_by_topic_${stamp}`)) connection.run(sql);
      const upTo = getLast.get()!.last;
      for (const seq of seqsOf(connection, { table: `damaged_${stamp}`, upTo, gaps })) {
        const done = orNull(() => {
          const { changes } = connection.run(`INSERT INTO runs SELECT * FROM damaged_${stamp} WHERE seq = ${seq}`);
          return changes > 0;
        });
        if (done) copied++;
        else gaps.push(seq);
      }
    });
    connection.complain('the table of the buffer was damaged and has been replaced', {
      rows_kept: copied,
      lost_at: gaps,
      table_was: `damaged_${stamp}`,
    });
  };

  const moveToEnd = (seq: number): void =>
    connection.write('fsynced', () => {
      const row = fetch(seq);
      // Sealed anew, what is damaged would be taken for sound: where it cannot be set aside it stays.
      if (!row || !isHeadIntact(row) || !isBodyIntact(row)) return;
      const last = getLast.get()!.last + row.count;
      remove.run(seq);
      insert(sealRun(row, last));
      assertChanged(setLast.run(last));
    });

  /** False when its pages do not allow it. */
  const bringBack = (seq: number): boolean => {
    try {
      const row = fetch(seq);
      if (!row) return false;
      const isDamaged = !isHeadIntact(row) || !isBodyIntact(row);
      const mended = isDamaged ? setAside(row, row.topic, isHeadIntact(row) ? 'body' : 'head') : 'again';
      if (mended === 'later') throw new PipelineError('buffer_full', 'The disk of the buffer is full');
      if (mended === 'again') moveToEnd(seq);
      return true;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return false;
    }
  };

  const bringAllBack = (): void => {
    const upTo = marked.get()?.position;
    if (upTo === undefined) return;
    const gaps: number[] = [];
    let rows = 0;
    for (const seq of seqsOf(connection, { table: 'runs', upTo, gaps })) {
      if (bringBack(seq)) rows++;
      else gaps.push(seq);
    }
    connection.write('fsynced', () => unmark.run());
    connection.complain('the index of the buffer was damaged: made anew, and every row appended again', {
      rows,
      unreadable_at: gaps,
    });
  };

  return {
    bringAllBack,
    rebuild() {
      connection.write('fsynced', () => mark.run());
      try {
        connection.run('REINDEX runs');
      } catch (error) {
        if (!isCorrupt(error)) throw error;
        replaceTable();
      }
      bringAllBack();
    },
  };
}

/** The keys of a damaged table, in order; where it cannot be read on, it is entered again further on. */
function* seqsOf(
  connection: Connection,
  { table, upTo, gaps }: { table: string; upTo: number; gaps: number[] },
): Generator<number> {
  const next = (after: number): number | null =>
    connection.one<{ seq: number }>(`SELECT seq FROM ${table} NOT INDEXED WHERE seq > ${after} ORDER BY seq LIMIT 1`)
      ?.seq ?? null;
  let at = 0;
  let step = 1;
  while (at < upTo) {
    try {
      const seq = next(at);
      if (seq === null || seq > upTo) return;
      assertAscending([seq], at);
      yield seq;
      at = seq;
      step = 1;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      if (step === 1) gaps.push(at);
      at += step;
      step *= 2;
    }
  }
}
