// A collector of OpenTelemetry for tests: takes what comes over OTLP/HTTP in JSON, or answers whatever the test wants.

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string>>;
}

export interface ToldSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code: number; readonly message: string };
}

interface Told {
  readonly resource: { readonly attributes: readonly KeyValue[] };
  readonly scopeSpans?: readonly { readonly spans: readonly ToldSpan[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly ToldMetric[] }[];
}

interface Point {
  readonly asDouble?: number;
  readonly count?: string;
  readonly bucketCounts?: readonly string[];
  readonly attributes: readonly KeyValue[];
}

export interface ToldMetric {
  readonly name: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

export interface TestCollector {
  readonly url: string;
  readonly spans: readonly ToldSpan[];
  /** The last ones told. */
  metrics(): readonly ToldMetric[];
  /** Of the resource that told last. */
  resource(): Readonly<Record<string, string>>;
  /** `path` and the headers of each request. */
  readonly asked: readonly { readonly path: string; readonly headers: Headers }[];
  close(): Promise<void>;
}

export const plain = (attributes: readonly KeyValue[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]!]));

/** `answer`: to the nth request, from 0; null = it is taken. */
export function startCollector(
  answer: (nth: number) => Response | Promise<Response> | null = () => null,
): TestCollector {
  const spans: ToldSpan[] = [];
  const asked: { path: string; headers: Headers }[] = [];
  let metrics: readonly ToldMetric[] = [];
  let resource: Record<string, string> = {};
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      const body = (await request.json()) as {
        readonly resourceSpans?: readonly Told[];
        readonly resourceMetrics?: readonly Told[];
      };
      const given = answer(asked.push({ path, headers: request.headers }) - 1);
      if (given !== null) return given;
      for (const of of body.resourceSpans ?? body.resourceMetrics ?? []) {
        resource = plain(of.resource.attributes);
        for (const scope of of.scopeSpans ?? []) spans.push(...scope.spans);
        for (const scope of of.scopeMetrics ?? []) metrics = scope.metrics;
      }
      return Response.json({});
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    asked,
    metrics: () => metrics,
    resource: () => resource,
    close: () => server.stop(true),
  };
}
