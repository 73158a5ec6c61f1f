// A run: requests leave when they are due, as long as a connection is free; what is due and has none waits, and its time runs
// from when it was due. So many requests are under way at most as there are connections. Nothing is skipped: what could not be
// sent by the end is counted. Nothing is sent a second time: an answer that says so is an answer.

import { PipelineError } from '../errors.ts';
import { sleep } from '../process/sleep.ts';
import type { Books, Edge, Lanes } from './lanes.ts';
import { type Serials, serials } from './run-ids.ts';
import type { Schedule } from './schedule.ts';
import { type Curve, type Span, type Totals, tally } from './tally.ts';

export interface RunOptions {
  /** To whom, and on what ways. */
  readonly open: (books: Books, signal: AbortSignal) => Lanes;
  /** The same in words: `http://127.0.0.1:8080`. */
  readonly where: string;
  /** Null: as fast as answers come. */
  readonly schedule: Schedule | null;
  /** Events of a request. */
  readonly batch: number;
  /** Of a run without a schedule. */
  readonly seconds: number;
  /** Once a second. */
  readonly onSecond: (span: Span, totals: () => Totals) => void;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly totals: Totals;
  readonly seconds: number;
  /** Requests that were due and could not be sent by the end; their clients have waited in vain. */
  readonly unsent: number;
  /** Sent, without an answer by the end. */
  readonly unanswered: number;
  /** Failures to open a connection, and the last one in words. */
  readonly refusals: number;
  readonly refusal: string;
  /** Whom it loaded, one by one. */
  readonly edges: readonly Edge[];
  readonly curves: { readonly due: Curve; readonly sent: Curve };
  readonly perSecond: readonly Span[];
  readonly perLevel: readonly Span[];
  /** Of the events that were accepted. */
  readonly acked: Serials;
  /** Microseconds of this process's cores. */
  readonly cpuUs: number;
}

const tickMs = 1;
/** After the last request answers may take so long. */
const graceMs = 15_000;
/** A server that takes no connection by then is not there. */
const connectMs = 10_000;

/** Throws `not_found` when no connection can be opened. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { schedule, signal } = options;
  const counts = tally();
  const levels = tally();
  const acked = serials();
  const over = new AbortController();
  const lanes = options.open({ tallies: [counts, levels], acked }, over.signal);
  await until(() => lanes.isReady, connectMs, signal);
  if (!lanes.isReady && !signal.aborted) {
    over.abort();
    lanes.close();
    throw new PipelineError(
      'not_found',
      `nobody takes a connection at ${options.where}: ${lanes.refusal}; is it running, and --url right?`,
    );
  }
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const endMs = schedule?.lengthMs ?? options.seconds * 1_000;
  const perSecond: Span[] = [];
  const perLevel: Span[] = [];
  let [second, level, levelAt, now] = [1, 0, 0, 0];

  const askedBetween = (fromMs: number, toMs: number): number | null =>
    schedule === null ? null : schedule.rateAt((fromMs + toMs) / 2) * options.batch;
  const endLevel = (): void => {
    if (now <= levelAt) return;
    perLevel.push(
      levels.span({ at: levelAt / 1_000, seconds: (now - levelAt) / 1_000, askedPerS: askedBetween(levelAt, now) }),
    );
    levelAt = now;
  };
  lanes.begin(startedMs, endMs);
  while (!signal.aborted) {
    now = Math.min(performance.now() - startedMs, endMs);
    lanes.pump();
    if (now >= second * 1_000 || now >= endMs) {
      const at = perSecond.reduce((sum, { seconds }) => sum + seconds, 0);
      if (now / 1_000 - at > 0.05) {
        const span = counts.span({ at, seconds: now / 1_000 - at, askedPerS: askedBetween(at * 1_000, now) });
        perSecond.push(span);
        options.onSecond(span, counts.totals);
      }
      second = Math.floor(now / 1_000) + 1;
    }
    if (schedule !== null && schedule.levelAt(now) > level) {
      endLevel();
      level = schedule.levelAt(now);
    }
    if (now >= endMs) break;
    await Bun.sleep(tickMs);
  }
  const seconds = Math.min(performance.now() - startedMs, endMs) / 1_000;
  const unsent = lanes.end(seconds * 1_000);
  await until(() => lanes.underWay === 0, graceMs, new AbortController().signal);
  endLevel();
  const cpu = process.cpuUsage(cpuBefore);
  const unanswered = lanes.underWay;
  over.abort();
  lanes.close();
  return {
    totals: counts.totals(),
    seconds,
    unsent,
    unanswered,
    refusals: lanes.refusals,
    refusal: lanes.refusal,
    edges: lanes.edges(),
    curves: counts.curves(),
    perSecond,
    perLevel,
    acked,
    cpuUs: cpu.user + cpu.system,
  };
}

async function until(isSo: () => boolean, mostMs: number, signal: AbortSignal): Promise<void> {
  for (const from = performance.now(); !isSo() && performance.now() - from < mostMs && !signal.aborted; )
    await sleep(5, signal);
}
