// To the letter, as the specification's examples have it:
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/examples

import { expect, test } from 'bun:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { encodeSpans, nanosOf } from '../../../../src/adapters/otlp/encode.ts';
import { encodeMetrics } from '../../../../src/adapters/otlp/encode-metrics.ts';

const resource = { 'service.name': 'ugc', 'service.version': '1.2.3' };
const encodedResource = {
  attributes: [
    { key: 'service.name', value: { stringValue: 'ugc' } },
    { key: 'service.version', value: { stringValue: '1.2.3' } },
  ],
};
const scope = { name: 'ugc', version: '1.2.3' };

test('spans', () => {
  const span = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'send ugc.click',
    kind: 'producer',
    startMs: 1_544_712_660_000.25,
    endMs: 1_544_712_661_000,
    attributes: { topic: 'ü"', rows: 3, share: 0.5 },
  } as const;
  const failed = {
    ...span,
    kind: 'server',
    parentSpanId: 'eee19b7ec3c1b173',
    endMs: span.startMs - 1,
    attributes: {},
    links: [{ traceId: span.traceId, spanId: span.spanId }],
    error: 'answered with 503',
  } as const;
  const ids = { traceId: span.traceId, spanId: span.spanId };
  expect(JSON.parse(encodeSpans(resource, [span, failed]))).toEqual({
    resourceSpans: [
      {
        resource: encodedResource,
        scopeSpans: [
          {
            scope,
            spans: [
              {
                ...ids,
                name: 'send ugc.click',
                kind: 4,
                startTimeUnixNano: '1544712660000250000',
                endTimeUnixNano: '1544712661000000000',
                attributes: [
                  { key: 'topic', value: { stringValue: 'ü"' } },
                  { key: 'rows', value: { intValue: '3' } },
                  { key: 'share', value: { doubleValue: 0.5 } },
                ],
              },
              {
                ...ids,
                parentSpanId: 'eee19b7ec3c1b173',
                name: 'send ugc.click',
                kind: 2,
                startTimeUnixNano: '1544712660000250000',
                endTimeUnixNano: '1544712660000250000',
                attributes: [],
                links: [ids],
                status: { code: 2, message: 'answered with 503' },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('a moment is told to the microsecond', () => {
  expect(nanosOf(1_795_000_000_123.456)).toBe('1795000000123456000');
  expect(nanosOf(0)).toBe('0');
});

test('metrics', async () => {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: 'ugc_rows_total', help: 'Rows', labelNames: ['table'], registers });
  counter.inc({ table: 'click' }, 3);
  new Gauge({ name: 'ugc_size_bytes', help: 'Size', registers }).set(1.5);
  new Gauge({ name: 'ugc_unknown', help: 'No sample', labelNames: ['a'], registers });
  new Gauge({ name: 'ugc_nan', help: 'No number', registers }).set(Number.NaN);
  const histogram = new Histogram({
    name: 'ugc_took_seconds',
    help: 'Took',
    labelNames: ['route'],
    buckets: [0.1, 1],
    registers,
  });
  for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe({ route: '/a' }, seconds);
  histogram.observe({ route: '/b' }, 2);

  const body = await encodeMetrics(registry, resource, { startedMs: 1_000, atMs: 2_000 });
  const startTimeUnixNano = '1000000000';
  const timeUnixNano = '2000000000';
  const times = { startTimeUnixNano, timeUnixNano };
  const route = (stringValue: string) => [{ key: 'route', value: { stringValue } }];
  expect(JSON.parse(body)).toEqual({
    resourceMetrics: [
      {
        resource: encodedResource,
        scopeMetrics: [
          {
            scope,
            metrics: [
              {
                name: 'ugc_rows_total',
                description: 'Rows',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [
                    { ...times, attributes: [{ key: 'table', value: { stringValue: 'click' } }], asDouble: 3 },
                  ],
                },
              },
              {
                name: 'ugc_size_bytes',
                description: 'Size',
                unit: 'By',
                gauge: { dataPoints: [{ timeUnixNano, attributes: [], asDouble: 1.5 }] },
              },
              {
                name: 'ugc_took_seconds',
                description: 'Took',
                unit: 's',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    {
                      ...times,
                      attributes: route('/a'),
                      count: '4',
                      sum: 7.65,
                      bucketCounts: ['2', '1', '1'],
                      explicitBounds: [0.1, 1],
                    },
                    {
                      ...times,
                      attributes: route('/b'),
                      count: '1',
                      sum: 2,
                      bucketCounts: ['0', '0', '1'],
                      explicitBounds: [0.1, 1],
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  });
});
