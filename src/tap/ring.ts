// The last events that have passed, request by request, for readers that come again: bounded in number and in bytes. What
// is older is gone.

import type { Outcome } from '../ports/log.ts';
import type { Glimpse, Judged } from '../ports/passing.ts';

/** The events of one request. */
export interface Entry {
  /** Number of its first event; the others follow. */
  readonly first: number;
  readonly atMs: number;
  readonly source: string;
  readonly judged: readonly Judged[];
  /** Of those that were good, in order. */
  readonly outcomes: readonly Outcome[];
  /** Of those that were rejected, in order; null where there were too many to look at. */
  readonly glimpses: readonly (Glimpse | null)[];
  /** Characters of bodies. */
  readonly length: number;
}

export interface Ring {
  /** Those that came after all it has. */
  add(entries: readonly Entry[]): void;
  /** Number of the oldest event it has; null = it has none. */
  oldest(): number | null;
  /** Entries with an event of this number or a later one; the first may begin before it. */
  from(number: number): readonly Entry[];
  clear(): void;
}

export interface RingOptions {
  readonly eventsMax?: number;
  readonly lengthMax?: number;
}

export function ringOf({ eventsMax = 2_048, lengthMax = 4_194_304 }: RingOptions = {}): Ring {
  let kept: Entry[] = [];
  let [events, length] = [0, 0];
  return {
    add(entries) {
      for (const entry of entries) {
        kept.push(entry);
        events += entry.judged.length;
        length += entry.length;
      }
      let gone = 0;
      while (gone < kept.length && (events > eventsMax || length > lengthMax)) {
        const entry = kept[gone++]!;
        events -= entry.judged.length;
        length -= entry.length;
      }
      if (gone > 0) kept.splice(0, gone);
    },
    oldest: () => kept[0]?.first ?? null,
    from: number => kept.filter(({ first, judged }) => first + judged.length > number),
    clear() {
      kept = [];
      [events, length] = [0, 0];
    },
  };
}
