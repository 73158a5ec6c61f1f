import { expect, test } from 'bun:test';
import { type Family, metricsMessage } from '../../../../src/adapters/otlp/metrics.ts';
import { openMetrics } from '../../../../src/process/telemetry.ts';

const messageOf = (families: readonly Family[]) =>
  metricsMessage({
    families,
    resource: { 'service.name': 'ugc' },
    version: '1.2.3',
    startedAtMs: 1_764_000_000_001,
    atMs: 1_764_000_060_002,
  }) as { resourceMetrics: { resource: object; scopeMetrics: { scope: object; metrics: Told[] }[] }[] };

interface Told {
  readonly name: string;
  readonly [kind: string]: unknown;
}

const span = { startTimeUnixNano: '1764000000001000000', timeUnixNano: '1764000060002000000' };
const family = (more: Partial<Family>): Family => ({
  name: 'ugc_x',
  help: 'words',
  type: 'gauge',
  values: [],
  ...more,
});
const toldOf = (families: readonly Family[]): readonly Told[] =>
  messageOf(families).resourceMetrics[0]!.scopeMetrics[0]!.metrics;

test('a message says who tells', () => {
  const { resource, scopeMetrics } = messageOf([]).resourceMetrics[0]!;
  expect(resource).toEqual({ attributes: [{ key: 'service.name', value: { stringValue: 'ugc' } }] });
  expect(scopeMetrics).toEqual([{ scope: { name: 'ugc', version: '1.2.3' }, metrics: [] }]);
});

test('a counter is a sum that only grows, a gauge is what it is; times are text of nanoseconds', () => {
  const values = [{ value: 7, labels: { reason: 'invalid' } }];
  const attributes = [{ key: 'reason', value: { stringValue: 'invalid' } }];
  expect(toldOf([family({ type: 'counter', values })])).toEqual([
    {
      name: 'ugc_x',
      description: 'words',
      sum: { dataPoints: [{ attributes, asDouble: 7, ...span }], aggregationTemporality: 2, isMonotonic: true },
    },
  ]);
  expect(toldOf([family({ values })])).toEqual([
    { name: 'ugc_x', description: 'words', gauge: { dataPoints: [{ attributes, asDouble: 7, ...span }] } },
  ]);
});

test('a histogram counts between its bounds, each set of labels apart', () => {
  const of = (route: string, counts: readonly [number, number, number], sum: number) =>
    [
      ...counts.map((value, at) => ({
        value,
        labels: { le: [0.1, 1, '+Inf'][at]!, route },
        metricName: 'ugc_x_bucket',
      })),
      { value: sum, labels: { route }, metricName: 'ugc_x_sum' },
      { value: counts[2], labels: { route }, metricName: 'ugc_x_count' },
    ] as const;
  const [told] = toldOf([
    family({ type: 'histogram', values: [...of('/a', [2, 5, 6], 3.5), ...of('/b', [0, 0, 1], 9)] }),
  ]);
  expect(told!.histogram).toEqual({
    aggregationTemporality: 2,
    dataPoints: [
      {
        attributes: [{ key: 'route', value: { stringValue: '/a' } }],
        count: '6',
        sum: 3.5,
        bucketCounts: ['2', '3', '1'],
        explicitBounds: [0.1, 1],
        ...span,
      },
      {
        attributes: [{ key: 'route', value: { stringValue: '/b' } }],
        count: '1',
        sum: 9,
        bucketCounts: ['0', '0', '1'],
        explicitBounds: [0.1, 1],
        ...span,
      },
    ],
  });
});

test('what JSON has no number for, and what has no value, is left out', () => {
  expect(
    toldOf([family({ values: [{ value: Number.NaN, labels: {} }] }), family({}), family({ type: 'summary' })]),
  ).toEqual([]);
});

test('every metric there is, with a value, is told as the registry has it', async () => {
  const metrics = openMetrics();
  metrics.eventsReceived.add('click', 'accepted');
  metrics.ack.observe({ stored: 'disk' }, 0.003);
  const families = await metrics.registry.getMetricsAsJSON();
  const told = new Map(toldOf(families).map(one => [one.name, one]));
  const withValues = families
    .filter(({ values }) => values.some(({ value }) => Number.isFinite(value)))
    .map(({ name }) => name);
  expect([...told.keys()]).toEqual(withValues);
  expect(told.get('ugc_events_received_total')).toMatchObject({ sum: { dataPoints: [{ asDouble: 1 }] } });
  const { dataPoints } = told.get('ugc_ack_seconds')!.histogram as {
    dataPoints: { count: string; bucketCounts: string[] }[];
  };
  expect(dataPoints[0]).toMatchObject({ count: '1' });
  expect(dataPoints[0]!.bucketCounts.map(Number).reduce((sum, n) => sum + n, 0)).toBe(1);
});
