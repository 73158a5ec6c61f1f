// Entries of this process's own that wait for the log: offered to it together, one time after the other, and again under
// the same ids when it does not take them, so that none counts twice. What waits is bounded; nobody waits for it.

import type { Envelope, Log } from '../ports/log.ts';

export interface WrittenLater {
  /** False: too many wait, it is dropped. */
  add(entry: Envelope): boolean;
  /** Resolves once all that waits now has been offered. Never rejects. */
  write(): Promise<void>;
  readonly waiting: number;
}

export function writtenLater(log: Pick<Log, 'publish'>, waitingMax: number): WrittenLater {
  let waiting: Envelope[] = [];
  let writing: Promise<void> = Promise.resolve();

  async function writeOnce(): Promise<void> {
    const entries = waiting;
    if (entries.length === 0) return;
    waiting = [];
    const outcomes = await log.publish(entries);
    waiting = [...entries.filter((_, at) => !outcomes[at]?.ok), ...waiting];
  }

  return {
    add(entry) {
      if (waiting.length >= waitingMax) return false;
      waiting.push(entry);
      return true;
    },
    write() {
      writing = writing.then(writeOnce);
      return writing;
    },
    get waiting() {
      return waiting.length;
    },
  };
}
