// The buffer's log, synchronous: one connection, run by the worker. What it holds to:
//
// An append is one transaction, fsynced (synchronous=FULL). Positions, sweeping and setting aside are transactions too,
// but not fsynced: if a power cut takes the last of them back, records are read again, none is lost, and the next
// append's fsync covers them.
// A row is deleted only after every registered reader has passed it, in steps of about 2 ms: another process's append
// never waits long for the write lock.
// Space: the log is checkpointed by `rest`, between answers; SQLITE_FULL empties the write-ahead log at once, because
// a full disk would otherwise keep even a delete from being written.

import type { Database, SQLQueryBindings, Statement } from 'bun:sqlite';
import { messageOf, PipelineError } from '../errors.ts';
import type { BufferStats, Range } from '../ports.ts';
import { type Complain, openFile, pageBytes, toPipelineError } from './sqlite-file.ts';
import { type Cursors, type Reading, type ReadOptions, rowReader } from './sqlite-read.ts';
import { type Bounds, bytesUsed, type Pages, roomOf } from './sqlite-room.ts';
import { type Run, sealRun } from './sqlite-row.ts';
import { sweeper } from './sqlite-sweep.ts';

export interface Store {
  /** Rejects, with nothing stored: `buffer_full`, `buffer_failed`. The range covers all runs. */
  append(runs: readonly Run[]): Range;
  /** Registers a reader (idempotent) and says where it stands. */
  register(reader: string): Cursors;
  read(options: ReadOptions): Reading;
  commit(reader: string, topic: string, last: number): void;
  /** One small step of tidying up; true when there is more to do. */
  sweep(): boolean;
  /** Moves the write-ahead log into the file when it is long enough. Called between answers. */
  rest(): void;
  stats(): BufferStats;
  /** Bytes an append may have. */
  left(): number;
  /** Changes whenever any process has written. */
  version(): string;
  close(): void;
}

/** A connection with what its users share: statements that are finalized with it, and transactions. */
export interface Connection {
  prepare<Row, Params extends SQLQueryBindings[]>(sql: string): Statement<Row, Params>;
  run(sql: string): void;
  /** All or nothing; errors come out as they are. */
  write<T>(durability: 'fsynced' | 'lazy', action: () => T): T;
  readonly complain: Complain;
}

const checkpointPages = (4 * 2 ** 20) / pageBytes;
/** What a row costs beside its blobs, at most. */
const rowOverheadBytes = 512;

