// What time it is, for events: the stamp each request gets, and whether this machine's clock can be believed at all.
//
// - The first received of several events with one id wins, by its stamp. So within a process, and from one to the next on
//   a data folder, stamps do not go back when the clock does: they pass at half its speed until it has caught up. A clock
//   set back further than that is worth was so wrong that it is followed.
// - A clock that stands before this program was built is wrong for certain: what were stamped by it would be gone by its
//   table's retention at once, or win over everything. One that is far from others' is doubted.

export interface Clock {
  /** Of an event that has come just now, epoch milliseconds. */
  stamp(): number;
  /** As the machine has it. */
  now(): number;
  /** What another machine's clock has said just now. */
  compare(who: string, theirMs: number): void;
  /** Why it is not to be believed; null = as far as is known it is. */
  problem(): ClockProblem | null;
}

export interface ClockProblem {
  readonly words: string;
  /** False: it may be the other clock that is wrong. */
  readonly isCertain: boolean;
}

export interface ClockOptions {
  /** When this program was built; 0 = it is not known. */
  readonly builtAtMs?: number;
  /** The last stamp of the process before; 0 = it is not known. */
  readonly lastMs?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic?: () => number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** The clock of the machine that built it may be ahead, too. */
const builtAheadMsMax = dayMs;
/** Two clocks that are further apart are not both right. */
const apartMsMax = hourMs;
/** What was compared so long ago is not known any more. */
const comparedMsMax = 10 * 60_000;
/** A clock set back further is followed: twice an hour, as daylight saving and zones that are not UTC make it. */
const heldBackMsMax = 2 * hourMs;

export function clockOf(options: ClockOptions = {}): Clock {
  const { builtAtMs = 0, now = Date.now, monotonic = () => performance.now() } = options;
  const others = new Map<string, { readonly theirsAheadMs: number; readonly atMs: number }>();
  let stampMs = options.lastMs ?? 0;
  let stampedAtMs = monotonic();

  return {
    now,
    stamp() {
      const nowMs = now();
      const atMs = monotonic();
      const isBehind = nowMs < stampMs && stampMs - nowMs <= heldBackMsMax;
      stampMs = isBehind ? stampMs + (atMs - stampedAtMs) / 2 : nowMs;
      stampedAtMs = atMs;
      return Math.floor(stampMs);
    },
    compare(who, theirMs) {
      others.set(who, { theirsAheadMs: theirMs - now(), atMs: monotonic() });
    },
    problem() {
      const nowMs = now();
      if (nowMs < builtAtMs - builtAheadMsMax)
        return {
          words: `the clock says ${isoOf(nowMs)}, and this program was built at ${isoOf(builtAtMs)}: set the clock`,
          isCertain: true,
        };
      for (const [who, { theirsAheadMs, atMs }] of others) {
        if (monotonic() - atMs > comparedMsMax || Math.abs(theirsAheadMs) <= apartMsMax) continue;
        const apart = `${(Math.abs(theirsAheadMs) / hourMs).toFixed(1)} h ${theirsAheadMs > 0 ? 'behind' : 'ahead of'}`;
        return { words: `the clock is ${apart} that of ${who}: one of the two is wrong`, isCertain: false };
      }
      return null;
    },
  };
}

/** Epoch milliseconds in ISO 8601, UTC. */
export const isoOf = (ms: number): string => new Date(ms).toISOString();
