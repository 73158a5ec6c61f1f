// Where the edge writes: envelopes, what becomes of each, and the contract of a log.
//
// event     the client's JSON object
// envelope  ours: a judged event, addressed and stamped, on its way to the log

import type { PipelineError } from '../errors.ts';

/** A judged event on its way to the log. */
export interface Envelope {
  /** UUID, canonical lower case. Fixed before anything is stored; every repetition carries the same one. */
  readonly id: string;
  /** Canonical event type, never an alias. */
  readonly type: string;
  /** Of the type's definition, by which `body` is written; 0 = its stamp does not say. */
  readonly version: number;
  readonly topic: string;
  /** Partition key (user_id, else anonymous_id), or null. */
  readonly key: string | null;
  /**
   * One JSON object on one line, edge fields in front: exactly what every reader of the log gets. Well-formed UTF-16.
   */
  readonly body: string;
  readonly receivedAtMs: number;
  /** Names the span that publishes it, to who reads it; absent = it is not traced. A log that has no place for it passes it. */
  readonly traceparent?: string;
}

/** What answers call the brokers there are: one for each transport. */
export const brokerNames = ['kafka', 'pulsar', 'rabbitmq'] as const;
export type BrokerName = (typeof brokerNames)[number];

/** Where an acked event lies: with the broker, by the name its transport gives it, or on the disk. */
export const storedNames = [...brokerNames, 'disk'] as const;
export type Stored = (typeof storedNames)[number];

export type Outcome =
  | { readonly ok: true; readonly stored: Stored }
  | { readonly ok: false; readonly error: PipelineError };

/** What a broker's answer for one envelope makes of it: null = it has it. */
export function outcomesAs(stored: BrokerName): (error: PipelineError | null) => Outcome {
  const ok: Outcome = { ok: true, stored };
  return error => (error === null ? ok : { ok: false, error });
}

/** Where the edge writes. */
export interface Log {
  /** One outcome per envelope, same order. Never rejects. Resolves once each is durable or has failed. */
  publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]>;
  /** Idempotent. Flushes what was published, then releases everything. */
  close(): Promise<void>;
}
