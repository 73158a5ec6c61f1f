// The buffer's file: opened, checked, and told apart from another program's. A file that is not a database any more is
// moved aside, loudly, and a fresh one takes its place: nothing is deleted, and events can be taken again.
//
// A fresh file numbers its records from the clock in microseconds. Positions tell dead letters apart, and how far
// each reader is, so a file that replaces a lost one must never give out a position the lost one gave.

import { Database, SQLiteError } from 'bun:sqlite';
import { existsSync, linkSync, mkdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PipelineError } from '../../../errors.ts';

/** 'ugcb' */
export const applicationId = 0x75676362;
const formatVersion = 1;
/** Measured: 4 and 8 KiB cost twice the CPU on groups of 1 000 events, 64 KiB twice on single events. */
export const pageBytes = 16_384;
export const busyTimeoutMs = 10_000;

/** Level error, unless it is less: a strange thing that costs nothing, or something that is well again. */
export type Complain = (message: string, fields: Readonly<Record<string, unknown>>, level?: Level) => void;
export type Level = 'error' | 'warn' | 'info';

/** Rejects with `config_invalid` for a file that is not ours, `buffer_failed` when it cannot be opened. */
export function openFile(path: string, complain: Complain): Database {
  let seen: number | null = null;
  let log: string | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true });
    log = beginAnew(path, complain);
    const isEmpty = sizeOf(path) === 0;
    seen = inodeOf(path);
    const db = openChecked(path);
    if (log !== null) unlinkSync(log);
    if (isEmpty) complain('the buffer file was there without a byte: taken as new', { path }, 'warn');
    return db;
  } catch (error) {
    if (!isMalformed(error)) throw unopened(error, path);
    // Another process may have replaced it a moment ago: then the new file is fine and stays.
    const aside = inodeOf(path) === seen ? moveAside(path) : null;
    complain('the buffer file is malformed: moved aside, starting with an empty one', {
      path,
      aside,
      ...(log !== null && { write_ahead_log: log }),
      reason: messageOf(error),
    });
  }
  try {
    return openChecked(path);
  } catch (error) {
    throw unopened(error, path);
  }
}

/**
 * A file without a byte is taken as new, as SQLite does; but that deletes a write-ahead log that lies beside it, and one
 * that lies there alone. An empty page in front makes SQLite read it: all of a log that has not been moved yet is saved.
 * Gives back a second name of that log, should it be of no use without its file.
 */
function beginAnew(path: string, complain: Complain): string | null {
  const logBytes = sizeOf(`${path}-wal`) ?? 0; // looked at first: another process makes it after the file
  const bytes = sizeOf(path);
  if (bytes === null ? logBytes === 0 : bytes > 0) return null;
  if (logBytes === 0) return null;
  complain('the buffer file is gone, its write-ahead log is not: what is in the log is saved', {
    path,
    log_bytes: logBytes,
  });
  const second = `${path}.log-${stamp()}`;
  linkSync(`${path}-wal`, second);
  try {
    writeFileSync(path, new Uint8Array(pageBytes));
    return second;
  } catch (error) {
    unlinkSync(second); // no room: it is tried again
    throw error;
  }
}

const stamp = (): string => new Date().toISOString().replaceAll(':', '');

/** Null when there is no such file. */
export const sizeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;

/** Read by the operator who starts ugc: it says what to do. */
function unopened(error: unknown, path: string): PipelineError {
  const known = toPipelineError(error);
  if (known.code !== 'buffer_full') return known;
  const words = `there is no room for the disk buffer ${path}: make some on its volume, or choose another (UGC_DATA_DIR)`;
  return new PipelineError('buffer_full', words, { cause: error });
}

