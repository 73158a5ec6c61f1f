// What can still be saved when the buffer's files were removed, replaced or cut short while open: as long as the
// connection lives, what was removed can be read through it.
//
//   the file is in its place       the write-ahead log is moved into it; what a cut log has lost is lost
//   nothing is in its place        a copy of all that was in it takes the place, and the next start goes on with it
//   another file is in its place   the copy stays beside it under a name of its own

import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../../errors.ts';
import type { Connection } from '../log/connection.ts';
import type { LostFile } from '../log/file-watch.ts';

/** Nothing may be written through the connection afterwards. */
export function rescue(connection: Connection, path: string, lost: LostFile): void {
  const { complain } = connection;
  const reason = lost.message;
  // Closing it would delete whatever lies under the log's name now.
  connection.keepLog();
  try {
    if (!lost.isLogWhole) {
      complain('the buffer has lost its latest events: nothing can be saved of what was cut off', { reason });
    } else if (lost.isFileHere) {
      connection.one('PRAGMA wal_checkpoint(TRUNCATE)');
      complain('the buffer was saved: everything acked is in its file', { reason, path });
    } else {
      const place = putBack(copyOf(connection, path), path);
      complain('the buffer was saved: everything acked is in a copy of its file', {
        reason,
        copy: place,
        ...(place !== path && {
          hint: 'its events flow when it lies as buffer.sqlite in the data folder of an instance',
        }),
      });
    }
  } catch (error) {
    complain('the buffer could not be saved', { damage: reason, reason: messageOf(error) });
  }
}

function copyOf(connection: Connection, path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  const copy = `${path}.rescued-${new Date().toISOString().replaceAll(':', '')}-${process.pid}`;
  connection.run(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
  syncAt(copy);
  return copy;
}

/** Where it lies then. Never in the place of a file that another process has put there. */
function putBack(copy: string, path: string): string {
  // The log and its index of the file that is gone: beside the copy they would be taken for its own.
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(path + suffix) && !existsSync(path)) renameSync(path + suffix, copy + suffix.replace('-', '.old-'));
  try {
    linkSync(copy, path);
  } catch {
    return copy;
  }
  unlinkSync(copy);
  syncAt(dirname(path));
  return path;
}

function syncAt(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
