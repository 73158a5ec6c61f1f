// The one idea behind every pace here: what is paced is due an interval after the one before it, and what a rest has
// saved may be used at once, up to a bound (the generic cell rate algorithm, ITU-T I.371).
//
// And one rule beside it: a pace owes nothing for time in which it held up no event. Who goes without having waited,
// since there was no reason to, is charged no more than one that had waited, so the next waits one interval at most.

export interface Spacing {
  /** When the next one may go. */
  freeAt(): number;
  /** One goes now, and the next is due `intervalMs` later. */
  take(nowMs: number, intervalMs: number): void;
}

/** `sparesMs`: so much of the interval may be used before it is over, after a rest as long. */
export function spacingOf(sparesMs: number): Spacing {
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return {
    freeAt: () => dueAtMs - sparesMs,
    take(nowMs, intervalMs) {
      dueAtMs = Math.min(Math.max(dueAtMs, nowMs), nowMs + sparesMs) + intervalMs;
    },
  };
}