function openChecked(path: string): Database {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    db.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    whileBusy(() => checkOwner(db, path));
    whileBusy(() => settle(db));
    whileBusy(() => db.transaction(() => createTables(db)).immediate());
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function checkOwner(db: Database, path: string): void {
  const id = pragma(db, 'application_id');
  const tables = db.query('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
  if (id !== applicationId && (id !== 0 || tables.n > 0))
    throw new PipelineError(
      'config_invalid',
      `${path} belongs to another program; choose another place for the buffer`,
    );
  const version = pragma(db, 'user_version');
  if (version > formatVersion)
    throw new PipelineError(
      'config_invalid',
      `${path} was written by a newer ugc (format ${version}, this one reads ${formatVersion}); start that one`,
    );
}

/** Page size and auto_vacuum take effect only while the file is still empty, and before WAL. */
export function settle(db: Database): void {
  db.run(`PRAGMA page_size = ${pageBytes}`);
  db.run('PRAGMA auto_vacuum = INCREMENTAL');
  db.run('PRAGMA journal_mode = WAL');
  db.run('PRAGMA synchronous = FULL');
  // The store checkpoints by itself, after it has answered.
  db.run('PRAGMA wal_autocheckpoint = 0');
  db.run(`PRAGMA journal_size_limit = ${8 * 2 ** 20}`);
  db.run('PRAGMA cache_size = -8000');
  db.run('PRAGMA cell_size_check = ON');
  db.run('PRAGMA trusted_schema = OFF');
}

const tables: Readonly<Record<string, string>> = {
  runs: `CREATE TABLE runs (
    seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, type TEXT NOT NULL, count INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL, head_sum INTEGER NOT NULL, body_sum INTEGER NOT NULL,
    sums BLOB NOT NULL, keys TEXT NOT NULL, ndjson BLOB NOT NULL)`,
  // Topic '' is the registration itself; a topic without a row is one the reader has passed nothing of.
  readers: `CREATE TABLE readers (
    reader TEXT NOT NULL, topic TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (reader, topic)) WITHOUT ROWID`,
  state: 'CREATE TABLE state (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, events INTEGER NOT NULL)',
  // `line` counts the lines of the row as found; `records` is how many of its records this entry stands for.
  quarantine: `CREATE TABLE quarantine (
    topic TEXT NOT NULL, seq INTEGER NOT NULL, line INTEGER NOT NULL, type TEXT NOT NULL, records INTEGER NOT NULL,
    reason TEXT NOT NULL, at_ms INTEGER NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (topic, seq, line))`,
};

/** Also what a table beyond repair is replaced with; index names are not used again in one file. */
export const createRuns = (index: string): readonly string[] => [tables.runs!, `CREATE INDEX ${index} ON runs (topic)`];

/** What SQLite itself has not noticed. */
class Malformed extends Error {}

function createTables(db: Database): void {
  if (pragma(db, 'application_id') === applicationId) {
    checkTables(db);
    return;
  }
  for (const sql of [...createRuns('runs_by_topic'), tables.readers!, tables.state!, tables.quarantine!]) db.run(sql);
  db.run(`INSERT INTO state VALUES (1, ${Date.now() * 1000}, 0)`);
  db.run(`PRAGMA user_version = ${formatVersion}`);
  db.run(`PRAGMA application_id = ${applicationId}`);
}

export function checkTables(db: Database): void {
  checkDefinitions(db);
  if (db.query('SELECT last FROM state').get() === null) throw new Malformed('its state is missing');
  // Without these two nothing works; damage in the runs is met row by row.
  for (const table of ['readers', 'quarantine']) db.query(`SELECT count(*) FROM ${table}`).get();
}

/** They lie in the file as text, and a flipped bit there makes other columns of ours. */
export function checkDefinitions(db: Database): void {
  const found = db.query("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").all() as Record<string, string>[];
  for (const [name, sql] of Object.entries(tables))
    if (found.find(table => table.name === name)?.sql !== sql) throw new Malformed(`the table ${name} is not ours`);
}

function moveAside(path: string): string {
  const aside = `${path}.corrupt-${stamp()}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

/** Null when there is no such file. */
export const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null;

export function pragma(db: Database, name: string): number {
  return Object.values(db.query(`PRAGMA ${name}`).get() as Record<string, number>)[0]!;
}

/** Two processes may create the file at the same moment; the switch to WAL does not honour busy_timeout. */
function whileBusy(action: () => void): void {
  const until = Date.now() + busyTimeoutMs;
  for (;;) {
    try {
      action();
      return;
    } catch (error) {
      if (!(error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY') && Date.now() < until)) throw error;
      Bun.sleepSync(5);
    }
  }
}

const isMalformed = (error: unknown): boolean =>
  isCorrupt(error) || (error instanceof SQLiteError && error.code === 'SQLITE_NOTADB');

export const isCorrupt = (error: unknown): boolean =>
  error instanceof Malformed || (error instanceof SQLiteError && (error.code?.startsWith('SQLITE_CORRUPT') ?? false));

/** A statement that has found nothing to change where there must be something. */
export function assertChanged({ changes }: { readonly changes: number }): void {
  if (changes === 0) throw new Malformed('a row of the buffer that must be there is not');
}

/** Two ways to ask the index the same. */
export function assertSame(one: string, other: string | null | undefined): void {
  if (one !== other) throw new Malformed('the index of the buffer contradicts itself');
}

/** A damaged index may give keys out of order, for ever. */
export function assertAscending<T extends string | number>(keys: readonly T[], after: T): void {
  let previous = after;
  for (const key of keys) {
    if (key <= previous) throw new Malformed('the index of the buffer is out of order');
    previous = key;
  }
}

/** Of SQLite and of the system: no room, or none for us. */
const fullCodes = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT']);

/** The one place that looks at a driver's error. */
export function toPipelineError(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  if (fullCodes.has((error as { code?: string } | null)?.code ?? ''))
    return new PipelineError('buffer_full', 'The disk of the buffer is full', { cause: error });
  const code = error instanceof SQLiteError ? ` (${error.code})` : '';
  return new PipelineError('buffer_failed', `The buffer file: ${messageOf(error)}${code}`, { cause: error });
}

/**
 * It may pass by itself: a full disk, or one that gives errors for reads and writes just now, as a network's does. Known
 * by its words, which are all that crosses from the worker.
 */
export const mayPass = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && (error.code === 'buffer_full' || /\(SQLITE_IOERR/.test(error.message));

/** Null when it throws: of what is tried on a damaged file. */
export function orNull<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
