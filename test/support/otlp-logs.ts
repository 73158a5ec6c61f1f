// Requests of OTLP/HTTP with log records, as proto3 JSON.

export interface Attribute {
  readonly key: string;
  readonly value: unknown;
}

export interface Record_ {
  readonly timeUnixNano?: string;
  readonly attributes?: readonly Attribute[];
  readonly [name: string]: unknown;
}

/** A line like any other; `at`: nanoseconds that tell it apart. */
export const record = ({ at = 0, ...changes }: Record_ & { readonly at?: number } = {}): Record_ => ({
  timeUnixNano: String(1_727_965_800_123_456_789n + BigInt(at)),
  severityNumber: 9,
  body: { stringValue: 'a line' },
  ...changes,
});

interface Around {
  readonly resource?: readonly Attribute[];
  readonly scope?: Readonly<Record<string, unknown>>;
}

export const logsRequest = (records: readonly Record_[], { resource = [], scope = {} }: Around = {}) => ({
  resourceLogs: [{ resource: { attributes: resource }, scopeLogs: [{ scope, logRecords: records }] }],
});
