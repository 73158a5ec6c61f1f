// What becomes of damage. Nothing acked is dropped in silence: a record that cannot be proven goes to the quarantine
// table with its bytes, in the transaction that takes it out of the log; the records around it stay and flow.
//
//   bodies damaged        the records whose own checksum fails are set aside, the row is rewritten without them
//   head damaged          all of its records are set aside: where they belong is not known
//   unreadable, or not    the index may be wrong, so it is made anew, once per row; after that the row is noted in
//   where the index says  quarantine (with what can be read, maybe nothing) and passed
//
// When even that cannot be written because the disk is full, the row waits ('later') and the other topics go on.

import { messageOf } from '../errors.ts';
import type { Connection } from './sqlite-connection.ts';
import { assertAscending, createRuns, isCorrupt, toPipelineError } from './sqlite-file.ts';
import { examine, isHeadIntact, keepLines, type Line, type Row } from './sqlite-row.ts';

export interface Damage {
  readonly topic: string;
  readonly seq: number;
  /** As far as it could be fetched. */
  readonly row: Row | null;
  readonly error: unknown;
}

/** again: the place can be read now; pass: nothing more comes of it; later: try again when there is room. */
export type Mended = 'again' | 'pass' | 'later';

export interface Mender {
  mend(damage: Damage): Mended;
  /** Also finds the rows the old index did not show. */
  rebuildIndex(): void;
}

type Reason = 'body' | 'head' | 'unreadable' | 'misplaced';

interface Entry {
  readonly line: number;
  readonly records: number;
  readonly raw: Uint8Array;
}

const nothing = new Uint8Array(0);

