// One connection to the buffer's file and what everything that uses it shares: statements that are finalized with it
// (a forgotten one would keep the file open), and transactions.

import { constants, type Database, type SQLQueryBindings, type Statement } from 'bun:sqlite';
import { type Complain, openFile } from './file.ts';

export interface Connection {
  prepare<Row, Params extends SQLQueryBindings[] = []>(sql: string): Prepared<Row, Params>;
  run(sql: string): Changes;
  /** For what is asked once. */
  one<Row>(sql: string): Row | null;
  many<Row>(sql: string): Row[];
  /** Row by row, so that those before an error are seen. */
  each<Row>(sql: string, look: (row: Row) => void): void;
  /** One transaction that waits for the write lock first. All or nothing; errors come out as they are. */
  write<T>(durability: Durability, action: () => T): T;
  /** One snapshot. */
  read<T>(action: () => T): T;
  readonly complain: Complain;
  /** From now on closing it deletes no log, whosever it is. */
  keepLog(): void;
  close(): void;
}

/** So many rows were inserted, updated or deleted. */
export interface Changes {
  readonly changes: number;
}

/** A statement, typed. */
export interface Prepared<Row, Params extends SQLQueryBindings[]> {
  run(...params: Params): Changes;
  get(...params: Params): Row | null;
  all(...params: Params): Row[];
}

/** `lazy` is not fsynced: a power cut may take it back, the next fsynced transaction covers it. */
export type Durability = 'fsynced' | 'lazy';

export const connect = (path: string, complain: Complain): Connection =>
  connectionOver(openFile(path, complain), complain);

export function connectionOver(db: Database, complain: Complain): Connection {
  const statements: Statement[] = [];
  const prepare = <Row, Params extends SQLQueryBindings[] = []>(sql: string): Prepared<Row, Params> => {
    const statement = db.prepare(sql);
    statements.push(statement);
    return statement as Prepared<Row, Params>;
  };
  const begin = { write: prepare('BEGIN IMMEDIATE'), read: prepare('BEGIN') };
  // A read has nothing to commit, and once it has met a damaged page a COMMIT would fail: all it read would be lost.
  const end = { write: prepare('COMMIT'), read: prepare('ROLLBACK') };
  const sync = { fsynced: prepare('PRAGMA synchronous = FULL'), lazy: prepare('PRAGMA synchronous = NORMAL') };

  const once = <T>(sql: string, ask: (statement: Statement) => T): T => {
    const statement = db.prepare(sql);
    try {
      return ask(statement);
    } finally {
      statement.finalize();
    }
  };

  const transact = <T>(mode: 'write' | 'read', action: () => T): T => {
    begin[mode].run();
    try {
      const result = action();
      end[mode].run();
      return result;
    } catch (error) {
      rollBack(db);
      throw error;
    }
  };

  return {
    prepare,
    complain,
    run: sql => db.run(sql),
    one: <Row>(sql: string) => once(sql, statement => statement.get() as Row | null),
    many: <Row>(sql: string) => once(sql, statement => statement.all() as Row[]),
    each: <Row>(sql: string, look: (row: Row) => void) =>
      once(sql, statement => {
        for (const row of statement.iterate()) look(row as Row);
      }),
    write(durability, action) {
      sync[durability].run();
      return transact('write', action);
    },
    read: action => transact('read', action),
    keepLog: () => void db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1),
    close() {
      for (const statement of statements) statement.finalize();
      db.close();
    },
  };
}

/** SQLite has rolled back by itself after some errors and not after others. */
function rollBack(db: Database): void {
  if (db.inTransaction) db.run('ROLLBACK');
}
