// Spans as OTLP's JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Names in lowerCamelCase, ids in
// hexadecimal, enums as numbers, numbers of 64 bits as text.

import { hostname } from 'node:os';

export type Attributes = Readonly<Record<string, string | number>>;

export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent = the trace begins with it. */
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  readonly kind: keyof typeof spanKinds;
  /** Epoch milliseconds, with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  /** What went wrong; absent = nothing did. */
  readonly error?: string | undefined;
}

/** Of this process; `instance` tells it from every other. */
export const resourceOf = (version: string, instance: string): Attributes => ({
  'service.name': 'ugc',
  'service.version': version,
  'service.instance.id': instance,
  'host.name': hostname(),
});

/** The body of POST /v1/traces. */
export function encodeSpans(resource: Attributes, spans: readonly Span[]): string {
  const scope = scopeOf(resource);
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: encodeAttributes(resource) }, scopeSpans: [{ scope, spans: spans.map(encodeSpan) }] },
    ],
  });
}

export const scopeOf = (resource: Attributes) => ({ name: 'ugc', version: resource['service.version'] });

const errorStatus = 2;

function encodeSpan({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, links, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: spanKinds[kind],
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(Math.max(startMs, endMs)),
    attributes: encodeAttributes(attributes),
    ...(links !== undefined && { links }),
    ...(error !== undefined && { status: { code: errorStatus, message: error } }),
  };
}

export const encodeAttributes = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }));

/** To the microsecond: beyond it a double has no room since 1970. */
export const nanosOf = (ms: number): string => String(BigInt(Math.round(ms * 1_000)) * 1_000n);
