// Telemetry for unit tests: a logger nobody reads, request lines in a list, one registry of metrics for the process.

import pino from 'pino';
import type { MoverMetrics } from '../../src/ports/mover-metrics.ts';
import { type Logger, type Logs, type Metrics, openMetrics, type RequestLine } from '../../src/process/telemetry.ts';
import { moverMetricsOf } from '../../src/roles/mover-metrics.ts';

export const quietLogger: Logger = pino({ level: 'silent' });

export function quietLogs(): Logs & { readonly lines: readonly RequestLine[] } {
  const lines: RequestLine[] = [];
  return { logger: quietLogger, lines, request: line => void lines.push(line), close: async () => {} };
}

/** The default metrics watch the process; once is enough. */
export const sharedMetrics: Metrics = openMetrics();

export const moverMetrics: MoverMetrics = moverMetricsOf(sharedMetrics);

/** The samples of one metric, as `label=value,…` → number. */
export async function samplesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const found = (await metrics.registry.getMetricsAsJSON()).find(metric => metric.name === name);
  if (found === undefined) throw new Error(`there is no metric ${name}`);
  return Object.fromEntries(
    found.values.map(({ labels, value }) => [
      Object.entries(labels)
        .map(([label, said]) => `${label}=${said}`)
        .join(','),
      value,
    ]),
  );
}
