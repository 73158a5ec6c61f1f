// The metrics of a process as OTLP/JSON: https://opentelemetry.io/docs/specs/otlp, with the fields of metrics.proto and the
// names, units of names and all, that Prometheus is told.
//
// Counters and histograms count since the process began (cumulative): a message that is lost costs a point, not what it counted.

/** A metric as the registry gives it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge` or `histogram`; others are left out. */
  readonly type: string | number;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number | undefined>>;
    /** Of a part of a histogram: its name with _bucket, _sum or _count. */
    readonly metricName?: string | undefined;
  }[];
}

export interface MessageOptions {
  readonly families: readonly Family[];
  /** Who tells: `service.name` and the like. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  /** Since when is counted, and when it was looked at; epoch milliseconds. */
  readonly startedAtMs: number;
  readonly atMs: number;
}

const cumulative = 2;

/** An ExportMetricsServiceRequest. */
export function metricsMessage({ families, resource, version, startedAtMs, atMs }: MessageOptions): object {
  const span = { startTimeUnixNano: nanosOf(startedAtMs), timeUnixNano: nanosOf(atMs) };
  const metrics = families.flatMap((family): readonly object[] => {
    const told = { name: family.name, description: family.help };
    if (family.type === 'histogram') {
      const dataPoints = histogramPoints(family).map(point => ({ ...point, ...span }));
      return dataPoints.length === 0
        ? []
        : [{ ...told, histogram: { dataPoints, aggregationTemporality: cumulative } }];
    }
    if (family.type !== 'counter' && family.type !== 'gauge') return [];
    const dataPoints = family.values
      .filter(({ value }) => Number.isFinite(value)) // JSON has no others
      .map(({ value, labels }) => ({ attributes: attributesOf(labels), asDouble: value, ...span }));
    if (dataPoints.length === 0) return [];
    if (family.type === 'gauge') return [{ ...told, gauge: { dataPoints } }];
    return [{ ...told, sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } }];
  });
  const scopeMetrics = [{ scope: { name: 'ugc', version }, metrics }];
  return { resourceMetrics: [{ resource: { attributes: attributesOf(resource) }, scopeMetrics }] };
}

/** One for each set of labels. Prometheus counts up to each bound, OTLP between two. */
function histogramPoints({ name, values }: Family): readonly object[] {
  const points = new Map<
    string,
    { labels: Family['values'][number]['labels']; upTo: [number, number][]; sum: number }
  >();
  for (const {
    value,
    labels: { le, ...labels },
    metricName,
  } of values) {
    const key = JSON.stringify(labels);
    const point = points.get(key) ?? { labels, upTo: [], sum: 0 };
    points.set(key, point);
    if (metricName === `${name}_sum`) point.sum = value;
    if (metricName === `${name}_bucket`)
      point.upTo.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
  }
  return [...points.values()].map(({ labels, upTo, sum }) => {
    const buckets = upTo.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      attributes: attributesOf(labels),
      count: String(buckets.at(-1)?.[1] ?? 0),
      sum,
      bucketCounts: buckets.map(([, count], at) => String(count - (buckets[at - 1]?.[1] ?? 0))),
      explicitBounds: buckets.slice(0, -1).map(([bound]) => bound),
    };
  });
}

const attributesOf = (labels: Family['values'][number]['labels']): readonly object[] =>
  Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value ?? '') } }));

/** 64-bit numbers are text in JSON: a number of nanoseconds is beyond what a double has right. */
const nanosOf = (ms: number): string => `${Math.round(ms)}000000`;
