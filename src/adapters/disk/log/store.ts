// The buffer's log, synchronous: one connection, run by the worker. What it holds to:
//
// An append is one transaction, fsynced (synchronous=FULL). Positions, sweeping and setting aside are transactions too,
// but not fsynced: if a power cut takes the last of them back, records are read again, none is lost, and the next
// append's fsync covers them.
// A row is deleted only after every registered reader has passed it, in steps of about 2 ms: another process's append
// never waits long for the write lock.
// Space: the log is checkpointed by `rest`, between answers; SQLITE_FULL empties the write-ahead log at once and tries
// again, because a full disk would otherwise keep even a delete from being written.

import { messageOf, PipelineError } from '../../../errors.ts';
import type { BufferStats, ForgottenReader, Range, SetAside } from '../../../ports/buffer.ts';
import { type FoundStep, finder } from '../inspect/find.ts';
import { type BehindStep, behindCounter } from '../read/behind.ts';
import { type Cursors, type Reading, type ReadOptions, rowReader } from '../read/read.ts';
import { insertQuarantined, insertRow } from '../read/rows.ts';
import { mender } from '../repair/mend.ts';
import { rescue } from '../repair/rescue.ts';
import { type Connection, connect } from './connection.ts';
import { assertChanged, type Complain, isCorrupt, pageBytes, toPipelineError } from './file.ts';
import { LostFile, watchedBy, watchFiles } from './file-watch.ts';
import { identityOf } from './identity.ts';
import { readersIn } from './readers.ts';
import { type Bounds, bytesUsed, type Pages, roomOf } from './room.ts';
import { type Run, sealRun } from './row.ts';
import { sweeper } from './sweep.ts';
import { troubleOf } from './trouble.ts';

export interface Store {
  /** Of this log, whatever its file is called. */
  readonly id: string;
  /** All runs or, with `buffer_full` or `buffer_failed`, nothing. The range covers them all. */
  append(runs: readonly Run[]): Range;
  /**
   * The same for those of `runs` that `take` gives back. It is called in the transaction: what it writes is stored with
   * them or not at all.
   */
  appendTaken(runs: readonly Run[], take: () => readonly Run[]): Range;
  /** Registers a reader (idempotent) and says where it stands. */
  register(reader: string): Cursors;
  read(options: ReadOptions): Reading;
  /** A reader that was forgotten meanwhile is registered again: a reader that commits is alive. */
  commit(reader: string, topic: string, last: number): void;
  /** Registers these and forgets every other, in one transaction. */
  keepReaders(readers: readonly string[]): readonly ForgottenReader[];
  /** Forgets a reader; what was kept for it alone is swept. False when there is none of that name. */
  retire(reader: string): boolean;
  setAside(records: readonly SetAside[]): void;
  /** One small step of looking for events by id. */
  find(ids: readonly string[], before: number | null): FoundStep;
  /** One small step of counting what a reader has not passed; of rows after the position `after`. */
  behind(reader: string, after: number): BehindStep;
  /** One small step of tidying up. */
  sweep(): Swept;
  /** Moves the write-ahead log into the file when it is long enough. Called between answers. */
  rest(): void;
  stats(): BufferStats;
  /** Bytes an append may have. */
  left(): number;
  /** Throws LostFile when the files are no longer those that were opened; as everything here that writes. */
  check(): void;
  /** The last that is done with it, after a LostFile. */
  rescue(lost: LostFile): void;
  /** Changes whenever any process has written. */
  version(): string;
  close(): void;
  /** Closes beside others who work on: the log is left to them, the last to go empties it. */
  leave(): void;
}

/** failed: the disk is full or the file busy; try again in a while, or space that no row needs is never given back. */
export type Swept = 'more' | 'done' | 'failed';

const encoder = new TextEncoder();
const checkpointPages = (4 * 2 ** 20) / pageBytes;
/** With less on the volume the log is emptied rather than let grow. */
const tightBytes = 8 * 2 ** 20;
/** What a row costs beside its blobs, at most. */
const rowOverheadBytes = 512;

/** `config_invalid` for a file that is not ours, `buffer_failed` for one that cannot be opened. */
export function openStore(bounds: Bounds, complain: Complain, open = connect): Store {
  const connection = open(bounds.path, complain);
  try {
    return storeOver(connection, bounds);
  } catch (error) {
    connection.close();
    throw toPipelineError(error);
  }
}

