// What the mover into the tables tells, as the metrics of this process.

import type { MoverMetrics } from '../ports/mover-metrics.ts';
import type { Batch } from '../ports/source.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { Metrics } from '../process/telemetry.ts';

export function moverMetricsOf(metrics: Metrics, tracer: Tracer | null = null): MoverMetrics {
  return {
    begun: () => {
      metrics.etlHalted.reset();
      metrics.etlWaiting.reset();
    },
    inserted: ({ type, rows, tookMs, oldestAtMs, batches }) => {
      metrics.etlInsert.observe(tookMs / 1000);
      metrics.etlBatches.inc({ outcome: 'inserted' });
      metrics.etlRows.inc({ table: type }, rows);
      metrics.freshness.observe(Math.max(0, Date.now() - oldestAtMs) / 1000);
      tracer?.inserted({ table: type, rows, tookMs, traceparents: traceparentsOf(batches) });
    },
    failed: code => metrics.etlBatches.inc({ outcome: code }),
    halted: (type, isHalted) => metrics.etlHalted.set({ table: type }, isHalted ? 1 : 0),
    heldBack: (topic, isHeldBack) => metrics.etlWaiting.set({ topic }, isHeldBack ? 1 : 0),
    deadLettered: (reason, records) => metrics.deadLetters.inc({ reason }, records),
  };
}

const traceparentsOf = (batches: readonly Batch[]): readonly string[] =>
  batches.flatMap(({ traceparents }) => traceparents ?? []);