export function mender(connection: Connection): Mender {
  const insert = connection.prepare<null, [string, number, number, string, number, string, number, Uint8Array]>(
    'INSERT OR IGNORE INTO quarantine (topic, seq, line, type, records, reason, at_ms, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const remove = connection.prepare<null, [number]>('DELETE FROM runs WHERE seq = ?');
  const rewrite = connection.prepare<null, [number, number, number, Uint8Array, string, Uint8Array, number]>(
    'UPDATE runs SET count = ?, head_sum = ?, body_sum = ?, sums = ?, keys = ?, ndjson = ? WHERE seq = ?',
  );
  const lose = connection.prepare<null, [number]>('UPDATE state SET events = max(0, events - ?)');
  const glance = connection.prepare<{ type: string; count: number }, [number]>(
    'SELECT type, count FROM runs WHERE seq = ?',
  );
  const behind = connection.prepare<{ seq: number }, []>(
    `SELECT seq FROM runs NOT INDEXED WHERE seq <= (
       SELECT min(coalesce(mine.position, 0)) FROM readers AS every
       LEFT JOIN readers AS mine ON mine.reader = every.reader AND mine.topic = runs.topic WHERE every.topic = '')`,
  );
  const fetchAny = connection.prepare<Row, [number]>(
    `SELECT seq, topic, type, count, received_at_ms AS receivedAtMs, head_sum AS headSum, body_sum AS bodySum,
     sums, keys, ndjson FROM runs WHERE seq = ?`,
  );
  const indexed = connection.prepare<{ seq: number }, []>(
    `SELECT seq FROM runs WHERE topic >= '' AND seq <= (
       SELECT min(coalesce(mine.position, 0)) FROM readers AS every
       LEFT JOIN readers AS mine ON mine.reader = every.reader AND mine.topic = runs.topic WHERE every.topic = '')`,
  );
  const suspects = new Set<number>();

  const enter = (where: { topic: string; seq: number; type: string }, reason: Reason, entries: readonly Entry[]) => {
    for (const { line, records, raw } of entries)
      insert.run(where.topic, where.seq, line, where.type, records, reason, Date.now(), raw);
  };

  /** Takes the row's bad lines, or all, out of the log. */
  const setAside = (row: Row, topic: string, reason: Reason): Mended => {
    const lines = examine(row);
    const good = reason === 'body' ? lines.filter(({ record }) => record !== null) : [];
    const kept = keepLines(row, good);
    const lost = Math.max(0, row.count - good.length);
    const entries = entriesOf(reason === 'body' ? lines.filter(({ record }) => record === null) : lines, lost);
    connection.complain('records of the buffer are damaged: set aside in quarantine', {
      topic,
      position: row.seq,
      reason,
      records: lost,
    });
    return (
      attempt(() => {
        enter({ ...row, topic }, reason, entries);
        if (kept) {
          rewrite.run(kept.count, kept.headSum, kept.bodySum, kept.sums, kept.keys, kept.ndjson, row.seq);
        } else {
          remove.run(row.seq);
        }
        lose.run(lost);
        return kept ? 'again' : 'pass';
      }) ??
      attempt(() => {
        // The pages around it do not let the row be changed: keep a copy of all of it and leave it where it is.
        enter({ ...row, topic }, reason, entriesOf(lines, row.count));
        return 'pass';
      }) ??
      'pass'
    );
  };

  const giveUp = ({ topic, seq, error }: Damage): Mended => {
    const seen = tryTo(() => glance.get(seq));
    connection.complain('a row of the buffer cannot be read: noted in quarantine and passed', {
      topic,
      position: seq,
      records: seen?.count ?? 'unknown',
      error: error === null ? 'it is not where the index says' : messageOf(error),
    });
    const entry = { line: 0, records: seen?.count ?? 1, raw: nothing };
    const noted = attempt(() => {
      enter({ topic, seq, type: seen?.type ?? '' }, 'unreadable', [entry]);
      return 'pass';
    });
    if (noted === 'later') return noted;
    // Its pages may be beyond that as well; then it stays, passed by all.
    attempt(() => {
      remove.run(seq);
      lose.run(seen?.count ?? 0);
      return 'pass';
    });
    return 'pass';
  };

  /** Null when the pages touched are damaged. */
  const attempt = (action: () => Mended): Mended | null => {
    try {
      return connection.write('lazy', action);
    } catch (error) {
      if (isCorrupt(error)) return null;
      const known = toPipelineError(error);
      connection.complain('damaged records cannot be set aside now', { error: known.message });
      if (known.code === 'buffer_full') return 'later';
      throw known;
    }
  };

  /** The last resort: a new table with every row that can be read; the old one stays in the file under another name. */
  const replaceTable = (): void => {
    const mark = Date.now();
    let copied = 0;
    const gaps: number[] = [];
    connection.write('fsynced', () => {
      connection.run(`ALTER TABLE runs RENAME TO damaged_${mark}`);
      for (const sql of createRuns(`runs_by_topic_${mark}`)) connection.run(sql);
      for (const seq of seqsOf(connection, `damaged_${mark}`, gaps)) {
        const done = tryTo(() => {
          connection.run(`INSERT INTO runs SELECT * FROM damaged_${mark} WHERE seq = ${seq}`);
          return true;
        });
        if (done) copied++;
        else gaps.push(seq);
      }
    });
    connection.complain('the table of the buffer was damaged and has been replaced', {
      rowsKept: copied,
      lostAt: gaps,
      oldTable: `damaged_${mark}`,
    });
  };

  const rebuildIndex = (): void => {
    const sweepable = new Set(tryTo(() => indexed.all())?.map(({ seq }) => seq));
    try {
      connection.run('REINDEX runs');
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      replaceTable();
    }
    // What the old index did not show and every reader is past was never delivered: it must not be swept away.
    for (const { seq } of behind.all()) {
      const row = sweepable.has(seq) ? null : tryTo(() => fetchAny.get(seq));
      if (row) setAside(row, row.topic, 'misplaced');
    }
  };

  return {
    rebuildIndex,
    mend(damage) {
      const { topic, seq, row } = damage;
      if ((row === null || row.topic !== topic) && !suspects.has(seq)) {
        suspects.add(seq);
        tryTo(rebuildIndex);
        return 'again';
      }
      if (row === null) return giveUp(damage);
      return setAside(row, topic, isHeadIntact(row) && row.topic === topic ? 'body' : 'head');
    },
  };
}

/** The keys of a damaged table, in order; where it cannot be read on, it is entered again further on. */
function* seqsOf(connection: Connection, table: string, gaps: number[]): Generator<number> {
  const next = (after: number): number | null =>
    connection.one<{ seq: number }>(`SELECT seq FROM ${table} NOT INDEXED WHERE seq > ${after} ORDER BY seq LIMIT 1`)
      ?.seq ?? null;
  let at = 0;
  let step = 1;
  const last = connection.one<{ last: number }>('SELECT last FROM state')!.last;
  while (at < last) {
    try {
      const seq = next(at);
      if (seq === null || seq > last) return;
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

/** When line breaks were torn, lines and records differ in number: the first entry stands for the difference. */
function entriesOf(lines: readonly Line[], lost: number): readonly Entry[] {
  if (lines.length === 0) return [{ line: 0, records: lost, raw: nothing }];
  const extra = lost - lines.length;
  return lines.map(({ index, raw }, place) => ({
    line: index,
    records: Math.max(0, place === 0 && extra > 0 ? 1 + extra : place < lost ? 1 : 0),
    raw,
  }));
}

function tryTo<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
