// What a mover reads.
//
// batch     a run of records of one topic as the log stored them, contiguous in its partition

import type { DeadReason } from '../errors.ts';

/** A run of records of one topic and partition, contiguous in position, as the log stored them. */
export interface Batch {
  /** Which log it was read from, where that is known: its positions are of this one and no other of the same name. */
  readonly log?: string;
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
   * One that rejects has moved nothing: the next one gives what it would have given.
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
