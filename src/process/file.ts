// Small files of settings and state: told apart from what they were before, replaced as a whole, read again when they change.

import {
  chownSync,
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Logger } from './telemetry.ts';

/** Changes when the file does, as far as the file system tells. Of a link, the file at its end: what Kubernetes mounts is one. */
export function stampOfFile(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}

export interface ReplaceOptions {
  /** For its owner alone unless told otherwise. */
  readonly mode?: number;
  /** The disk is waited for, which can take long: what it says is so after a power cut, too. */
  readonly isSynced?: boolean;
}

/** Whoever reads it sees the old or the new one. */
export function replaceFile(path: string, text: string, { mode = 0o600, isSynced = true }: ReplaceOptions = {}): void {
  const fresh = `${path}.${process.pid}.new`;
  const file = openSync(fresh, 'w', mode);
  try {
    writeSync(file, text);
    if (isSynced) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}

export interface GrowingFile {
  write(text: string): void;
  /** It is whole: it is put into its place, and survives a power cut. */
  end(): void;
  /** Nothing of it is left. After `end` nothing is done. */
  discard(): void;
}

/** Whoever reads it sees the old or the new one, for which there need be no room in memory. For its owner alone. */
export function growingFile(path: string): GrowingFile {
  const fresh = `${path}.${process.pid}.new`;
  const file = openSync(fresh, 'w', 0o600);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(file);
    isOpen = false;
  };
  return {
    write(text) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    },
    end() {
      fsyncSync(file);
      close();
      renameSync(fresh, path);
    },
    discard() {
      if (!isOpen) return;
      close();
      unlinkSync(fresh);
    },
  };
}

/**
 * One line more, in one write, so that lines of several processes do not mix; on the disk when it returns. A file that has
 * reached `bytesMax` is put aside before, as `<path>.<time>`. For its owner alone, who is that of the folder where root writes.
 */
export function appendLine(path: string, line: string, bytesMax: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  putAside(path, bytesMax);
  const isNew = stampOfFile(path) === 'none';
  const file = openSync(path, 'a', 0o600);
  try {
    const folder = statSync(dirname(path));
    if (isNew && process.getuid?.() === 0 && folder.uid !== 0) chownSync(path, folder.uid, folder.gid);
    const bytes = Buffer.from(`${line}\n`);
    const written = writeSync(file, bytes);
    if (written < bytes.length) {
      writeSync(file, '\n'); // what follows is a line again
      throw new Error(`only ${written} of ${bytes.length} bytes could be written`);
    }
    if (fstatSync(file).isFile()) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function putAside(path: string, bytesMax: number): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined || !there.isFile() || there.size < bytesMax) return;
  const asideName = `${path}.${new Date().toISOString().replaceAll(':', '-')}`;
  try {
    renameSync(path, asideName);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // another command has just done it
  }
}

/** One change at a time, of all processes. Throws in words while another has it. */
export function changing<T>(path: string, change: () => T): T {
  const lock = `${path}.lock`;
  let held: number;
  try {
    held = openSync(lock, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${path} is being changed by another command; if none is, remove ${lock}`, { cause: error });
  }
  try {
    writeSync(held, `${process.pid}\n`);
    return change();
  } finally {
    closeSync(held);
    unlinkSync(lock);
  }
}

export interface LiveFile<T> {
  /** What it said when it was last right. */
  readonly value: T;
  /** Why the file as it is now does not count; null = it does. */
  problem(): string | null;
  /** Looks at once. */
  look(): void;
  close(): void;
}

export interface LiveFileOptions<T> {
  readonly path: string;
  /** Throws an Error in words when the file is wrong. A file that is not there may well be right. */
  readonly read: (path: string) => T;
  /** In words that follow "the": `API keys`. */
  readonly what: string;
  readonly logger: Logger;
  readonly onChange?: (value: T) => void;
}

const lookEveryMs = 500;

/**
 * Looked at twice a second, so that a change counts within one; a file that has become wrong changes nothing, and is said.
 * Throws when it is wrong from the start.
 */
export function liveFile<T>({ path, read, what, logger, onChange }: LiveFileOptions<T>): LiveFile<T> {
  let stamp = stampOfFile(path);
  let value = read(path);
  let wrong: string | null = null;
  const looking = setInterval(look, lookEveryMs);
  looking.unref();

  function look(): void {
    const current = stampOfFile(path);
    if (current === stamp) return;
    stamp = current;
    try {
      value = read(path);
      wrong = null;
      onChange?.(value);
      logger.info({ path }, `the ${what} were read again`);
    } catch (error) {
      wrong = messageOf(error);
      logger.error({ path, reason: wrong }, `the file of ${what} is wrong: those of before still count`);
    }
  }

  return {
    get value() {
      return value;
    },
    problem: () => wrong,
    look,
    close: () => clearInterval(looking),
  };
}
