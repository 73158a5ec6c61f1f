// When each request is due, before any is sent: what the server does has no say in it, so a stall is felt by all who would
// have come meanwhile (no coordinated omission). A schedule is a row of levels; within one the rate rises or falls evenly.

export interface Level {
  readonly seconds: number;
  /** Requests a second at its beginning and its end. */
  readonly from: number;
  readonly to: number;
}

export interface Schedule {
  /** Of the request of this number, from 0 on: milliseconds since the start; Infinity behind the last. */
  dueAtMs(request: number): number;
  readonly requests: number;
  readonly lengthMs: number;
  readonly levels: readonly Level[];
  /** Requests a second, at that moment. */
  rateAt(ms: number): number;
  /** Which level that moment belongs to. */
  levelAt(ms: number): number;
}

export interface Shape {
  /** Requests a second, in the end. */
  readonly rate: number;
  readonly seconds: number;
  /** At the beginning the rate rises from nothing for so long; within `seconds`. */
  readonly rampSeconds: number;
  /** So many levels of the same length, each a step higher; 1 = the rate all the time. */
  readonly steps: number;
}

export function levelsOf({ rate, seconds, rampSeconds, steps }: Shape): Level[] {
  const ramp = Math.min(rampSeconds, seconds);
  const each = (seconds - ramp) / steps;
  const rising = ramp === 0 ? [] : [{ seconds: ramp, from: 0, to: rate / steps }];
  const level = (step: number): Level => ({ seconds: each, from: (rate * step) / steps, to: (rate * step) / steps });
  return each === 0 ? rising : [...rising, ...Array.from({ length: steps }, (_, at) => level(at + 1))];
}

export function scheduleOf(levels: readonly Level[]): Schedule {
  let [requests, lengthMs] = [0, 0];
  const parts = levels.map(level => {
    const part = { ...level, first: requests, startMs: lengthMs };
    requests += ((level.from + level.to) / 2) * level.seconds;
    lengthMs += level.seconds * 1_000;
    return part;
  });
  const whole = Math.floor(requests + 1e-6);
  const levelAt = (ms: number): number =>
    Math.max(
      0,
      parts.findLastIndex(({ startMs }) => startMs <= ms),
    );
  let at = 0; // requests are asked for in order, or nearly
  return {
    requests: whole,
    lengthMs,
    levels,
    dueAtMs(request) {
      if (request >= whole) return Number.POSITIVE_INFINITY;
      while (at > 0 && parts[at]!.first > request) at--;
      while (at + 1 < parts.length && parts[at + 1]!.first <= request) at++;
      const { first, startMs, seconds, from, to } = parts[at]!;
      return startMs + 1_000 * timeTo(request - first, from, (to - from) / seconds);
    },
    rateAt(ms) {
      const { from, to, startMs, seconds } = parts[levelAt(ms)]!;
      return from + (to - from) * Math.min(1, (ms - startMs) / 1_000 / seconds);
    },
    levelAt,
  };
}

/** Seconds until `count` have come at a rate that begins with `from` and changes by `slope` a second: from·t + slope·t²/2 = count. */
function timeTo(count: number, from: number, slope: number): number {
  if (count <= 0) return 0;
  if (slope === 0) return count / from;
  return (2 * count) / (from + Math.sqrt(from * from + 2 * slope * count));
}
