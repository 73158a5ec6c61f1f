// The glossary: every type that crosses a seam, and the contract of every port. No code.
//
// event     the client's JSON object
// envelope  ours: a judged event, addressed and stamped, on its way to the log
// batch     a run of records of one topic as the log stored them, contiguous in its partition
// block     rows of one table, gathered from batches, inserted at once
// row       what ClickHouse holds

import type { PipelineError } from './errors.ts';

/** A judged event on its way to the log. */
export interface Envelope {
  /** UUID, canonical lower case. Fixed before anything is stored; every repetition carries the same one. */
  readonly id: string;
  /** Canonical event type, never an alias. */
  readonly type: string;
  readonly topic: string;
  /** Partition key (user_id, else anonymous_id), or null. */
  readonly key: string | null;
  /** One JSON object on one line, edge fields in front: exactly what every reader of the log gets. Well-formed UTF-16. */
  readonly body: string;
  readonly receivedAtMs: number;
}

/** Where an acked event lies. */
export type Stored = 'kafka' | 'disk';

export type Outcome =
  | { readonly ok: true; readonly stored: Stored }
  | { readonly ok: false; readonly error: PipelineError };

/** Where the edge writes. */
export interface Log {
  /** One outcome per envelope, same order. Never rejects. Resolves once each is durable or has failed. */
  publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]>;
  /** Idempotent. Flushes what was published, then releases everything. */
  close(): Promise<void>;
}

/** Positions, first and last inclusive, that one append occupies. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

export interface BufferStats {
  /** Records not yet passed by every reader, quarantined ones not counted. */
  readonly events: number;
  /** Bytes of the file in use (pages holding data, times the page size). */
  readonly bytes: number;
  readonly oldestAtMs: number | null;
  /** Records set aside: damaged, or refused by the log behind the buffer. */
  readonly quarantined: number;
}

/**
 * The append-only log on disk, with named readers. With Kafka its only reader is the drain; without Kafka its readers
 * are the mover and the archive.
 */
export interface DiskBuffer {
  /**
   * Resolved = committed and fsynced. Concurrent callers share one transaction. Rejects with `buffer_full` before
   * anything is written, with `buffer_failed` when the file cannot be written; then nothing of the batch is stored.
   */
  append(envelopes: readonly Envelope[]): Promise<Range>;
  /**
   * A reader's view. The first call under a name registers it: nothing it has not committed is ever deleted. Only
   * `withKeys` do its batches carry keys.
   */
  source(reader: string, options?: { readonly withKeys?: boolean }): Source;
  /** Nobody reads under this name any more: what is kept for it alone may go. Idempotent. */
  retire(reader: string): Promise<void>;
  /**
   * Keeps records in quarantine that a reader could read and never deliver; the reader then commits past them. Resolved =
   * committed and fsynced. Idempotent by topic, position and index.
   */
  setAside(records: readonly SetAside[]): Promise<void>;
  stats(): Promise<BufferStats>;
  /** True while an append of `bytes` would be taken. Cheap, may be a moment old. */
  hasRoom(bytes: number): boolean;
  /** Idempotent. Waits for appends under way, checkpoints, closes the file. */
  close(): Promise<void>;
}

/** A record that the log behind the buffer refused for good. */
export interface SetAside {
  readonly topic: string;
  readonly type: string;
  /** Position of its batch's last record, and its index in that batch. */
  readonly position: number;
  readonly index: number;
  /** In words. */
  readonly reason: string;
  /** Its body, without the line break. */
  readonly body: string;
}

/** A run of records of one topic and partition, contiguous in position, as the log stored them. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  /** Position of the first and last record, inclusive, in this topic and partition. */
  readonly first: number;
  readonly last: number;
  /** The one event type of these records, or null when the records have to be asked. */
  readonly type: string | null;
  readonly count: number;
  /** When the edge took the oldest of them. */
  readonly oldestAtMs: number;
  /** The records' bodies, one a line, each line ended by \n. */
  readonly ndjson: Uint8Array;
  /** JSON array: the partition key of each record, or null. Of a source that was asked for them. */
  readonly keys?: string;
}

export interface PollOptions {
  /** Topics not to read from now: their tables are full or halted. */
  readonly paused: ReadonlySet<string>;
  readonly bytesMax: number;
}

/** What a mover reads. One consumer at a time per instance. */
export interface Source {
  /**
   * The batches that follow the last ones polled; waits for some, up to the abort of `signal` (then resolves empty).
   * Each partition's batches come in order. A record the log itself cannot read is set aside by the log, never returned.
   */
  poll(options: PollOptions, signal: AbortSignal): Promise<readonly Batch[]>;
  /** The reader has finished everything up to and including `last`; kept across restarts. */
  commit(position: { readonly topic: string; readonly partition: number; readonly last: number }): Promise<void>;
  close(): Promise<void>;
}

export interface Column {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
  readonly about: string;
}

/** The table of one event type, as the catalogue wants it. */
export interface TableDefinition {
  readonly type: string;
  readonly summary: string;
  /** Every key of a stored body of this type, in order; `event_id`, `event_type`, `received_at`, `timestamp` among them. */
  readonly columns: readonly Column[];
}

/** Rows of one table, as NDJSON chunks in order. */
export interface RowBlock {
  readonly type: string;
  readonly rows: number;
  readonly chunks: readonly Uint8Array[];
}

/** A record that can never become a row, with where it came from. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  /** Position of its batch's first record, and its index in that batch. */
  readonly position: number;
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
  readonly raw: Uint8Array;
  readonly failedAtMs: number;
}

/** Where the mover puts rows. Errors are PipelineErrors; their `retry` says what the caller may do. */
export interface Sink {
  /** Creates or grows what the catalogue needs, or rejects in words. Idempotent. */
  prepare(): Promise<void>;
  /** All rows or none. The same token twice stores once. Resolved = readable. */
  insert(block: RowBlock, token: string, signal: AbortSignal): Promise<void>;
  /** Whether the engine would take these rows: null, or its refusal. Stores nothing. */
  check(block: RowBlock, signal: AbortSignal): Promise<PipelineError | null>;
  /** Idempotent by topic, partition, position and index. */
  deadLetter(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A part of the process that runs until told to stop. */
export interface Loop {
  /** Resolves after the loop has stopped cleanly; rejects if it broke. */
  readonly done: Promise<void>;
  /** Idempotent. Finishes what is in flight, then stops. */
  stop(): Promise<void>;
}
