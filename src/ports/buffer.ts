// The disk buffer: an append-only log on disk with named readers.

import type { Envelope } from './log.ts';
import type { PositionedSource } from './source.ts';

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
 * The append-only log on disk, with named readers. With a broker its only reader is the drain; without one its readers
 * are the mover and the archive.
 */
export interface DiskBuffer {
  /**
   * A UUID: which log its positions are of. Kept in the file: another file in its place has another. Null until the
   * file could be opened, when nothing has been read of it.
   */
  readonly id: string | null;
  /**
   * Resolved = committed and fsynced. Concurrent callers share one transaction. Rejects with `buffer_full` before
   * anything is written, with `buffer_failed` when the file cannot be written; then nothing of the batch is stored.
   */
  append(envelopes: readonly Envelope[]): Promise<Range>;
  /**
   * A reader's view. The first call under a name registers it: nothing it has not committed is ever deleted. Only
   * `withKeys` do its batches carry keys.
   */
  source(reader: string, options?: { readonly withKeys?: boolean }): PositionedSource;
  /**
   * Registers these readers and forgets every other, at once or not at all: what is kept for the others alone may go. Says
   * whom it has forgotten. A reader of another process that lives on registers again with its next commit. Where the file
   * could not be opened yet it resolves once it is.
   */
  keepReaders(readers: readonly string[]): Promise<readonly ForgottenReader[]>;
  /**
   * Keeps records in quarantine that a reader could read and never deliver; the reader then commits past them. Resolved
   * = committed and fsynced. Idempotent by topic, position and index.
   */
  setAside(records: readonly SetAside[]): Promise<void>;
  stats(): Promise<BufferStats>;
  /** Where these events lie in it, as far as a bounded look finds them: the newest records first. */
  find(ids: readonly string[]): Promise<FoundInBuffer>;
  /** In words why it is not open yet, when there is no room to open it; null when it is open. */
  problem(): string | null;
  /** True while an append of `bytes` would be taken. Cheap, may be a moment old. */
  hasRoom(bytes: number): boolean;
  /** Idempotent. Waits for appends under way, checkpoints, closes the file. */
  close(): Promise<void>;
}

export interface ForgottenReader {
  readonly reader: string;
  /** Events it had not passed; null where damage hides how many. */
  readonly behind: number | null;
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