export function openStore(bounds: Bounds, complain: Complain): Store {
  const db = openFile(bounds.path, complain);
  const statements: Statement[] = [];
  const connection = connect(db, statements, complain);
  const room = roomOf(bounds);
  const one = <Row, Params extends SQLQueryBindings[] = []>(sql: string) => connection.prepare<Row, Params>(sql);

  const pageCount = one<{ page_count: number }>('PRAGMA page_count');
  const freeCount = one<{ freelist_count: number }>('PRAGMA freelist_count');
  const dataVersion = one<{ data_version: number }>('PRAGMA data_version');
  const walLength = one<{ log: number }>('PRAGMA wal_checkpoint(NOOP)');
  const checkpoint = one('PRAGMA wal_checkpoint(PASSIVE)');
  const checkpointAll = one('PRAGMA wal_checkpoint(TRUNCATE)');
  const getLast = one<{ last: number }>('SELECT last FROM state');
  const setLast = one<null, [number, number]>('UPDATE state SET last = ?, events = events + ?');
  const insert = one<null, [number, string, string, number, number, number, number, Uint8Array, string, Uint8Array]>(
    'INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const addReader = one<null, [string]>("INSERT OR IGNORE INTO readers VALUES (?, '', 0)");
  const positions = one<{ topic: string; position: number }, [string]>(
    "SELECT topic, position FROM readers WHERE reader = ? AND topic <> ''",
  );
  const advance = one<null, [string, string, number]>(
    `INSERT INTO readers VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
  );
  const countEvents = one<{ events: number }>('SELECT events FROM state');
  const oldest = one<{ at: number }>('SELECT received_at_ms AS at FROM runs ORDER BY seq LIMIT 1');
  const countQuarantined = one<{ n: number }>('SELECT coalesce(sum(records), 0) AS n FROM quarantine');

  const pages = (): Pages => ({ count: pageCount.get()!.page_count, free: freeCount.get()!.freelist_count });
  const reader = rowReader(connection);
  const sweeping = sweeper(connection, pages);
  let writes = 0;

  /** Runs an operation; turns its errors into ours, and makes way on a full disk so that the next one may succeed. */
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      const known = toPipelineError(error);
      if (known.code === 'buffer_full' && known.cause !== undefined) tryTo(() => checkpointAll.get());
      throw known;
    }
  };

  return {
    append: runs =>
      guarded(() => {
        const need = runs.reduce((sum, run) => sum + sizeOf(run), 0);
        const left = room.left(pages());
        if (need > left) throw new PipelineError('buffer_full', `The disk buffer has room for ${Math.max(0, left)} bytes`);
        const range = connection.write('fsynced', () => {
          const before = getLast.get()!.last;
          let last = before;
          for (const run of runs) {
            last += run.count;
            const row = sealRun(run, last);
            const { topic, type, count, receivedAtMs, headSum, bodySum, sums, keys, ndjson } = row;
            insert.run(last, topic, type, count, receivedAtMs, headSum, bodySum, sums, keys, ndjson);
          }
          setLast.run(last, last - before);
          return { first: before + 1, last };
        });
        room.spend(need);
        writes++;
        return range;
      }),

    register: name =>
      guarded(() => {
        connection.write('fsynced', () => addReader.run(name));
        return Object.fromEntries(positions.all(name).map(({ topic, position }) => [topic, position]));
      }),

    read: options => guarded(() => reader.read(options)),

    commit: (name, topic, last) =>
      guarded(() => {
        connection.write('lazy', () => advance.run(name, topic, last));
        sweeping.look(topic);
      }),

    sweep() {
      try {
        return sweeping.step();
      } catch (error) {
        // Tidying can wait; the rows are still there and the next commit brings us back.
        complain('the buffer could not be tidied up', { error: messageOf(guardedError(error)) });
        return false;
      }
    },

    rest() {
      if (walLength.get()!.log >= checkpointPages) tryTo(() => checkpoint.get());
    },

    stats: () =>
      guarded(() => ({
        events: countEvents.get()!.events,
        bytes: bytesUsed(pages()),
        oldestAtMs: oldest.get()?.at ?? null,
        quarantined: countQuarantined.get()!.n,
      })),

    left: () => room.left(pages()),
    version: () => `${dataVersion.get()!.data_version}:${writes}`,

    close() {
      tryTo(() => checkpointAll.get());
      for (const statement of statements) statement.finalize();
      db.close();
    },
  };

  function guardedError(error: unknown): unknown {
    try {
      return guarded(() => {
        throw error;
      });
    } catch (known) {
      return known;
    }
  }
}

function connect(db: Database, statements: Statement[], complain: Complain): Connection {
  const prepare = <Row, Params extends SQLQueryBindings[]>(sql: string): Statement<Row, Params> => {
    const statement = db.prepare<Row, Params>(sql);
    statements.push(statement);
    return statement;
  };
  const begin = prepare('BEGIN IMMEDIATE');
  const commit = prepare('COMMIT');
  const fsync = { fsynced: prepare('PRAGMA synchronous = FULL'), lazy: prepare('PRAGMA synchronous = NORMAL') };
  return {
    prepare,
    complain,
    run: sql => void db.run(sql),
    write(durability, action) {
      fsync[durability].run();
      begin.run();
      try {
        const result = action();
        commit.run();
        return result;
      } catch (error) {
        // SQLite rolls back by itself on some errors, not on others.
        if (db.inTransaction) db.run('ROLLBACK');
        throw error;
      }
    },
  };
}

const sizeOf = (run: Run): number => run.ndjson.length + run.keys.length + 4 * run.count + rowOverheadBytes;

function tryTo(action: () => unknown): void {
  try {
    action();
  } catch {
    // A checkpoint that cannot be made now is made later; nothing depends on it but space.
  }
}
