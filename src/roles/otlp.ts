// Metrics sent to an OpenTelemetry collector, from the settings.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type MetricsExport, startExport } from '../adapters/otlp/export.ts';
import type { Config } from '../config/config.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface OtlpOptions {
  readonly config: Pick<Config, 'otlpUrl' | 'otlpHeaders' | 'otlpIntervalMs'>;
  readonly version: string;
  readonly metrics: Metrics;
  /** Brings what is only counted when asked for up to now. */
  readonly scrape: () => Promise<void>;
  readonly logger: Logger;
}

/** Null where no collector is named. */
export function openOtlp({ config, version, metrics, scrape, logger }: OtlpOptions): MetricsExport | null {
  if (config.otlpUrl === '') return null;
  return startExport({
    url: config.otlpUrl,
    headers: headersOf(config.otlpHeaders),
    intervalMs: config.otlpIntervalMs,
    version,
    // The process, not the machine, is what counters begin anew with.
    resource: {
      'service.name': 'ugc',
      'service.version': version,
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
    },
    read: async () => {
      await scrape();
      return metrics.registry.getMetricsAsJSON();
    },
    logger,
  });
}

const headersOf = (list: string): Record<string, string> =>
  Object.fromEntries(
    list
      .split(',')
      .filter(pair => pair !== '')
      .map(pair => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()]),
  );
