// One of all processes has the outbox: who holds the lock of a file beside the store's. The system lets go of it when the
// process ends, however it does. A token in the store itself is what is looked at when events are taken out.

import { Database } from 'bun:sqlite';
import { sleep } from '../../process/sleep.ts';
import { isBusy } from './file.ts';

export interface HeldLead {
  release(): void;
}

const tryEveryMs = 200;

/** Null at the abort. Rejects when there can be no such file. */
export async function holdLead(path: string, signal: AbortSignal): Promise<HeldLead | null> {
  while (!signal.aborted) {
    const held = tryLead(`${path}-lead`);
    if (held !== null) return held;
    await sleep(tryEveryMs, signal);
  }
  return null;
}

function tryLead(path: string): HeldLead | null {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    db.run('PRAGMA busy_timeout = 0');
    db.run('BEGIN EXCLUSIVE');
    return { release: () => db.close() };
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
}
