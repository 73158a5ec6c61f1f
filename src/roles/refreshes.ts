// Whether the aggregates are kept fresh. ClickHouse computes them by itself, and when it cannot, readers go on seeing the
// last state without noticing: so it is asked every while and its failures are said, in the log when one begins and ends,
// in readiness and in metrics all the time.

import type { Refresh } from '../adapters/clickhouse/ask/refreshes.ts';
import { PipelineError } from '../errors.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface RefreshesOptions {
  readonly read: (signal: AbortSignal) => Promise<readonly Refresh[]>;
  /** Of the catalogue's aggregates; other views are their makers' business. */
  readonly names: ReadonlySet<string>;
  readonly everyMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Refreshes {
  /** Those whose last computation failed, with the reason. */
  problems(): Readonly<Record<string, string>>;
  /** Sets their metrics to what they are now. */
  scrape(): void;
  stop(): Promise<void>;
}

export function watchRefreshes({ read, names, everyMs, logger, metrics }: RefreshesOptions): Refreshes {
  const stopping = new AbortController();
  let known: readonly Refresh[] = [];
  let knownAtMs = 0;
  let isRefused = false;

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(everyMs, stopping.signal);
    }
  })();

  async function look(): Promise<void> {
    try {
      const seen = (await read(stopping.signal)).filter(({ name }) => names.has(name));
      for (const refresh of seen) tell(refresh);
      known = seen;
      knownAtMs = performance.now();
      isRefused = false;
    } catch (error) {
      if (stopping.signal.aborted) return;
      // That it cannot be reached just now is said by the mover that inserts.
      const isPassing = error instanceof PipelineError && error.retry === 'backoff';
      if (!isRefused && !isPassing)
        logger.warn({ err: error }, 'ClickHouse does not say whether the aggregates are fresh');
      isRefused ||= !isPassing;
    }
  }

  function tell({ name, failure, ageSeconds }: Refresh): void {
    const before = known.find(other => other.name === name)?.failure ?? null;
    const about = { aggregate: name, age_seconds: ageSeconds };
    if (failure !== null && before === null)
      logger.error({ ...about, reason: failure }, 'an aggregate could not be computed; readers see its last state');
    if (failure === null && before !== null) logger.info(about, 'the aggregate is computed again');
  }

  return {
    problems: () =>
      Object.fromEntries(
        known.flatMap(({ name, failure }) => (failure === null ? [] : [[`aggregate ${name}`, failure] as const])),
      ),
    scrape: () => {
      const sinceSeconds = (performance.now() - knownAtMs) / 1000;
      for (const gauge of [metrics.aggregateAge, metrics.aggregateFailing, metrics.aggregateRefresh]) gauge.reset();
      for (const { name: aggregate, ageSeconds, tookSeconds, failure } of known) {
        metrics.aggregateFailing.set({ aggregate }, failure === null ? 0 : 1);
        if (ageSeconds !== null) metrics.aggregateAge.set({ aggregate }, ageSeconds + sinceSeconds);
        if (tookSeconds !== null) metrics.aggregateRefresh.set({ aggregate }, tookSeconds);
      }
    },
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}
