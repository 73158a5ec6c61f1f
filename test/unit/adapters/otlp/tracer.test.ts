import { expect, test } from 'bun:test';
import type { Span } from '../../../../src/adapters/otlp/encode.ts';
import { readTraceparent } from '../../../../src/adapters/otlp/traceparent.ts';
import { tracerOf } from '../../../../src/adapters/otlp/tracer.ts';
import { PipelineError } from '../../../../src/errors.ts';
import type { Envelope, Outcome } from '../../../../src/ports/log.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const sampled = `00-${traceId}-${spanId}-01`;
const envelope = (topic: string): Envelope => ({
  id: Bun.randomUUIDv7(),
  type: 'click',
  version: 1,
  topic,
  key: null,
  body: '{}',
  receivedAtMs: 1,
});

function opened(share: number) {
  const spans: Span[] = [];
  return { spans, tracer: tracerOf({ share, system: 'kafka', onSpan: span => spans.push(span) }) };
}
const asked = (traceparent: string | null) => ({ method: 'POST', route: '/v1/events', traceparent });

test('who says that it is sampled is traced whatever the share, who says no is not', () => {
  for (const share of [0, 1]) {
    const { tracer } = opened(share);
    expect(tracer.request(asked(sampled))).not.toBeNull();
    expect(tracer.request(asked(sampled.replace(/1$/, '0')))).toBeNull();
    for (const nothing of [null, 'nonsense', '']) expect(tracer.request(asked(nothing)) === null).toBe(share === 0);
  }
});

test('a request has a span, its publish one below it, whose name its envelopes carry', async () => {
  const { spans, tracer } = opened(0);
  const trace = tracer.request(asked(sampled))!;
  const given = [envelope('ugc.click'), envelope('ugc.click')];
  let carried: readonly Envelope[] = [];
  const failed: Outcome = { ok: false, error: new PipelineError('log_unavailable', 'it is away') };
  const outcomes: readonly Outcome[] = [{ ok: true, stored: 'disk' }, failed];
  const told = await trace.publish(given, async envelopes => {
    carried = envelopes;
    return outcomes;
  });
  trace.answered(503);
  expect(told).toBe(outcomes);
  const [publish, request] = spans;
  expect(request).toMatchObject({ traceId, parentSpanId: spanId, kind: 'server', error: 'answered with 503' });
  expect(publish).toMatchObject({
    traceId,
    parentSpanId: request!.spanId,
    name: 'send ugc.click',
    kind: 'producer',
    error: 'it is away',
    attributes: { 'messaging.batch.message_count': 2, 'ugc.stored': 'disk', 'error.type': 'log_unavailable' },
  });
  expect(carried.map(({ traceparent: _, ...rest }) => rest)).toEqual(given);
  for (const { traceparent } of carried)
    expect(readTraceparent(traceparent!)).toEqual({ traceId, spanId: publish!.spanId, isSampled: true });
});

test('a publish of nothing, and of several topics', async () => {
  const { spans, tracer } = opened(1);
  const trace = tracer.request(asked(null))!;
  await trace.publish([], async () => []);
  expect(spans).toEqual([]);
  await trace.publish([envelope('a'), envelope('b')], async () => [
    { ok: true, stored: 'kafka' },
    { ok: true, stored: 'kafka' },
  ]);
  expect(spans[0]).toMatchObject({ name: 'send', error: undefined });
});

test('a block is linked to each trace once, and is of one where there is but one', () => {
  const { spans, tracer } = opened(0);
  const block = { table: 'click', rows: 5, tookMs: 10 };
  const other = sampled.replace('0af', 'fff');
  tracer.inserted({ ...block, traceparents: [] });
  tracer.inserted({ ...block, traceparents: ['nonsense', sampled.replace(/1$/, '0')] });
  expect(spans).toEqual([]);
  tracer.inserted({ ...block, traceparents: [sampled, sampled, 'nonsense'] });
  expect(spans[0]).toMatchObject({ traceId, parentSpanId: spanId, links: [{ traceId, spanId }], kind: 'consumer' });
  tracer.inserted({ ...block, traceparents: [sampled, other] });
  expect(spans[1]).toMatchObject({ parentSpanId: undefined, name: 'insert click' });
  expect(spans[1]?.links).toHaveLength(2);
  expect([traceId, traceId.replace('0af', 'fff')]).not.toContain(spans[1]!.traceId);
  const many = Array.from({ length: 1_000 }, (_, at) => sampled.replace('0af7', at.toString(16).padStart(4, '0')));
  tracer.inserted({ ...block, traceparents: many });
  expect(spans[2]?.links).toHaveLength(128);
});