function storeOver(opened: Connection, bounds: Bounds): Store {
  const files = watchFiles(opened, bounds.path);
  /** Of what readers may want to look at: appended, or brought back by a repair. */
  let writes = 0;
  const connection = watchedBy(opened, files, () => writes++);
  const { prepare, complain } = connection;
  const room = roomOf(bounds);
  const id = identityOf(connection);

  const pageCount = prepare<{ page_count: number }>('PRAGMA page_count');
  const freeCount = prepare<{ freelist_count: number }>('PRAGMA freelist_count');
  const dataVersion = prepare<{ data_version: number }>('PRAGMA data_version');
  const walLength = prepare<{ log: number }>('PRAGMA wal_checkpoint(NOOP)');
  const checkpoint = prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const checkpointAll = prepare('PRAGMA wal_checkpoint(TRUNCATE)');
  const getLast = prepare<{ last: number }>('SELECT last FROM state');
  const setLast = prepare<null, [number, number]>('UPDATE state SET last = ?, events = events + ?');
  const insert = insertRow(connection);
  const quarantineRecord = insertQuarantined(connection);
  const countEvents = prepare<{ events: number }>('SELECT events FROM state');
  const oldest = prepare<{ at: number }>('SELECT received_at_ms AS at FROM runs ORDER BY seq LIMIT 1');
  const countQuarantined = prepare<{ n: number }>('SELECT coalesce(sum(records), 0) AS n FROM quarantine');

  const pages = (): Pages => ({ count: pageCount.get()!.page_count, free: freeCount.get()!.freelist_count });
  const mending = mender(connection);
  const reader = rowReader(connection, mending);
  const isTight = (): boolean => room.left(pages()).disk < tightBytes;
  const { index } = mending;
  const finding = finder(connection);
  const counting = behindCounter(connection);
  const readers = readersIn(connection, counting);
  const sweeping = sweeper({ connection, pages, isTight, index });
  const untidy = troubleOf({
    complain,
    words: 'the buffer could not be tidied up',
    end: 'the buffer can be tidied up again',
  });
  try {
    mending.checkLast();
  } catch (error) {
    complain('the end of the buffer cannot be read', { reason: messageOf(error) });
  }

  /** Not into a file that is another's, nor from a log that was cut. */
  const moveLog = (how: typeof checkpoint): void =>
    ifPossible(() => {
      files.check();
      how.get();
    });
  const emptyLog = (): void => moveLog(checkpointAll);

  /** On a full disk once more, after the write-ahead log has made way. Errors come out as ours. */
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (error instanceof LostFile) throw error;
      if (toPipelineError(error).code !== 'buffer_full') throw toPipelineError(error);
      emptyLog();
    }
    try {
      return action();
    } catch (error) {
      throw error instanceof LostFile ? error : toPipelineError(error);
    }
  };

  /** The log gives up its place when that is what is missing; it is short then, so this is cheap. */
  const roomLeft = (): number => {
    const first = room.left(pages());
    if (first.disk > tightBytes || walLength.get()!.log === 0) return Math.min(first.bound, first.disk);
    emptyLog();
    const { bound, disk } = room.left(pages());
    return Math.min(bound, disk);
  };

  const insertAll = (runs: readonly Run[]): Range => {
    const before = getLast.get()!.last;
    let last = before;
    for (const run of runs) {
      last += run.count;
      insert(sealRun(run, last));
    }
    assertChanged(setLast.run(last, last - before)); // or the positions would be given out again
    return { first: before + 1, last };
  };

  const appendTaken: Store['appendTaken'] = (runs, take) => {
    const need = runs.reduce((sum, run) => sum + sizeOf(run), 0);
    const left = guarded(roomLeft);
    if (need > left)
      throw new PipelineError('buffer_full', `The disk buffer has room for ${Math.max(0, left)} bytes, not ${need}`);
    const range = guarded(() => connection.write('fsynced', () => insertAll(take())));
    room.spend(need);
    return range;
  };

  return {
    id,
    append: runs => appendTaken(runs, () => runs),
    appendTaken,

    register: name =>
      guarded(() => {
        connection.write('fsynced', () => readers.add(name));
        return readers.passedBy(name);
      }),

    read: options => guarded(() => reader.read(options)),

    commit: (name, topic, last) =>
      guarded(() => {
        connection.write('lazy', () => {
          readers.add(name);
          readers.advance(name, topic, last);
        });
        sweeping.look(topic);
      }),

    keepReaders: names =>
      guarded(() => {
        const forgotten = readers.keep(names);
        if (forgotten.length > 0) sweeping.lookEverywhere();
        return forgotten;
      }),

    retire: name =>
      guarded(() => {
        sweeping.lookEverywhere();
        return connection.write('fsynced', () => readers.remove(name));
      }),

    setAside: records =>
      guarded(() =>
        connection.write('fsynced', () => {
          for (const { topic, position, index, type, reason, body } of records)
            quarantineRecord({
              ...{ topic, type, reason },
              ...{ seq: position, line: index, records: 1, raw: encoder.encode(body) },
            });
        }),
      ),

    find: (ids, before) => guarded(() => finding.step(ids, before)),

    behind: (name, after) => guarded(() => connection.read(() => counting.step(readers.passedBy(name), after))),

    sweep() {
      try {
        files.check();
        const isMore = guarded(sweeping.step);
        files.shrunk();
        untidy.over();
        if (isMore) return 'more';
        if (room.overhang(pages()) > (isTight() ? 0 : checkpointPages * pageBytes)) moveLog(checkpoint);
        return 'done';
      } catch (error) {
        if (error instanceof LostFile) throw error;
        untidy.met(messageOf(error));
        if (isCorrupt((error as PipelineError).cause)) ifPossible(index.rebuild);
        return 'failed';
      }
    },

    rest() {
      ifPossible(() => walLength.get()!.log >= checkpointPages && moveLog(checkpoint));
    },

    stats: () =>
      guarded(() => ({
        events: countEvents.get()!.events,
        bytes: bytesUsed(pages()),
        oldestAtMs: oldest.get()?.at ?? null,
        quarantined: countQuarantined.get()!.n,
      })),

    left: () => guarded(roomLeft),
    check: () => guarded(files.check),
    rescue: lost => rescue(opened, bounds.path, lost),
    version: () => guarded(() => `${dataVersion.get()!.data_version}:${writes}`),

    close() {
      emptyLog();
      connection.close();
    },

    leave: () => connection.close(),
  };
}

const sizeOf = (run: Run): number => run.ndjson.length + run.keys.length + 4 * run.count + rowOverheadBytes;

function ifPossible(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (error instanceof LostFile) throw error;
    // A checkpoint that cannot be made now is made later; nothing but space depends on it.
  }
}
