// Whether another process may have written to the buffer's file: by the size and time of its write-ahead log, which every
// transaction is written to, so that waiting costs a look at a file and not a question to the worker.
//
// A file system tells times in steps of some milliseconds: a write within the step of the last look would show no other
// time. So a time that was still young when it was looked at says nothing, and a whole look is due now and then besides.

import { statSync } from 'node:fs';

export interface Elsewhere {
  /** The file is about to be read: what has been written until now will be seen. */
  note(): void;
  /** There may be something that was not there then. */
  mayHaveWritten(): boolean;
}

interface Look {
  readonly mark: string;
  /** The log had been written to so shortly before that the next write may show the same time. */
  readonly isYoung: boolean;
  readonly atMs: number;
}

/** Longer than the steps of any file system's clock. */
const youngMs = 50;
/** Whatever the file says. */
const wholeLookEveryMs = 1_000;

export function elsewhereOf(path: string, now: () => number = Date.now): Elsewhere {
  const log = `${path}-wal`;
  let last: Look = { mark: '', isYoung: true, atMs: Number.NEGATIVE_INFINITY };

  const look = (): Look => {
    const atMs = now();
    try {
      const { ino, size, mtimeNs } = statSync(log, { bigint: true });
      return { mark: `${ino} ${size} ${mtimeNs}`, isYoung: atMs - Number(mtimeNs / 1_000_000n) < youngMs, atMs };
    } catch {
      return { mark: 'none', isYoung: false, atMs }; // it is made with the first write
    }
  };

  return {
    note() {
      last = look();
    },
    mayHaveWritten() {
      const current = look();
      return last.isYoung || current.mark !== last.mark || current.atMs - last.atMs > wholeLookEveryMs;
    },
  };
}
