// Traces and metrics for a collector, wired: off unless UGC_OTLP_URL names one. It is no reason not to be ready: a collector
// that is away costs what it would have been told.

import { encodeSpans, resourceOf } from '../adapters/otlp/encode.ts';
import { encodeMetrics } from '../adapters/otlp/encode-metrics.ts';
import { spanQueue } from '../adapters/otlp/queue.ts';
import { type Sent, send } from '../adapters/otlp/send.ts';
import { tracerOf } from '../adapters/otlp/tracer.ts';
import type { Config } from '../config/config.ts';
import { brokerOf } from '../config/transport.ts';
import type { Tracer } from '../ports/tracing.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import type { Role } from './role.ts';

export interface OtlpOptions {
  readonly config: Config;
  /** Of ugc. */
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Otlp extends Role {
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  /** Sends metrics from now on; `scrape` brings gauges up to date. */
  measure(scrape: () => Promise<void>): void;
}

const timeoutMs = 10_000;
/** Of a stop, for what is still to be told. */
const graceMsMax = 2_000;
const graceShare = 0.2;

const off: Otlp = { tracer: null, measure() {}, close: async () => {} };

export function openOtlp({ config, version, logger, metrics }: OtlpOptions): Otlp {
  const { otlpUrl, otlpHeaders: headers, otlpMetricsSeconds } = config;
  if (otlpUrl === '') return off;
  const resource = resourceOf(version, Bun.randomUUIDv7());
  const troubles = new Map<string, string>();
  const closing = new AbortController();
  const givingUp = new AbortController();
  const startedMs = performance.timeOrigin;
  let measuring: Promise<void> = Promise.resolve();

  const post = (signal: string, body: string, until: AbortSignal): Promise<Sent> =>
    send(body, { url: `${otlpUrl}/v1/${signal}`, headers, timeoutMs, signal: until });

  const spans = spanQueue({
    send: (batch, until) => post('traces', encodeSpans(resource, batch), until),
    onDropped: count => metrics.otlpDropped.inc(count),
    onTrouble: words => note('traces', words),
  });

  /** Once, when it begins and when it ends. */
  function note(signal: string, words: string | null): void {
    const isNew = !troubles.has(signal);
    if (words === null) {
      if (troubles.delete(signal)) logger.info(`the collector takes ${signal} again`);
      return;
    }
    troubles.set(signal, words);
    if (isNew)
      logger.warn({ reason: words }, `the collector does not take ${signal}; what it misses is not kept for long`);
  }

  async function sendMetrics(scrape: () => Promise<void>): Promise<void> {
    await scrape().catch(() => {}); // the log tells of it, and what is known is told all the same
    const body = await encodeMetrics(metrics.registry, resource, { startedMs, atMs: Date.now() });
    const sent = await post('metrics', body, givingUp.signal);
    if (sent.ok) note('metrics', sent.rejected > 0 ? `the collector throws metrics away: ${sent.said}` : null);
    else note('metrics', sent.words); // sums count on: the next ones say it all
  }

  async function measureOn(scrape: () => Promise<void>): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(otlpMetricsSeconds * 1_000, closing.signal);
      if (!closing.signal.aborted) await sendMetrics(scrape);
    }
    await sendMetrics(async () => {}); // the roles are closed
  }

  return {
    tracer: tracerOf({
      share: config.otlpTraceShare,
      system: brokerOf(config) ?? 'disk',
      onSpan: spans.add,
    }),
    measure: scrape => {
      if (otlpMetricsSeconds > 0)
        measuring = measureOn(scrape).catch(error => logger.error({ err: error }, 'metrics are sent no more'));
    },
    problems: () => (troubles.size === 0 ? {} : { otlp: [...new Set(troubles.values())].join('; ') }),
    close: async () => {
      const graceMs = Math.min(graceMsMax, config.shutdownTimeoutMs * graceShare);
      closing.abort();
      const grace = setTimeout(() => givingUp.abort(), graceMs);
      await Promise.all([spans.close(graceMs), measuring]);
      clearTimeout(grace);
    },
  };
}
