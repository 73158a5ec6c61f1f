// The edge's Log as a list: remembers what was published, fails when told to.

import type { PipelineError } from '../../src/errors.ts';
import type { Envelope, Log, Outcome, Stored } from '../../src/ports/log.ts';

export interface MemoryLog extends Log {
  readonly published: readonly Envelope[];
  /** What becomes of an envelope, until told otherwise; null = it is stored. */
  fail(why: (envelope: Envelope) => PipelineError | null): void;
  /** Publishes that have not been answered. */
  waiting(): number;
  /** Publishes wait until the function returned is called. */
  hold(): () => void;
}

export function memoryLog(stored: Stored = 'disk'): MemoryLog {
  const published: Envelope[] = [];
  let failure: (envelope: Envelope) => PipelineError | null = () => null;
  let held: Promise<void> | null = null;
  let waiting = 0;
  return {
    published,
    publish: async envelopes => {
      waiting++;
      await held;
      waiting--;
      return envelopes.map((envelope): Outcome => {
        const error = failure(envelope);
        if (error !== null) return { ok: false, error };
        published.push(envelope);
        return { ok: true, stored };
      });
    },
    close: async () => {},
    waiting: () => waiting,
    fail: why => {
      failure = why;
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = null;
        resolve();
      };
    },
  };
}
