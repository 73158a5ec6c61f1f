// The port through which an operator's commands see the buffer's file, beside whatever instance is using it. Types and
// contracts only.

import type { Envelope } from './log.ts';

/** Which records of the buffer; what is undefined is any. */
export interface BufferFilter {
  readonly topic?: string | undefined;
  readonly type?: string | undefined;
  /** event_id. */
  readonly id?: string | undefined;
  /** Of the quarantine: how the reason begins, whatever its case. */
  readonly reason?: string | undefined;
}

/**
 * The buffer's file for its operator, beside whatever instance is using it. Reads in short snapshots, writes in short
 * transactions: no process's append waits for it. Synchronous; the walks can take as long as the file is large.
 */
export interface BufferFile {
  stat(): BufferReport;
  /** Oldest first, up to the last one there was at the start. Damage is told and left out. */
  records(filter: BufferFilter, onDamage: (damage: BufferDamage) => void): Iterable<BufferRecord>;
  quarantined(filter: BufferFilter): Iterable<QuarantinedRecord>;
  /** Everything that can be proven about the file, changing nothing. */
  verify(onProgress: (events: number, ofEvents: number) => void): BufferVerdict;
  /** What would be given up with this reader; null when there is none of that name. */
  backlogOf(reader: string): ReaderBacklog | null;
  close(): void;
}

/** The same, for what changes it. */
export interface BufferRepair extends BufferFile {
  /**
   * Moves these records from quarantine to the end of the log in one transaction: each is in one of the two, whatever
   * dies. Gives back how many; one that another process has moved meanwhile is not moved again. Throws `buffer_full` when
   * there is no room, then all stay. A caller that has many moves a few at a time and rests in between.
   */
  requeue(records: readonly Requeued[]): number;
  /**
   * Puts these at the end of the log, in one transaction and fsynced, as the edge does. False, and nothing is written, while
   * less than `spareBytes` would be left: that is for those who send. Throws `buffer_full` when there is no room at all.
   */
  append(envelopes: readonly Envelope[], spareBytes: number): boolean;
  /** Nothing is kept for this reader any more; space is given back by `sweep`. False when there is none of that name. */
  forget(reader: string): boolean;
  /** One short step of giving back what no reader needs any more. */
  sweep(): { readonly swept: 'more' | 'done' | 'failed'; readonly events: number };
}

/** A record of the quarantine and the envelope it becomes. */
export interface Requeued {
  readonly from: QuarantinedRecord;
  readonly envelope: Envelope;
}

export interface BufferReport {
  readonly events: number;
  /** Of the file and its write-ahead log. */
  readonly fileBytes: number;
  /** Bytes of the file in use. */
  readonly bytes: number;
  /** Bytes an append may still have. */
  readonly left: number;
  readonly oldestAtMs: number | null;
  /** Rows whose pages cannot be read. */
  readonly unreadableRows: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly type: string;
    readonly events: number;
    readonly bytes: number;
    readonly oldestAtMs: number;
  }[];
  readonly readers: readonly {
    readonly reader: string;
    /** Events it has not passed. */
    readonly behind: number;
    readonly topics: readonly { readonly topic: string; readonly position: number | null; readonly behind: number }[];
  }[];
  readonly quarantine: readonly { readonly reason: string; readonly records: number; readonly oldestAtMs: number }[];
}

export interface BufferRecord {
  readonly topic: string;
  readonly type: string;
  readonly position: number;
  readonly key: string | null;
  /** When the edge took the oldest of the records appended with it. */
  readonly receivedAtMs: number;
  readonly body: Uint8Array;
}

export interface QuarantinedRecord {
  readonly topic: string;
  readonly type: string;
  /** Position of its row's last record, and its line in that row. */
  readonly position: number;
  readonly index: number;
  /** How many records this entry stands for. */
  readonly records: number;
  readonly reason: string;
  readonly atMs: number;
  readonly raw: Uint8Array;
}

export interface BufferDamage {
  readonly position: number;
  /** How many records, or null when that cannot be told. */
  readonly records: number | null;
  readonly what: string;
}

export interface BufferVerdict {
  readonly rows: number;
  readonly events: number;
  readonly bytes: number;
  readonly quarantined: number;
  /** The first thousand. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

export interface ReaderBacklog {
  /** Events the reader has not passed. */
  readonly behind: number;
  /** Of those, the ones no other reader still has to pass: they would be deleted. */
  readonly lost: number;
  readonly otherReaders: readonly string[];
}
