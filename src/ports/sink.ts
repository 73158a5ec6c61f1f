// Where a mover puts what it has read.
//
// block     rows of one table, gathered from batches, inserted at once
// row       what the sink holds

import type { DeadReason, PipelineError } from '../errors.ts';

/** Rows of one table, as NDJSON chunks in order. */
export interface RowBlock {
  readonly type: string;
  readonly rows: number;
  readonly chunks: readonly Uint8Array[];
}

/** A record that can never become a row, with where it came from. */
export interface DeadLetter {
  /** Which log the record lay in, '' where that is not known: another of the same name has the same positions. */
  readonly log: string;
  readonly topic: string;
  readonly partition: number;
  /** Its own position and 0, or where only that is known the position of its batch's first record and its index there. */
  readonly position: number;
  readonly index: number;
  readonly reason: DeadReason;
  readonly detail: string;
  readonly raw: Uint8Array;
  /** The log's time of the record, or of the oldest in its batch, epoch milliseconds. */
  readonly atMs: number;
  readonly failedAtMs: number;
}

/** Where a mover puts rows. Errors are PipelineErrors; their `retry` says what the caller may do. */
export interface Sink {
  /** As people call it. */
  readonly title: string;
  /** Creates or grows what the catalogue needs, or rejects in words. Idempotent. */
  prepare(): Promise<void>;
  /** All rows or none. The same token twice stores once. Resolved = readable. */
  insert(block: RowBlock, token: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Where records are kept that can never become rows. Not every sink has it: a mover without repeats a refused block until
 * it is taken, and holds back the topic of a record that can be no row, both aloud. Errors as a Sink's.
 */
export interface DeadLetters {
  /** Whether the sink would take these rows: null, or its refusal. Stores nothing. */
  check(block: RowBlock, signal: AbortSignal): Promise<PipelineError | null>;
  /** Idempotent by topic, partition, position, index and log. */
  deadLetter(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void>;
}

export interface SinkWithDeadLetters extends Sink, DeadLetters {}
