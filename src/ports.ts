// The glossary: every type that crosses a seam, and the contract of every port. No code.
//
// event     the client's JSON object
// envelope  ours: a judged event, addressed and stamped, on its way to the log
// batch     a run of records of one topic as the log stored them, contiguous in its partition
// block     rows of one table, gathered from batches, inserted at once
// row       what ClickHouse holds

import type { DeadReason, PipelineError } from './errors.ts';

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
  /** Where these events lie in it, as far as a bounded look finds them: the newest records first. */
  find(ids: readonly string[]): Promise<FoundInBuffer>;
  /** True while an append of `bytes` would be taken. Cheap, may be a moment old. */
  hasRoom(bytes: number): boolean;
  /** Idempotent. Waits for appends under way, checkpoints, closes the file. */
  close(): Promise<void>;
}

export interface FoundInBuffer {
  readonly events: readonly BufferedEvent[];
  /** False when there were too many records to look at all of them. */
  readonly isWhole: boolean;
}

export interface BufferedEvent {
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  /** Of its own, or where it was set aside of its batch's last record. */
  readonly position: number;
  /** When the edge took the oldest of those it was appended with, or when it was set aside. */
  readonly atMs: number;
  readonly body: string;
  /** Why it lies in quarantine; null = it waits for its readers. */
  readonly setAside: string | null;
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
  /** The one schema version they are of, where their stamp says it. */
  readonly version?: number;
  readonly count: number;
  /** When the edge took the oldest of them. */
  readonly oldestAtMs: number;
  /** The records' bodies, one a line, each line ended by \n. */
  readonly ndjson: Uint8Array;
  /** JSON array: the partition key of each record, or null. Of a source that was asked for them. */
  readonly keys?: string;
  /**
   * The batch is one record that cannot be a line: `ndjson` is its value as it is, `raw` with line breaks of its own,
   * `null` without any value (a tombstone). Of a log others write to; its type is null.
   */
  readonly form?: 'raw' | 'null';
  /**
   * Which ownership of the partition it was read under, where ownership can be lost. Goes back with the commit: what was
   * read under an ownership that has ended commits nothing. Such a batch has no gaps: first + index is a record's position.
   */
  readonly epoch?: number;
}

/** Up to where a reader has finished a partition, inclusive. A batch is one. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly last: number;
  readonly epoch?: number;
}

/** A record of the log that no edge of ours has written, or one of an older version, or that is judged once more. */
export interface ForeignRecord {
  /** Its own, not its batch's. */
  readonly position: number;
  /** The log's time of it or of one just before it in its batch, epoch milliseconds. */
  readonly atMs: number;
  /** Byte for byte; null is a tombstone. */
  readonly value: Uint8Array | null;
}

/** What an older ugc wrote is made into what this one writes first. */
export type ForeignVerdict =
  /** `body` is canonical, as an edge would have written it, on one line. */
  | { readonly ok: true; readonly type: string; readonly id: string; readonly body: string }
  | { readonly ok: false; readonly reason: DeadReason; readonly detail: string }
  /** A newer ugc wrote it: it may be a good row, and is not for this one to judge. */
  | { readonly ok: false; readonly reason: 'newer'; readonly detail: string };

/** Judges a foreign record by the schema of the edge. The same record at the same place gets the same event_id, always. */
export type JudgeForeign = (
  record: ForeignRecord,
  place: { readonly topic: string; readonly partition: number },
) => ForeignVerdict;

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
  commit(position: Position): Promise<void>;
  /** Whether the ownership a batch was read under still holds. Of a log that others read beside us; else it always does. */
  owns?(batch: Batch): boolean;
  /** In words what keeps it from reading just now; null = nothing. Of a log that is elsewhere. */
  problem?(): string | null;
  /**
   * Events behind the positions committed, by topic, as far as this reader owns them; a moment old at most where counting
   * is cheap. A topic that is not in it has none, or of a log that is elsewhere it is not known or not owned.
   */
  lag?(): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export interface Column {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
  readonly about: string;
  /** What its numbers stand for: readers get the words too, in a column called `column`. */
  readonly words?: { readonly column: string; readonly of: Readonly<Record<number, string>> };
  /** Readers get it under this name too: the one by which types are joined. */
  readonly alias?: string;
}

/** The table of one event type, as the catalogue wants it. */
export interface TableDefinition {
  readonly type: string;
  /** Of the type's definition; 1 when it is not said. */
  readonly version?: number;
  readonly summary: string;
  /** `events` does not show it. */
  readonly isInternal?: boolean;
  /** Rows may go so many days after they were received; undefined = never. */
  readonly retentionDays?: number;
  /** Every key of a stored body of this type, in order; `event_id`, `event_type`, `received_at`, `timestamp` among them. */
  readonly columns: readonly Column[];
}

/** What is counted from the exact tables and kept ready, exact whatever was repeated. */
export interface AggregateDefinition {
  readonly name: string;
  readonly summary: string;
  /** Columns that tell its rows apart, and by which they lie. */
  readonly key: readonly string[];
  /** Made of the exact tables of these types, or of `events`; those there are no tables of are left out. */
  readonly from: readonly {
    readonly type: string;
    /** Field → ClickHouse expression over a row of that table; each part has the same fields in the same order. */
    readonly as: Readonly<Record<string, string>>;
  }[];
  /** `is`: a ClickHouse expression over the fields of a group. */
  readonly columns: readonly (Column & { readonly is: string })[];
  /** Computed anew every so many intervals. */
  readonly pace: number;
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
