// The spans of this process: a server's for a request, a producer's for its publish, a consumer's for the insert. What they
// are called, and say: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and …/messaging/messaging-spans/.
//
// - A request is sampled when its sender says so, not when it says not, and by chance where it says nothing.
// - A block has records of many traces: its span has a link to each, and is of their trace where there is but one.

import type { Envelope, Outcome } from '../../ports/log.ts';
import type { Asked, Inserted, RequestTrace, Tracer } from '../../ports/tracing.ts';
import type { Span } from './encode.ts';
import { newSpanId, newTraceId, readTraceparent, type SpanContext, writeTraceparent } from './traceparent.ts';

export interface TracerOptions {
  /** Of the requests that say nothing of it; 0 to 1. */
  readonly share: number;
  /** Where events are published to, as it calls itself. */
  readonly system: string;
  readonly onSpan: (span: Span) => void;
}

/** As many links as a span commonly may have. */
const linksMax = 128;

export function tracerOf({ share, system, onSpan }: TracerOptions): Tracer {
  return {
    request(asked) {
      const given = asked.traceparent === null ? null : readTraceparent(asked.traceparent);
      const isSampled = given === null ? share > 0 && Math.random() < share : given.isSampled;
      return isSampled ? requestTrace(asked, given) : null;
    },
    inserted,
  };

  function requestTrace({ method, route }: Asked, parent: SpanContext | null): RequestTrace {
    const own: SpanContext = { traceId: parent?.traceId ?? newTraceId(), spanId: newSpanId(), isSampled: true };
    const now = clockFrom(Date.now());
    const startMs = now();
    return {
      async publish(envelopes, publish) {
        const span = { traceId: own.traceId, spanId: newSpanId(), isSampled: true };
        const traceparent = writeTraceparent(span);
        const publishedMs = now();
        const outcomes = await publish(envelopes.map(envelope => ({ ...envelope, traceparent })));
        if (envelopes.length > 0)
          onSpan({
            ...namesOf(span),
            parentSpanId: own.spanId,
            ...publishOf(envelopes, outcomes, system),
            startMs: publishedMs,
            endMs: now(),
          });
        return outcomes;
      },
      answered: status =>
        onSpan({
          ...namesOf(own),
          parentSpanId: parent?.spanId,
          name: `${method} ${route}`,
          kind: 'server',
          startMs,
          endMs: now(),
          attributes: {
            'http.request.method': method,
            'http.route': route,
            'http.response.status_code': status,
            ...(status >= 500 && { 'error.type': String(status) }),
          },
          ...(status >= 500 && { error: `answered with ${status}` }),
        }),
    };
  }

  function inserted({ table, rows, tookMs, traceparents }: Inserted): void {
    const links = new Map<string, SpanContext>();
    for (const text of traceparents) {
      const found = links.size < linksMax ? readTraceparent(text) : null;
      if (found?.isSampled) links.set(found.traceId + found.spanId, found);
    }
    const [first, ...others] = links.values();
    if (first === undefined) return;
    const isOfOne = others.every(({ traceId }) => traceId === first.traceId);
    const endMs = Date.now();
    onSpan({
      traceId: isOfOne ? first.traceId : newTraceId(),
      spanId: newSpanId(),
      parentSpanId: isOfOne ? first.spanId : undefined,
      name: `insert ${table}`,
      kind: 'consumer',
      startMs: endMs - tookMs,
      endMs,
      attributes: {
        'db.system.name': 'clickhouse',
        'db.operation.name': 'INSERT',
        'db.collection.name': table,
        'messaging.batch.message_count': rows,
      },
      links: [...links.values()].map(namesOf),
    });
  }
}

const namesOf = ({ traceId, spanId }: SpanContext) => ({ traceId, spanId });

/** Epoch milliseconds that a clock set meanwhile does not move. */
function clockFrom(epochMs: number): () => number {
  const fromMs = performance.now();
  return () => epochMs + performance.now() - fromMs;
}

function publishOf(
  envelopes: readonly Envelope[],
  outcomes: readonly Outcome[],
  system: string,
): Pick<Span, 'name' | 'kind' | 'attributes' | 'error'> {
  const topics = new Set(envelopes.map(({ topic }) => topic));
  const [topic = ''] = topics;
  const stored = outcomes.find(outcome => outcome.ok)?.stored;
  const failure = outcomes.find(outcome => !outcome.ok)?.error;
  return {
    name: topics.size === 1 ? `send ${topic}` : 'send',
    kind: 'producer',
    attributes: {
      'messaging.system': system,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'send',
      ...(topics.size === 1 && { 'messaging.destination.name': topic }),
      'messaging.batch.message_count': envelopes.length,
      ...(stored !== undefined && { 'ugc.stored': stored }),
      ...(failure !== undefined && { 'error.type': failure.code }),
    },
    error: failure?.message,
  };
}
