// How fast the drain goes while live events come in: faster than they do, and so that they hardly notice.
// - no live events: as fast as it can
// - else little of it is under way at once, which is what a live event may have to wait behind
// - and what live events wait for the broker's answer sets the rate. A tenth of a second in which more than one in a
//   hundred waited longer than twice the usual makes it slower by a third, any other one faster by a fiftieth: what it
//   found out to be too much it tries again seldom
// - the usual is learned while nothing is drained: the 99th percentile, wherever the broker is
// - never slower than three times what comes in, whichever events wait: the disk must get empty. What went while nobody
//   was there is not made up for (spacing.ts), and what went out then is waited for no longer than anything else

import { sleep } from '../process/sleep.ts';
import { spacingOf } from '../process/spacing.ts';

export interface Pace {
  /** Live events have had their answer from the broker, or have waited so long without. */
  answered(events: number, tookMs: number): void;
  /** Sends so many buffered events when it is their turn: first come, first served. At once when `signal` aborts. */
  send<T>(events: number, signal: AbortSignal, send: () => Promise<T>): Promise<T>;
}

export interface PaceOptions {
  /** Events a second below which the drain is not slowed. */
  readonly perSecondMin?: number;
  /** Events of the drain under way while there are live ones, unless the broker is further away than that. */
  readonly underWayMax?: number;
  /** A wait up to this is none. */
  readonly waitMsMin?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Slice {
  readonly events: number;
  readonly sentAtMs: number;
}

const windowMs = 100;
/** Fewer are no window before a second is over. */
const windowEvents = 20;
/** Without an event for so long there are none: live ones, or those of the drain. */
const quietMs = 1_000;
/** What takes longer waits for a broker that hangs: in front of no live event, and not to be waited for. */
const heldMsMax = 100;
/** A timer that rings late costs no more of the rate than this. */
const lateMsMax = 20;
const lateShare = 0.01;
const liveTimes = 3;
const [slower, faster] = [2 / 3, 1.02];

export function paceOf(options: PaceOptions = {}): Pace {
  const { perSecondMin = 5_000, underWayMax = 512, waitMsMin = 15 } = options;
  const { now = () => performance.now(), wait = sleep } = options;
  let perSecond = perSecondMin;
  let usualMs = waitMsMin / 2;
  let liveAtMs = Number.NEGATIVE_INFINITY;
  let sentAtMs = Number.NEGATIVE_INFINITY;
  const spacing = spacingOf(lateMsMax);
  /** Slices that live events may have to wait behind, the oldest first. */
  const underWay = new Set<Slice>();
  let lastTurn: Promise<void> = Promise.resolve();
  let onDone = () => {};
  let window = { fromMs: 0, events: 0, late: 0, isHeld: false };

  const isLive = (): boolean => now() - liveAtMs <= quietMs;

  function judge(atMs: number): void {
    const { fromMs, events, late, isHeld } = window;
    const floor = Math.max(perSecondMin, (liveTimes * events * 1_000) / (atMs - fromMs));
    if (late > lateShare * events) perSecond *= slower;
    else if (isHeld) perSecond *= faster; // only what was tried is known to be bearable
    perSecond = Math.max(perSecond, floor);
    window = { fromMs: atMs, events: 0, late: 0, isHeld: false };
  }

  async function turn(events: number, signal: AbortSignal): Promise<void> {
    const sentMeanwhile = (perSecond * 2 * usualMs) / 1_000;
    const room = Math.max(underWayMax, sentMeanwhile) - events;
    while (isLive() && !signal.aborted) {
      const held = heldNow();
      if (held.events === 0 || held.events <= room) break;
      await Promise.race([oneDone(), wait(held.untilMs - now(), signal)]);
    }
    const waitMs = spacing.freeAt() - now();
    if (waitMs > 0 && isLive()) {
      window.isHeld = true;
      await wait(waitMs, signal);
    }
    sentAtMs = now();
    spacing.take(sentAtMs, (events * 1_000) / perSecond);
  }

  /** What is under way and not for too long, and when the first of it will be. */
  function heldNow(): { readonly events: number; readonly untilMs: number } {
    const sinceMs = now() - heldMsMax;
    let [events, untilMs] = [0, 0];
    for (const slice of underWay) {
      if (slice.sentAtMs <= sinceMs) underWay.delete(slice);
      else if (events === 0) [events, untilMs] = [slice.events, slice.sentAtMs + heldMsMax];
      else events += slice.events;
    }
    return { events, untilMs };
  }

  const oneDone = (): Promise<void> =>
    new Promise(resolve => {
      onDone = resolve;
    });

  return {
    answered(events, tookMs) {
      const atMs = now();
      if (!isLive()) window = { fromMs: atMs, events: 0, late: 0, isHeld: false };
      liveAtMs = atMs;
      window.events += events;
      if (tookMs > Math.max(waitMsMin, 2 * usualMs)) window.late += events;
      const isAlone = underWay.size === 0 && atMs - sentAtMs > quietMs;
      // In balance when one in a hundred is above it.
      if (isAlone) usualMs *= tookMs > usualMs ? 1 + 0.05 * (1 - lateShare) : 1 - 0.05 * lateShare;
      const ageMs = atMs - window.fromMs;
      if (ageMs >= windowMs && (window.events >= windowEvents || ageMs >= quietMs)) judge(atMs);
    },

    async send(events, signal, send) {
      const before = lastTurn;
      const granted = Promise.withResolvers<void>();
      lastTurn = granted.promise;
      await before;
      await turn(events, signal);
      const slice = { events, sentAtMs };
      underWay.add(slice);
      granted.resolve();
      try {
        return await send();
      } finally {
        underWay.delete(slice);
        onDone();
      }
    },
  };
}
