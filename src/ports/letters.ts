// The port through which dead letters are looked for and marked. Types and contracts only.

import type { DeadLetter } from './sink.ts';

export interface FoundLetter extends DeadLetter {
  /** When it became a row after all, epoch milliseconds, or null. */
  readonly replayedAtMs: number | null;
  /** When an operator gave it up for good, epoch milliseconds, or null. */
  readonly dismissedAtMs: number | null;
  /** What was said then. */
  readonly dismissedWhy: string;
}

/** Where a letter lies: what tells it from every other. */
export type LetterPlace = Pick<DeadLetter, 'topic' | 'partition' | 'position' | 'index' | 'log'>;

/** `open`: neither a row by now nor dismissed. */
export type LetterState = 'open' | 'dismissed' | 'any';

export interface LetterFilter {
  readonly topic?: string | undefined;
  readonly reason?: string | undefined;
  /** Given up before this, epoch milliseconds. */
  readonly beforeMs?: number | undefined;
  /** Open ones when nothing is said. */
  readonly state?: LetterState | undefined;
  /** Only these; none given = all. */
  readonly places?: readonly LetterPlace[] | undefined;
  /** Only those behind it. */
  readonly after?: LetterPlace | undefined;
  readonly limit: number;
  /** Of `raw`, what is beyond is left out; absent = all of it. */
  readonly rawBytesMax?: number;
}

export type LetterSelection = Omit<LetterFilter, 'limit' | 'rawBytesMax'>;

export interface LetterCount {
  readonly topic: string;
  readonly reason: string;
  readonly letters: number;
}

/** Everything rejects with the sink's errors. */
export interface Letters {
  find(filter: LetterFilter): Promise<readonly FoundLetter[]>;
  /** How many there are that fit, whatever the limit. */
  count(filter: LetterSelection): Promise<readonly { readonly reason: string; readonly letters: number }[]>;
  /** The same by topic, too. */
  countByTopic(filter: LetterSelection): Promise<readonly LetterCount[]>;
  /** They became rows. Idempotent. */
  markReplayed(places: readonly LetterPlace[], atMs: number): Promise<void>;
  /** The open ones that fit are given up for good; those that are not open stay as they are. Idempotent. */
  dismiss(filter: LetterSelection, mark: { readonly atMs: number; readonly why: string }): Promise<void>;
  /** The dismissed ones that fit are open again. Idempotent. */
  reopen(filter: LetterSelection): Promise<void>;
}
