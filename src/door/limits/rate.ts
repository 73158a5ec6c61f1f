// How much each of many may send: a token bucket a client, kept as one number, the time at which it is full again (the virtual
// scheduling of the generic cell rate algorithm, ITU-T I.371 Annex A). Who is let in with one token left may take more than
// that, as what a body holds is known only once it is read; the debt is paid by waiting.

export interface Rates {
  /** Takes one token: 0, or the milliseconds until there is one. */
  take(who: string, perSecond: number): number;
  /** Takes so many more, whether they are there or not. */
  spend(who: string, count: number, perSecond: number): void;
  /** Less than half of the bucket is left. */
  isLow(who: string, perSecond: number): boolean;
  /** As it is just now. */
  standing(who: string, perSecond: number): Standing;
  /** Buckets that were not full and had to be forgotten for others, since the last time this was asked. */
  forgotten(): number;
  readonly size: number;
}

export interface Standing {
  /** Tokens of a full bucket. */
  readonly capacity: number;
  /** Whole tokens left, 0 with a debt. */
  readonly left: number;
  /** Until the bucket is full; more than `windowMs` with a debt. */
  readonly fullInMs: number;
  /** In which an empty one fills. */
  readonly windowMs: number;
}

export interface RatesOptions {
  /** A full bucket holds what comes in so long. */
  readonly burstMs: number;
  /** Clients remembered; those not seen for the longest are forgotten first. */
  readonly clientsMax: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

export function ratesOf({ burstMs, clientsMax, now = () => performance.now() }: RatesOptions): Rates {
  /** When each bucket is full. Two generations: half of the clients are forgotten at once, and none has to be searched for. */
  let recent = new Map<string, number>();
  let older = new Map<string, number>();
  let forgotten = 0;

  /** A bucket of less than one token would never let anybody in. */
  const windowOf = (perSecond: number): number => Math.max(burstMs, 1_000 / perSecond);

  const fullAtOf = (who: string): number => recent.get(who) ?? older.get(who) ?? 0;

  function set(who: string, fullAt: number, at: number): void {
    recent.set(who, fullAt);
    if (recent.size * 2 <= clientsMax) return;
    for (const [each, then] of older) if (then > at && !recent.has(each)) forgotten++;
    older = recent;
    recent = new Map();
  }

  return {
    take(who, perSecond) {
      const at = now();
      const fullAt = Math.max(fullAtOf(who), at) + 1_000 / perSecond;
      const waitMs = fullAt - at - windowOf(perSecond);
      if (waitMs > roundingMs) return waitMs;
      set(who, fullAt, at);
      return 0;
    },
    spend(who, count, perSecond) {
      if (count <= 0) return;
      const at = now();
      set(who, Math.max(fullAtOf(who), at) + (count * 1_000) / perSecond, at);
    },
    isLow: (who, perSecond) => (fullAtOf(who) - now()) * 2 > windowOf(perSecond),
    standing(who, perSecond) {
      const windowMs = windowOf(perSecond);
      const tokensIn = (ms: number): number => Math.max(0, Math.floor(((ms + roundingMs) * perSecond) / 1_000));
      const fullInMs = Math.max(0, fullAtOf(who) - now());
      return { capacity: tokensIn(windowMs), left: tokensIn(windowMs - fullInMs), fullInMs, windowMs };
    },
    forgotten() {
      const since = forgotten;
      forgotten = 0;
      return since;
    },
    get size() {
      return recent.size + older.size;
    },
  };
}

/** Sums of fractions of a millisecond are a little off. */
const roundingMs = 1e-6;
