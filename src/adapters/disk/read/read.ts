// Reading the log: per topic, from a cursor, in order. The index says which rows there are, each row is then fetched by
// its own key and checked, so that a damaged one is met alone. What is damaged is handed to the mender after the snapshot
// has ended; its topic is read no further until then, the others are.
//
// Every read makes progress: it delivers rows, or moves a cursor past a row that nothing more can come of.

import { messageOf } from '../../../errors.ts';
import type { PositionedBatch } from '../../../ports/source.ts';
import { readStamp, stampAt, stampLengthMax } from '../../../record/stamp.ts';
import type { Connection } from '../log/connection.ts';
import { assertAscending, assertSame, isCorrupt } from '../log/file.ts';
import { isBodyIntact, isHeadIntact, type Row } from '../log/row.ts';
import type { Mender } from '../repair/mend.ts';
import type { Damage } from '../repair/quarantine.ts';
import { fetchRow } from './rows.ts';

/** By topic: the position up to which a reader has read. */
export type Cursors = Readonly<Record<string, number>>;

export interface ReadOptions {
  readonly cursors: Cursors;
  readonly paused: ReadonlySet<string>;
  /** Soft: one row more than this at most, shared fairly by the topics. */
  readonly bytesMax: number;
  /** Begin with the topic after this one. */
  readonly after: string;
  readonly withKeys: boolean;
}

/** A row as it is read; how it is committed, the reader's view of the log adds. */
export type StoredRun = Omit<PositionedBatch, 'ack'>;

export interface Reading {
  readonly batches: readonly StoredRun[];
  /** Where to go on. */
  readonly cursors: Cursors;
  /** Whether reading on at once may give more. */
  readonly more: boolean;
}

export interface RowReader {
  read(options: ReadOptions): Reading;
}

const rowsPerTopic = 64;

export function rowReader(connection: Connection, mender: Mender): RowReader {
  const nextTopic = connection.prepare<{ topic: string | null }, [string]>(
    'SELECT min(topic) AS topic FROM runs WHERE topic > ?',
  );
  const lastTopic = connection.prepare<{ topic: string | null }>('SELECT max(topic) AS topic FROM runs');
  const oldest = connection.prepare<{ seq: number; topic: string }>(
    'SELECT seq, topic FROM runs NOT INDEXED WHERE seq <= (SELECT last FROM state) ORDER BY seq LIMIT 1',
  );
  // No position beyond the last one given out: a damaged key must not carry a cursor away.
  const list = connection.prepare<{ seq: number }, [string, number, number]>(
    `SELECT seq FROM runs
     WHERE topic = ? AND seq > ? AND seq <= (SELECT last FROM state) ORDER BY seq LIMIT ?`,
  );
  const fetch = fetchRow(connection);

  const topicsAfter = (first: string): string[] => {
    const topics: string[] = [];
    for (let topic = nextTopic.get('')?.topic; topic; topic = nextTopic.get(topic)?.topic) {
      assertAscending([topic], topics.at(-1) ?? '');
      topics.push(topic);
    }
    // One entry out of its place makes a search stop before the others.
    if (topics.length > 0) assertSame(topics.at(-1)!, lastTopic.get()?.topic);
    const start = topics.findIndex(topic => topic > first);
    return start > 0 ? [...topics.slice(start), ...topics.slice(0, start)] : topics;
  };

  /** The row as it should be, or what is wrong with it. */
  const take = (topic: string, seq: number): Row | Damage => {
    try {
      const row = fetch(seq);
      const sound = row && row.topic === topic && isHeadIntact(row) && isBodyIntact(row);
      return sound ? row : { topic, seq, row, error: null };
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return { topic, seq, row: null, error };
    }
  };

  const readOn = ({ cursors, paused, bytesMax, after, withKeys }: ReadOptions) => {
    const reached: Record<string, number> = { ...cursors };
    const batches: StoredRun[] = [];
    const damages: Damage[] = [];
    const topics = topicsAfter(after).filter(topic => !paused.has(topic));
    let more = false;
    for (const topic of topics) {
      const seqs = list.all(topic, reached[topic] ?? 0, rowsPerTopic).map(({ seq }) => seq);
      assertAscending(seqs, reached[topic] ?? 0);
      let bytes = 0;
      for (const seq of seqs) {
        if (bytes * topics.length >= bytesMax) break;
        const row = take(topic, seq);
        if ('error' in row) {
          damages.push(row);
          break;
        }
        batches.push(batchOf(row, withKeys));
        bytes += row.ndjson.length;
        reached[topic] = seq;
      }
      more ||= seqs.length === rowsPerTopic || (seqs.length > 0 && reached[topic] !== seqs.at(-1));
    }
    if (batches.length === 0 && damages.length === 0 && paused.size === 0) damages.push(...probe(reached));
    return { batches, damages, reached, more };
  };

  /** Nothing left to read means that the oldest row there is has been read: else the index hides it. */
  const probe = (reached: Cursors): readonly Damage[] => {
    const first = oldest.get();
    if (first === null || first.seq <= (reached[first.topic] ?? 0)) return [];
    const row = take(first.topic, first.seq);
    return ['error' in row ? row : { ...first, row, error: 'hidden' }];
  };

  return {
    read(options) {
      const { batches, damages, reached, more } = readMending(() => connection.read(() => readOn(options)));
      let mended = false;
      for (const damage of damages) {
        const outcome = mender.mend(damage);
        if (outcome === 'pass') reached[damage.topic] = damage.seq;
        mended ||= outcome !== 'later';
      }
      return { batches, cursors: reached, more: damages.length === 0 ? more : mended };
    },
  };

  /** A damaged index is made anew, once; if that does not help there is nothing left to try. */
  function readMending<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      connection.complain('the index of the buffer is damaged', { reason: messageOf(error) });
      mender.index.rebuild();
      return action();
    }
  }
}

const batchOf = ({ topic, type, seq, count, receivedAtMs, ndjson, keys }: Row, withKeys: boolean): StoredRun => ({
  topic,
  partition: 0,
  first: seq - count + 1,
  last: seq,
  type,
  count,
  oldestAtMs: receivedAtMs,
  ndjson,
  ...versionOf(ndjson),
  ...(withKeys && { keys }),
});

/** A run is of one version (group.ts, operator.ts), so the first record's is that of all. */
function versionOf({ buffer, byteOffset, byteLength }: Uint8Array): Pick<StoredRun, 'version'> {
  const head = Buffer.from(buffer, byteOffset, Math.min(byteLength, stampAt + stampLengthMax));
  const stamp = readStamp(head.toString('latin1', stampAt));
  return stamp === null ? {} : { version: stamp.version };
}
