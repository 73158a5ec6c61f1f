// Traces: what of a request, of its publish and of the insert of its events is told to who gathers such things.
//
// traceparent  names a span to whoever goes on from there: https://www.w3.org/TR/trace-context/#traceparent-header
// Only what is sampled is traced; of anything else nothing is made, carried or told.

import type { Envelope, Outcome } from './log.ts';

export interface Asked {
  readonly method: string;
  /** The route's pattern, never the client's path. */
  readonly route: string;
  /** As its sender gave it, right or wrong; null = it gave none. */
  readonly traceparent: string | null;
}

export type Publish = (envelopes: readonly Envelope[]) => Promise<readonly Outcome[]>;

/** A request that is sampled. */
export interface RequestTrace {
  /** Publishes them under a span of its own, whose traceparent they carry. */
  publish(envelopes: readonly Envelope[], publish: Publish): Promise<readonly Outcome[]>;
  /** Once, at the end. */
  answered(status: number): void;
}

export interface Inserted {
  readonly table: string;
  readonly rows: number;
  readonly tookMs: number;
  /** As the records carried them, whoever wrote them; none = nothing is told. */
  readonly traceparents: readonly string[];
}

export interface Tracer {
  /** Null: it is not sampled. */
  request(asked: Asked): RequestTrace | null;
  /** A block is in its table, just now. */
  inserted(block: Inserted): void;
}
