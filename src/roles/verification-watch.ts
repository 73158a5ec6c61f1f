// What the last `ugc archive verify` found, as the archiver tells of it: by metrics, and in readiness where it found damage.

import { lastVerification, type Verification } from '../archive/verified.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface VerificationWatch {
  /** In words, or null: it was whole, or nobody has looked. */
  problem(): string | null;
  scrape(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface VerificationWatchOptions {
  readonly store: ColdStore;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'archiveVerifiedAt' | 'archiveVerifiedDay' | 'archiveVerifiedWhole'>;
  readonly everyMs?: number;
}

export function watchVerification({
  store,
  logger,
  metrics,
  everyMs = 10_000,
}: VerificationWatchOptions): VerificationWatch {
  const ending = new AbortController();
  let last: Verification | null = null;
  const looking = look();

  async function look(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        last = await lastVerification(store);
      } catch (error) {
        logger.debug({ err: error }, 'what was verified is not known now'); // that the store is away is told by the archive
      }
      await sleep(everyMs, ending.signal);
    }
  }

  return {
    problem() {
      if (last === null || last.closes) return null;
      const [first = 'a day differs from the tables'] = last.problems;
      return `ugc archive verify found it not whole at ${last.at}: ${first}; mend it and run that again`;
    },
    scrape() {
      if (last === null) return;
      metrics.archiveVerifiedAt.set(Date.parse(last.at) / 1_000);
      metrics.archiveVerifiedWhole.set(last.closes ? 1 : 0);
      if (last.wholeTo === null) metrics.archiveVerifiedDay.remove();
      else metrics.archiveVerifiedDay.set(Date.parse(last.wholeTo) / 1_000);
    },
    stop: () => {
      ending.abort();
      return looking;
    },
  };
}
