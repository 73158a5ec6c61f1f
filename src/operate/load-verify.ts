// Every accepted event of a run held against the exact tables: a bit each for what was accepted and what was found, so that a
// hundred million of them are some megabytes. Missing is what was accepted and has no row; more than one row is a duplicate;
// a row without an acceptance is one whose answer was lost or said that it failed, which is no fault: its outcome was unknown.

import type { RunRows } from '../adapters/clickhouse/ask/run-rows.ts';
import { type Serials, serials } from '../load/run-ids.ts';
import { sleep } from '../process/sleep.ts';

export interface Verified {
  readonly accepted: number;
  readonly rows: number;
  readonly missing: number;
  readonly duplicate: number;
  /** Rows of events nobody was told that they were accepted. */
  readonly unacknowledged: number;
  /** Numbers of some that are missing, or have several rows. */
  readonly missingSome: readonly number[];
  readonly duplicateSome: readonly number[];
  /** Until the last row was there, or it was given up. */
  readonly seconds: number;
}

export interface VerifyOptions {
  readonly rows: RunRows;
  readonly acked: Serials;
  /** Events there are numbers for. */
  readonly made: number;
  readonly waitMs: number;
  readonly onWait: (rows: number) => void;
  readonly signal: AbortSignal;
}

/** Numbers of one question. */
const slice = 1_000_000;
const pauseMs = 500;
const someMax = 5;

/** Looks at all of them when as many rows are there, and again while some are missing and it has time. */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const { rows, acked, waitMs, onWait, signal } = options;
  const from = performance.now();
  const isLate = (): boolean => performance.now() - from >= waitMs || signal.aborted;
  for (;;) {
    const count = await rows.count();
    if (count >= acked.size || isLate()) {
      const found = await look(options, from);
      if (found.missing === 0 || isLate()) return found;
    }
    onWait(count);
    await sleep(pauseMs, signal);
  }
}

async function look({ rows, acked, made }: VerifyOptions, fromMs: number): Promise<Verified> {
  const seen = serials();
  const [missingSome, duplicateSome]: [number[], number[]] = [[], []];
  let [count, duplicate, unacknowledged, missing] = [0, 0, 0, 0];
  for (let from = 0; from < made; from += slice) {
    const to = Math.min(made, from + slice);
    for (const serial of await rows.serials(from, to)) {
      count++;
      if (seen.has(serial)) {
        duplicate++;
        if (duplicateSome.length < someMax) duplicateSome.push(serial);
      } else if (!acked.has(serial)) unacknowledged++;
      seen.add(serial);
    }
    for (let serial = from; serial < to; serial++) {
      if (!acked.has(serial) || seen.has(serial)) continue;
      missing++;
      if (missingSome.length < someMax) missingSome.push(serial);
    }
  }
  const seconds = (performance.now() - fromMs) / 1_000;
  return { accepted: acked.size, rows: count, missing, duplicate, unacknowledged, missingSome, duplicateSome, seconds };
}
