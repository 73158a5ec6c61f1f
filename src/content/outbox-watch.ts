// How much waits in the outbox of the content store, and for how long: whoever publishes it, every process can tell.

import type { ContentStore } from '../ports/content.ts';
import { sleep } from '../process/sleep.ts';

export interface OutboxWatchOptions {
  readonly store: Pick<ContentStore, 'outbox'>;
  readonly metrics: { waiting(events: number, oldestMs: number): void };
  readonly lateMs?: number;
  readonly everyMs?: number;
}

export interface OutboxWatch {
  /** In words that events wait for long; null = none does, or it is not known. */
  late(): string | null;
  /** Looks now. Never rejects. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export function watchOutbox(options: OutboxWatchOptions): OutboxWatch {
  const { store, metrics, lateMs = 60_000, everyMs = 10_000 } = options;
  const stopping = new AbortController();
  let late: string | null = null;

  async function look(): Promise<void> {
    try {
      const { events, oldestAtMs } = await store.outbox();
      const oldestMs = oldestAtMs === null ? 0 : Math.max(0, Date.now() - oldestAtMs);
      metrics.waiting(events, oldestMs);
      late =
        oldestMs > lateMs
          ? `${events} events of content wait to be published, the oldest for ${Math.round(oldestMs / 1000)} s`
          : null;
    } catch {
      late = null; // a store that cannot be asked says so itself
    }
  }

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(everyMs, stopping.signal);
    }
  })();
  return {
    late: () => late,
    look,
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}
