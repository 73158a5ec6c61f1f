// Where damaged records go: the quarantine table, with their bytes, in the transaction that takes them out of the log.
// Nothing acked is dropped in silence; what is sound around a damaged record stays in the log and flows.
//
//   body        records whose own checksum fails; their row is rewritten without them
//   head        all records of a row whose address (topic, type, keys, …) cannot be believed
//   unreadable  a row whose pages are damaged: noted with what can be read, maybe nothing
//
// Beside them lie records the log behind the buffer refused for good, in its words.

import { messageOf } from '../../../errors.ts';
import type { Connection } from '../log/connection.ts';
import { isCorrupt, orNull, toPipelineError } from '../log/file.ts';
import { examine, keepLines, type Line, type Row } from '../log/row.ts';
import { fetchRow, insertQuarantined } from '../read/rows.ts';

export interface Damage {
  readonly topic: string;
  readonly seq: number;
  /** As far as it could be fetched. */
  readonly row: Row | null;
  /** What the driver said; 'hidden': the row is sound, and the index does not show it. */
  readonly error: unknown;
}

/** again: the place can be read now; pass: nothing more comes of it; later: try again when there is room. */
export type Mended = 'again' | 'pass' | 'later';

type Reason = 'body' | 'head' | 'unreadable';

export interface Quarantine {
  /** The bad records of a row, or all. Its place is named by `topic`, which its own need not be. */
  setAside(row: Row, topic: string, reason: 'body' | 'head'): Mended;
  /** A row that cannot be fetched. */
  giveUp(damage: Damage): Mended;
}

interface Entry {
  readonly line: number;
  readonly records: number;
  readonly raw: Uint8Array;
}

const nothing = new Uint8Array(0);

export function quarantine(connection: Connection): Quarantine {
  const insert = insertQuarantined(connection);
  const fetch = fetchRow(connection);
  const remove = connection.prepare<null, [number]>('DELETE FROM runs WHERE seq = ?');
  const rewrite = connection.prepare<null, [number, number, number, Uint8Array, string, Uint8Array, number]>(
    'UPDATE runs SET count = ?, head_sum = ?, body_sum = ?, sums = ?, keys = ?, ndjson = ? WHERE seq = ?',
  );
  const lose = connection.prepare<null, [number]>('UPDATE state SET events = max(0, events - ?)');
  const glance = connection.prepare<{ type: string; count: number }, [number]>(
    'SELECT type, count FROM runs WHERE seq = ?',
  );

  const enter = (where: { topic: string; seq: number; type: string }, reason: Reason, entries: readonly Entry[]) => {
    for (const { line, records, raw } of entries)
      insert({ topic: where.topic, seq: where.seq, line, type: where.type, records, reason, raw });
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
        // Another process may have mended it meanwhile, and counted what was lost.
        const now = fetch(row.seq);
        const isAsSeen = isSame(now, row);
        if (reason === 'body' && !isAsSeen) return now === null ? 'pass' : 'again';
        enter({ ...row, topic }, reason, entries);
        if (kept) {
          rewrite.run(kept.count, kept.headSum, kept.bodySum, kept.sums, kept.keys, kept.ndjson, row.seq);
        } else if (isAsSeen) {
          remove.run(row.seq);
        }
        if (isAsSeen) lose.run(lost);
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
    const seen = orNull(() => glance.get(seq));
    connection.complain('a row of the buffer cannot be read: noted in quarantine and passed', {
      topic,
      position: seq,
      records: seen?.count ?? null,
      reason: error === null ? 'it is not where the index says' : messageOf(error),
    });
    const entry = { line: 0, records: seen?.count ?? 1, raw: nothing };
    const noted = attempt(() => {
      enter({ topic, seq, type: seen?.type ?? '' }, 'unreadable', [entry]);
      return 'pass';
    });
    if (noted === 'later') return noted;
    // Its pages may be beyond that as well; then it stays, passed by all.
    attempt(() => {
      if (remove.run(seq).changes > 0) lose.run(seen?.count ?? 0);
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
      connection.complain('damaged records cannot be set aside now', { reason: known.message });
      if (known.code === 'buffer_full') return 'later';
      throw known;
    }
  };

  return { setAside, giveUp };
}

const isSame = (one: Row | null, other: Row): boolean =>
  one !== null && Object.is(one.headSum, other.headSum) && Object.is(one.bodySum, other.bodySum);

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
