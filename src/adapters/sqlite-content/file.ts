// The content store's file: opened, brought up to date, and what SQLite's errors mean.
// - Every connection is of the same settings; WAL and synchronous=FULL, so that what is committed is on the disk.
// - Two processes may open it at the same moment: migrations run under the write lock.

import { Database, SQLiteError, type SQLQueryBindings, type Statement } from 'bun:sqlite';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PipelineError } from '../../errors.ts';
import { type AppliedMigration, checksumOf, type Migration, missingMigrations } from '../../process/migrations.ts';
import begin from './migrations/001-begin.sql' with { type: 'text' };

/** 'ugcc' */
const applicationId = 0x75676363;
const busyTimeoutMs = 5_000;

const migrations: readonly Migration[] = [{ version: 1, name: 'begin', sql: begin }];

export interface Connection {
  prepare<Row, Params extends SQLQueryBindings[] = []>(sql: string): Prepared<Row, Params>;
  /** For what is asked once. */
  once(sql: string, params: readonly SQLQueryBindings[]): readonly unknown[];
  /** One transaction that has the write lock from its start; all or nothing. */
  write<T>(action: () => T): T;
  close(): void;
}

export interface Prepared<Row, Params extends SQLQueryBindings[]> {
  run(...params: Params): { readonly changes: number };
  get(...params: Params): Row | null;
  all(...params: Params): Row[];
}

/** Throws PipelineErrors alone. */
export function openContent(path: string): Connection {
  try {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, 'a', 0o600)); // for its owner alone; SQLite gives the files beside it the same mode
    const db = new Database(path, { create: true, readwrite: true });
    try {
      db.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      whileBusy(() => settle(db, path));
      whileBusy(() => migrate(db));
      return connectionOver(db);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw toPipelineError(error, path);
  }
}

function settle(db: Database, path: string): void {
  // In this order: another process may make the tables and set the id between the two, which it does at once.
  const { n: tables } = db.query('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
  const id = pragma(db, 'application_id');
  if (id !== applicationId && (id !== 0 || tables > 0))
    throw new PipelineError(
      'store_halted',
      `${path} belongs to another program: move it away, or choose another folder (UGC_DATA_DIR)`,
    );
  db.run('PRAGMA journal_mode = WAL');
  db.run('PRAGMA synchronous = FULL');
  db.run(`PRAGMA journal_size_limit = ${64 * 2 ** 20}`);
  db.run('PRAGMA cache_size = -32000');
  db.run('PRAGMA cell_size_check = ON');
  db.run('PRAGMA trusted_schema = OFF');
}

/** Looked at without the write lock first: nearly always there is nothing to do. */
function migrate(db: Database): void {
  if (pragma(db, 'application_id') === applicationId && missing(db).length === 0) return;
  db.transaction(() => {
    db.run(`CREATE TABLE IF NOT EXISTS migrations (
      version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at_ms INTEGER NOT NULL)`);
    for (const migration of missing(db)) {
      db.run(migration.sql);
      const { version, name } = migration;
      db.run('INSERT INTO migrations VALUES (?, ?, ?, ?)', [version, name, checksumOf(migration), Date.now()]);
    }
    db.run(`PRAGMA application_id = ${applicationId}`);
  }).immediate();
}

const missing = (db: Database): readonly Migration[] =>
  missingMigrations(migrations, db.query('SELECT version, checksum FROM migrations').all() as AppliedMigration[]);

function connectionOver(db: Database): Connection {
  const statements: Statement[] = [];
  const prepare = <Row, Params extends SQLQueryBindings[] = []>(sql: string): Prepared<Row, Params> => {
    const statement = db.prepare(sql);
    statements.push(statement);
    return statement as Prepared<Row, Params>;
  };
  const [begin, commit, rollBack] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map(sql => prepare(sql)) as [
    Prepared<unknown, []>,
    Prepared<unknown, []>,
    Prepared<unknown, []>,
  ];
  return {
    prepare,
    once(sql, params) {
      const statement = db.prepare(sql);
      try {
        return statement.all(...params);
      } finally {
        statement.finalize();
      }
    },
    write(action) {
      begin.run();
      try {
        const result = action();
        commit.run();
        return result;
      } catch (error) {
        if (db.inTransaction) rollBack.run();
        throw error;
      }
    },
    close() {
      for (const statement of statements) statement.finalize();
      db.close();
    },
  };
}

function pragma(db: Database, name: string): number {
  return Object.values(db.query(`PRAGMA ${name}`).get() as Record<string, number>)[0] ?? 0;
}

/** The switch to WAL does not honour busy_timeout. */
function whileBusy(action: () => void): void {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      action();
      return;
    } catch (error) {
      if (!(isBusy(error) && performance.now() < until)) throw error;
      Bun.sleepSync(5);
    }
  }
}

export const isBusy = (error: unknown): boolean =>
  error instanceof SQLiteError && (error.code?.startsWith('SQLITE_BUSY') ?? false);

const fullCodes = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT']);
const deniedCodes = /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES|EROFS|EPERM)/;

/** The one place that looks at a driver's error. Nothing was done: SQLite takes back what it could not commit. */
export function toPipelineError(error: unknown, path: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const told = (kind: 'store_unavailable' | 'store_halted', words: string): PipelineError =>
    new PipelineError(kind, words, { cause: error });
  if (fullCodes.has(code))
    return told('store_unavailable', `There is no room for the content store ${path}: make some on its volume`);
  if (isBusy(error))
    return told('store_unavailable', `The content store ${path} is held by another process for longer than usual`);
  if (deniedCodes.test(code))
    return told('store_unavailable', `The content store ${path} cannot be written: let this user write it (${code})`);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code))
    return told('store_halted', `The content store ${path} is damaged: restore a copy of it (${messageOf(error)})`);
  return told('store_unavailable', `The content store ${path}: ${messageOf(error)}${code && ` (${code})`}`);
}
