// What a mover reads.
//
// batch     a run of records of one topic as the log stored them, in order
// ack       what a source needs to know that its reader is through with a batch
// position  where a record stands in its log, of logs that have such a thing
//
// Committing and identity are two things: how a log notes progress (an offset, a row, a delivery tag) is its own matter, and
// need not be what tells a record from every other.

import type { DeadReason } from '../errors.ts';

declare const inside: unique symbol;

/** Opaque: made by a source, handed back to it, looked into by nobody else. */
export interface Ack {
  readonly [inside]: never;
}

/** What a log has of one partition now, by positions: from the first record that is still there to behind the last. */
export interface LogSpan {
  readonly topic: string;
  /** Identity of the log, as of a Batch; '' where it tells none. */
  readonly log: string;
  readonly partition: number;
  readonly first: number;
  readonly next: number;
}

/** A run of records of one topic and partition, as the log stored them. */
export interface Batch {
  /** For its commit. */
  readonly ack: Ack;
  /** Which log it was read from, where that is known: its positions are of this one and no other of the same name. */
  readonly log?: string;
  readonly topic: string;
  readonly partition: number;
  /**
   * Position of the first and last record, inclusive, in this topic and partition: the same whenever and by whomever they
   * are read. Neither is there where the log has no place for a record that outlives redelivery; then its bytes alone tell
   * it from every other.
   */
  readonly first?: number;
  readonly last?: number;
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
   * Which ownership of the partition it was read under, where ownership can be lost: what was read under one is not before
   * what was read under another, and what was read under one that has ended commits nothing. Such a batch has no gaps:
   * first + index is a record's position.
   */
  readonly epoch?: number;
  /** Names of the spans that have published some of these records (ports/tracing.ts); absent = none, or nobody asked for them. */
  readonly traceparents?: readonly string[];
}

/** Of a log whose records have positions. */
export interface PositionedBatch extends Batch {
  readonly first: number;
  readonly last: number;
}

/** A record of the log that no edge of ours has written, or one of an older version, or that is judged once more. */
export interface ForeignRecord {
  /** Its own, not its batch's; null where it has none that outlives redelivery. */
  readonly position: number | null;
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

/**
 * Judges a foreign record by the schema of the edge. The same record at the same place gets the same event_id, always; one
 * without a place, the same as any other of the same bytes.
 */
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
   * One that rejects has moved nothing: the next one gives what it would have given.
   */
  poll(options: PollOptions, signal: AbortSignal): Promise<readonly Batch[]>;
  /**
   * The reader has finished this batch and all that were handed out before it of the same topic, partition and ownership;
   * kept across restarts. One that was finished already, or is of an ownership that has ended, changes nothing.
   */
  commit(ack: Ack): Promise<void>;
  /** Whether the ownership a batch was read under still holds. Of a log that others read beside us; else it always does. */
  owns?(batch: Batch): boolean;
  /** In words what keeps it from reading just now; null = nothing. Of a log that is elsewhere. */
  problem?(): string | null;
  /**
   * Events behind what is committed, by topic, as far as this reader owns them; a moment old at most where counting
   * is cheap. A topic that is not in it has none, or of a log that is elsewhere it is not known or not owned.
   */
  lag?(): ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** A source whose records have positions. */
export interface PositionedSource extends Source {
  poll(options: PollOptions, signal: AbortSignal): Promise<readonly PositionedBatch[]>;
}
