// The port through which single events are looked for in the tables. Types and contracts only.

import type { FoundLetter } from './letters.ts';

/** Rejects with the sink's errors; with them, too, while there are no tables to ask. */
export interface Presence {
  /** Of these ids, those whose row can be read in the exact table of the type. */
  present(type: string, ids: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** What the tables hold of single events. Rejects as Presence does. */
export interface EventTables extends Presence {
  /** Rows and dead letters of these ids, of whatever type. */
  find(ids: readonly string[], signal: AbortSignal): Promise<readonly FoundEvent[]>;
}

export type FoundEvent = EventRow | EventLetter;

/** Times are ISO 8601. */
export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly receivedAt: string;
  readonly timestamp: string;
}

export interface EventLetter {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly index: number;
  readonly log: string;
  readonly reason: string;
  readonly failedAt: string;
  /** When it became a row after all, or null. */
  readonly replayedAt: string | null;
}

/** All that the tables hold of one event. */
export interface TracedEvent {
  readonly rows: readonly TracedRow[];
  readonly letters: readonly FoundLetter[];
}

export interface TracedRow {
  readonly type: string;
  /** As a query names it: `ugc.click`. */
  readonly table: string;
  /** As readers see it. */
  readonly row: Readonly<Record<string, unknown>>;
  /** Physically there so many times; readers see one. */
  readonly copies: number;
  readonly receivedAtMs: number;
}

/** Rejects with the sink's errors. */
export interface TracedTables {
  trace(id: string, signal: AbortSignal): Promise<TracedEvent>;
}
