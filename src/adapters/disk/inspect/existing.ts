// A buffer file that is there already, opened for an operator: nothing is created, moved aside or repaired.
//
// A stopped instance leaves no write-ahead log behind, and SQLite wants to make one even to read. In a folder that cannot
// be written the file is then read as one that no process changes, which is true as long as no log is there.

import { constants, Database, SQLiteError } from 'bun:sqlite';
import { pathToFileURL } from 'node:url';
import { PipelineError } from '../../../errors.ts';
import {
  applicationId,
  busyTimeoutMs,
  checkDefinitions,
  checkOwner,
  checkTables,
  isCorrupt,
  pragma,
  settle,
  sizeOf,
  toPipelineError,
} from '../log/file.ts';

/**
 * Rejects with `config_invalid` when there is no buffer at that place or not one of ours, `buffer_failed` for the rest.
 */
export function openExisting(path: string, mode: 'read' | 'write'): Database {
  if (sizeOf(path) === null)
    throw new PipelineError(
      'config_invalid',
      `there is no buffer in ${path}; is --data-dir (UGC_DATA_DIR) the server's?`,
    );
  try {
    if (mode === 'write') return check(new Database(path, { create: false, readwrite: true }), path, forWriting);
    return openReading(path);
  } catch (error) {
    if (error instanceof SQLiteError && error.code === 'SQLITE_NOTADB')
      throw new PipelineError('config_invalid', `${path} is not a buffer: it is no SQLite database (any more)`);
    throw toPipelineError(error);
  }
}

/** No log can be made: the volume is read-only, or the folder is not ours to write to. */
const noLogCodes = new Set(['SQLITE_CANTOPEN', 'SQLITE_READONLY_DIRECTORY']);

function openReading(path: string): Database {
  try {
    return check(new Database(path, { readonly: true }), path, checkDefinitions);
  } catch (error) {
    if (!(error instanceof SQLiteError && noLogCodes.has(error.code ?? ''))) throw error;
    if ((sizeOf(`${path}-wal`) ?? 0) > 0)
      throw new PipelineError(
        'buffer_failed',
        `${path} cannot be read where it is: its instance was killed, the last events are in ${path}-wal, and reading ` +
          'that needs a folder that can be written. Copy the two files elsewhere and name that folder as --data-dir',
        { cause: error },
      );
    const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
    return check(new Database(`${pathToFileURL(path).href}?immutable=1`, flags), path, checkDefinitions);
  }
}

/** To read, other tables may be damaged: what lies in the rest can be saved. */
const forWriting = (db: Database): void => {
  settle(db);
  checkTables(db);
};

/** Closed again when it is not what it should be. */
function check(db: Database, path: string, prepare: (db: Database) => void): Database {
  try {
    db.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    checkOwner(db, path);
    if (pragma(db, 'application_id') !== applicationId)
      throw new PipelineError('config_invalid', `${path} is empty: no instance has ever used it`);
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Whether another process has the file open; SQLite's own locks say so. Asked before it is opened here. Nobody notices
 * being asked: an append needs none of the locks tried for.
 */
export function isOpenElsewhere(path: string): boolean {
  let db: Database | null = null;
  try {
    db = new Database(path, { create: false, readwrite: true });
    db.run('PRAGMA busy_timeout = 0');
    db.run('PRAGMA locking_mode = EXCLUSIVE');
    db.query('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY')) return true;
    if (isCorrupt(error)) return false;
    throw toPipelineError(error);
  } finally {
    db?.close();
  }
}
