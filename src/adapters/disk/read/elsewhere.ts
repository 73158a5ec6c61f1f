// Whether another process may have written to the buffer's file: by the size and time of its write-ahead log, which every
// transaction is written to, so that waiting costs a look at a file and not a question to the worker.
//
// A file system tells times in steps of some milliseconds: a write within the step of the last look would show no other
// time. So a time that was still young when it was looked at says nothing, and a whole look is due now and then besides.
//
// While there is something going on the file is looked at every 20 ms; at rest the kernel tells of changes in its folder,
// and the looks between are for file systems that do not.

import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface Elsewhere {
  /** The file is about to be read: what has been written until now will be seen. */
  note(): void;
  /** There may be something that was not there then. */
  mayHaveWritten(): boolean;
  /** Calls back, once or more often, when there may be; until what it gives back is called. */
  wait(then: () => void): () => void;
  close(): void;
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
const lookEveryMs = 20;
/** Without a change for so long it is at rest. */
const restMs = 2_000;

export interface ElsewhereOptions {
  readonly now?: () => number;
  readonly lookAtRestEveryMs?: number;
}

export function elsewhereOf(
  path: string,
  { now = Date.now, lookAtRestEveryMs = 250 }: ElsewhereOptions = {},
): Elsewhere {
  const log = `${path}-wal`;
  const name = basename(log);
  let last: Look = { mark: '', isYoung: true, atMs: Number.NEGATIVE_INFINITY };
  let changedAtMs = now();
  let watcher: FSWatcher | null = null;
  let onChange = (): void => {};

  const look = (): Look => {
    const current = stateOf(log, now());
    if (current.mark === last.mark) return current;
    changedAtMs = current.atMs;
    unwatch();
    return current;
  };

  function mayHaveWritten(): boolean {
    const current = look();
    return last.isYoung || current.mark !== last.mark || current.atMs - last.atMs > wholeLookEveryMs;
  }

  /** Not while there is something going on: of each write of this process it would be told, too. */
  function watchAtRest(): void {
    if (watcher !== null || now() - changedAtMs < restMs) return;
    try {
      watcher = watch(dirname(log), { persistent: false }, (_, changed) => {
        if (changed === null || String(changed) === name) onChange();
      });
      watcher.on('error', unwatch);
    } catch {
      changedAtMs = now(); // there are only so many watchers: it is tried again after a while
    }
  }

  function unwatch(): void {
    watcher?.close();
    watcher = null;
  }

  return {
    note() {
      last = look();
    },
    mayHaveWritten,
    wait(then) {
      // What was written before the watcher was there it does not tell of: it counts from the next time on.
      const everyMs = watcher === null ? lookEveryMs : lookAtRestEveryMs;
      watchAtRest();
      onChange = () => {
        if (mayHaveWritten()) then();
      };
      const looking = setInterval(onChange, everyMs);
      return () => {
        clearInterval(looking);
        onChange = () => {};
      };
    },
    close: unwatch,
  };
}

function stateOf(log: string, atMs: number): Look {
  try {
    const { ino, size, mtimeNs } = statSync(log, { bigint: true });
    return { mark: `${ino} ${size} ${mtimeNs}`, isYoung: atMs - Number(mtimeNs / 1_000_000n) < youngMs, atMs };
  } catch {
    return { mark: 'none', isYoung: false, atMs }; // it is made with the first write
  }
}
