// Sends the metrics of a process to a collector, each interval and once more at the end, over OTLP/HTTP with JSON.
//
// One message is under way at a time, and none is kept: each says everything since the process began. A collector that is away
// or hangs costs a timeout of its own, and holds nothing else up.

import { messageOf } from '../../errors.ts';
import { sleep } from '../../process/sleep.ts';
import type { Logger } from '../../process/telemetry.ts';
import { type Family, metricsMessage } from './metrics.ts';

export interface ExportOptions {
  /** Of the collector: `/v1/metrics` is added, as the specification says. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs?: number;
  readonly version: string;
  readonly resource: Readonly<Record<string, string>>;
  /** All metrics as they are now. */
  readonly read: () => Promise<readonly Family[]>;
  readonly logger: Logger;
}

export interface MetricsExport {
  /** Idempotent. Sends a last time, for as long as a moment. */
  close(): Promise<void>;
}

const lastMsMax = 1_000;

export function startExport(options: ExportOptions): MetricsExport {
  const { intervalMs, timeoutMs = 10_000, logger } = options;
  const target = `${options.url.replace(/\/+$/, '')}/v1/metrics`;
  const startedAtMs = Date.now();
  const stopping = new AbortController();
  let trouble: string | null = null;
  let closing: Promise<void> | undefined;
  const done = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(intervalMs, stopping.signal);
      if (!stopping.signal.aborted) await send(AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]));
    }
  }

  async function send(signal: AbortSignal): Promise<void> {
    try {
      const { version, resource, headers } = options;
      const families = await options.read();
      const message = metricsMessage({ families, resource, version, startedAtMs, atMs: Date.now() });
      const body = JSON.stringify(message);
      const sent = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        signal,
      } as const;
      const response = await fetch(target, { ...sent, redirect: 'error' });
      const said = await response.text();
      tell(response.ok ? null : `${target} answers ${response.status} ${said.slice(0, 200)}`);
    } catch (error) {
      if (!stopping.signal.aborted) tell(`${target} cannot be reached: ${messageOf(error)}`);
    }
  }

  /** Once, as long as it is the same. */
  function tell(words: string | null): void {
    if (words !== null && trouble === null)
      logger.warn({ reason: words }, 'metrics are not taken by the collector of UGC_OTLP_URL; it is tried again');
    if (words === null && trouble !== null) logger.info('the collector of UGC_OTLP_URL takes metrics again');
    trouble = words;
  }

  async function end(): Promise<void> {
    stopping.abort();
    await done;
    await send(AbortSignal.timeout(lastMsMax));
  }

  return { close: () => (closing ??= end()) };
}
