// What a run comes to, counted while it runs: answers by their names, events by what became of them, and times twice, from when
// a request was due and from when it was sent. The first is what clients feel; the second alone would hide every stall.

import { build, type Histogram } from 'hdr-histogram-js';
import type { Verdict } from './answers.ts';

/** Milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

/** Percentiles and their milliseconds, rising: ten of each nine, as far as there were requests to tell them apart. */
export type Curve = readonly (readonly [percent: number, ms: number])[];

export interface Span {
  /** Seconds since the start, of its beginning, and its length. */
  readonly at: number;
  readonly seconds: number;
  /** A second, as the schedule has it; null in a run as fast as answers come. */
  readonly askedPerS: number | null;
  readonly sentPerS: number;
  readonly acceptedPerS: number;
  readonly due: Times;
}

export interface Totals extends Verdict {
  readonly requests: number;
  readonly events: number;
  /** Requests by their answer's name. */
  readonly answers: Readonly<Record<string, number>>;
  /** Answers that said when to come again. */
  readonly retryAfter: number;
  /** Requests sent more than `lateMs` after they were due. */
  readonly late: number;
  readonly bytes: number;
  readonly due: Times;
  readonly sent: Times;
}

export interface Answer {
  readonly dueMs: number;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly name: string;
  readonly retryAfter: boolean;
  readonly verdict: Verdict;
}

export interface Tally {
  sent(events: number, bytes: number, lateByMs: number): void;
  answered(answer: Answer): void;
  /** Ends a span of time, which began with the one before: a second of it, or a level. */
  span(at: Pick<Span, 'at' | 'seconds' | 'askedPerS'>): Span;
  totals(): Totals;
  /** Of the times from when requests were due, and from when they were sent. */
  curves(): { readonly due: Curve; readonly sent: Curve };
}

export const lateMs = 10;

/** Microseconds; an hour is the most there is. */
const histogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

const verdictNames = ['accepted', 'wronglyRefused', 'wronglyTaken', 'refused', 'dropped', 'failed'] as const;

export function tally(): Tally {
  const due = histogram();
  const sent = histogram();
  const spanDue = histogram();
  const answers = new Map<string, number>();
  const sum = { accepted: 0, wronglyRefused: 0, wronglyTaken: 0, refused: 0, dropped: 0, failed: 0 };
  let [requests, events, bytes, late, retryAfter] = [0, 0, 0, 0, 0];
  let before = { events: 0, accepted: 0 };
  return {
    sent(count, length, lateByMs) {
      requests++;
      events += count;
      bytes += length;
      if (lateByMs > lateMs) late++;
    },
    answered({ dueMs, sentMs, answeredMs, name, retryAfter: again, verdict }) {
      const us = micros(answeredMs - dueMs);
      due.recordValue(us);
      spanDue.recordValue(us);
      sent.recordValue(micros(answeredMs - sentMs));
      answers.set(name, (answers.get(name) ?? 0) + 1);
      if (again) retryAfter++;
      for (const word of verdictNames) sum[word] += verdict[word];
    },
    span({ at, seconds, askedPerS }) {
      const span: Span = {
        at,
        seconds,
        askedPerS,
        sentPerS: (events - before.events) / seconds,
        acceptedPerS: (sum.accepted - before.accepted) / seconds,
        due: timesOf(spanDue),
      };
      before = { events, accepted: sum.accepted };
      spanDue.reset();
      return span;
    },
    totals: () => ({
      ...sum,
      requests,
      events,
      bytes,
      late,
      retryAfter,
      answers: Object.fromEntries([...answers].toSorted(([, a], [, b]) => b - a)),
      due: timesOf(due),
      sent: timesOf(sent),
    }),
    curves: () => ({ due: curveOf(due), sent: curveOf(sent) }),
  };
}

const micros = (ms: number): number => Math.min(3_600_000_000, Math.max(0, Math.round(ms * 1_000)));

function timesOf(of: Histogram): Times {
  const at = (percentile: number): number => of.getValueAtPercentile(percentile) / 1_000;
  return {
    p50: at(50),
    p75: at(75),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: of.maxValue / 1_000,
    mean: of.totalCount === 0 ? 0 : of.mean / 1_000,
  };
}

const pointsOfNine = 10;

/** The last point is the highest time there was, at the share of all but one. */
function curveOf(of: Histogram): Curve {
  const points: [number, number][] = [];
  const last = Math.log10(Math.max(1, of.totalCount));
  for (let at = 0; at / pointsOfNine < last; at++) {
    const percent = 100 * (1 - 10 ** (-at / pointsOfNine));
    points.push([percent, Math.min(of.maxValue, of.getValueAtPercentile(percent)) / 1_000]);
  }
  if (of.totalCount > 0) points.push([100 * (1 - 1 / of.totalCount), of.maxValue / 1_000]);
  return points;
}
