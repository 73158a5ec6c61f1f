// The registry of metrics as OTLP's JSON, under the names it has for Prometheus: counters are sums that only grow, gauges
// gauges, histograms those with explicit bounds; all of them count from the start of the process.
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/

import { type Attributes, encodeAttributes, nanosOf, scopeOf } from './encode.ts';

type Labels = Readonly<Record<string, string | number | undefined>>;

interface Value {
  readonly labels: Labels;
  readonly value: number;
  /** Of a histogram: with _bucket, _sum or _count behind it. */
  readonly metricName?: string;
}

interface Read {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values: readonly Value[];
}

/** What there is of the registry of metrics. */
interface Registry {
  getMetricsAsJSON(): Promise<unknown>;
}

interface Moments {
  readonly startedMs: number;
  readonly atMs: number;
}

const cumulative = 2;

/** The body of POST /v1/metrics. Brings nothing up to date. */
export async function encodeMetrics(registry: Registry, resource: Attributes, moments: Moments): Promise<string> {
  const read = (await registry.getMetricsAsJSON()) as readonly Read[];
  const metrics = read.flatMap(metric => encodeMetric(metric, moments) ?? []);
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeMetrics: [{ scope: scopeOf(resource), metrics }],
      },
    ],
  });
}

/** Null: it has no sample, or is of a kind there is none of here. */
function encodeMetric({ name, help, type, values }: Read, moments: Moments) {
  const about = { name, description: help, ...unitOf(name) };
  const samples = values.filter(({ value }) => Number.isFinite(value));
  if (samples.length === 0) return null;
  if (type === 'gauge') return { ...about, gauge: { dataPoints: samples.map(sample => pointOf(sample, moments)) } };
  if (type === 'counter') {
    const dataPoints = samples.map(sample => ({ ...startOf(moments), ...pointOf(sample, moments) }));
    return { ...about, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } };
  }
  if (type !== 'histogram') return null;
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify(withoutLe(labels)));
  const dataPoints = [...series.values()].map(ofOne => histogramPointOf(name, ofOne, moments));
  return { ...about, histogram: { aggregationTemporality: cumulative, dataPoints } };
}

function unitOf(name: string): { readonly unit?: string } {
  if (/_seconds(_total)?$/.test(name)) return { unit: 's' };
  return /_bytes(_total)?$/.test(name) ? { unit: 'By' } : {};
}

const startOf = ({ startedMs }: Moments) => ({ startTimeUnixNano: nanosOf(startedMs) });

const pointOf = ({ labels, value }: Value, { atMs }: Moments) => ({
  timeUnixNano: nanosOf(atMs),
  attributes: attributesOf(labels),
  asDouble: value,
});

/** The library counts up to each bound, OTLP between two of them; the last is without one. */
function histogramPointOf(name: string, values: readonly Value[], moments: Moments) {
  const upTo = values
    .filter(({ metricName }) => metricName === `${name}_bucket`)
    .map(({ labels, value }) => ({ bound: labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le), value }))
    .toSorted((a, b) => a.bound - b.bound);
  const partOf = (part: string): number => values.find(({ metricName }) => metricName === name + part)?.value ?? 0;
  return {
    ...startOf(moments),
    timeUnixNano: nanosOf(moments.atMs),
    attributes: attributesOf(withoutLe(values[0]?.labels ?? {})),
    count: String(partOf('_count')),
    sum: partOf('_sum'),
    bucketCounts: upTo.map(({ value }, at) => String(value - (upTo[at - 1]?.value ?? 0))),
    explicitBounds: upTo.map(({ bound }) => bound).filter(Number.isFinite),
  };
}

const withoutLe = ({ le: _, ...labels }: Labels): Labels => labels;

const attributesOf = (labels: Labels) =>
  encodeAttributes(
    Object.fromEntries(
      Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
  );
