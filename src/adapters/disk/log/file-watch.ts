// Whether the files we write are still those that are found under their names. The kernel lets us write for ever into a
// file that was removed, replaced or moved, and into a log that was cut short: all of it would be lost with the process,
// so nothing is acked before both files have been looked at, once before and once after it was written.
//
// The file is no shorter than it was when last looked at, unless we or another process have given pages back since; the
// log is no shorter than what SQLite says is in it.

import { statSync } from 'node:fs';
import type { Connection } from './connection.ts';
import { pageBytes } from './file.ts';

/** The files are not what they were. Nothing may be written any more. */
export class LostFile extends Error {
  /** The write-ahead log is whole, as far as we have it open: what is in it can be saved. */
  readonly isLogWhole: boolean;
  /** Our file is the one that is found under its name. */
  readonly isFileHere: boolean;

  constructor(message: string, { isLogWhole = true, isFileHere = true } = {}) {
    super(message);
    this.isLogWhole = isLogWhole;
    this.isFileHere = isFileHere;
  }
}

export interface FileWatch {
  /** Throws LostFile. About 20 µs. */
  check(): void;
  /** The same, cheaper while nothing has changed: what other processes have done since is not asked for. */
  checkBefore(): void;
  /** Pages were given back: the file may be cut to so many. */
  shrunk(): void;
}

const walHeaderBytes = 32;
const frameBytes = 24 + pageBytes;
/** Another process may cut either file between two looks, and says so in its counters. */
const looks = 3;

export function watchFiles({ prepare }: Pick<Connection, 'prepare'>, path: string): FileWatch {
  const log = `${path}-wal`;
  const dataVersion = prepare<{ data_version: number }>('PRAGMA data_version');
  const pageCount = prepare<{ page_count: number }>('PRAGMA page_count');
  const walLength = prepare<{ log: number }>('PRAGMA wal_checkpoint(NOOP)');
  let version = dataVersion.get()!.data_version;
  const pagesBytes = (): number => pageCount.get()!.page_count * pageBytes; // the first look: SQLite opens its log
  let bytesMin = Math.min(pagesBytes(), statSync(path).size);
  const files = { [path]: idOf(path), [log]: idOf(log) };

  /** In words, null when all is well. */
  const fault = (): LostFile | null => {
    const now = dataVersion.get()!.data_version;
    if (now !== version) bytesMin = 0;
    version = now;
    const logBytesMin = lengthOf(walLength.get()!.log);
    const [file, ofLog] = [find(path), find(log)];
    if (typeof file === 'string') return new LostFile(`${path} was ${file} while open`, { isFileHere: false });
    if (typeof ofLog === 'string') return new LostFile(`${log} was ${ofLog} while open`);
    if (ofLog.size < logBytesMin) return new LostFile(`${log} was cut short while open`, { isLogWhole: false });
    if (file.size < bytesMin) return new LostFile(`${path} was cut short while open`);
    bytesMin = Math.min(file.size, pagesBytes());
    return null;
  };

  function isAsBefore(): boolean {
    const logBytesMin = lengthOf(walLength.get()!.log);
    const [file, ofLog] = [find(path), find(log)];
    if (typeof file === 'string' || typeof ofLog === 'string') return false;
    return file.size >= bytesMin && ofLog.size >= logBytesMin;
  }

  function find(name: string): Found | 'removed' | 'replaced' {
    const found = statOf(name);
    if (found === null) return 'removed';
    files[name] ??= found.id; // a log is there from the first write on
    return found.id === files[name] ? found : 'replaced';
  }

  function check(): void {
    for (let look = 1; ; look++) {
      const lost = fault();
      if (lost === null) return;
      if (look === looks) throw lost;
    }
  }

  return {
    check,
    checkBefore() {
      if (!isAsBefore()) check();
    },
    shrunk() {
      bytesMin = Math.min(bytesMin, pagesBytes());
    },
  };
}

/**
 * `onDurable` is told of each fsynced transaction. Nothing is written before the files have been looked at, and nothing
 * fsynced counts before that was done again, in full.
 */
export const watchedBy = (connection: Connection, files: FileWatch, onDurable: () => void): Connection => ({
  ...connection,
  write(durability, action) {
    files.checkBefore();
    const result = connection.write(durability, action);
    if (durability === 'fsynced') {
      onDurable();
      files.check();
    }
    return result;
  },
});

interface Found {
  readonly id: string;
  readonly size: number;
}

/** Null when there is no such file. */
function statOf(name: string): Found | null {
  try {
    const { dev, ino, size } = statSync(name);
    return { id: `${dev}:${ino}`, size };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

const idOf = (name: string): string | null => statOf(name)?.id ?? null;

const lengthOf = (frames: number): number => (frames === 0 ? 0 : walHeaderBytes + frames * frameBytes);
