// How often all tables together are inserted into. An insert costs the engine some milliseconds and a part, however few
// rows it has, so many tables in use must not mean many inserts: they take turns, in the order in which they have rows to
// insert. Few tables never wait for a turn; of many each waits a round, and what it gets meanwhile goes with it.

import { sleep, untilAborted } from '../process/sleep.ts';
import { spacingOf } from '../process/spacing.ts';

export interface Pace {
  /** Resolves when it is the caller's turn, or when `signal` aborts: then the turn is the next one's. */
  turn(signal: AbortSignal): Promise<void>;
}

/** Turns are `intervalMs` apart; at rest so many of them gather, at most, and may be taken at once. */
export function paceOf({ intervalMs, sparesMax }: { readonly intervalMs: number; readonly sparesMax: number }): Pace {
  const spacing = spacingOf(sparesMax * intervalMs);
  let last = Promise.resolve();

  async function take(signal: AbortSignal): Promise<void> {
    await sleep(spacing.freeAt() - performance.now(), signal);
    if (!signal.aborted) spacing.take(performance.now(), intervalMs);
  }

  return {
    turn: signal => {
      last = last.then(() => take(signal));
      return Promise.race([last, untilAborted(signal)]);
    },
  };
}
