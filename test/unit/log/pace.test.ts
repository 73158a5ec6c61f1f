// On a clock of the tests' own: the broker takes so many events a second, one after the other, live ones and the
// drain's alike.

import { expect, test } from 'bun:test';
import { percentile } from '../../../bench/process.ts';
import { type PaceOptions, paceOf } from '../../../src/log/pace.ts';

const never = new AbortController().signal;
const slice = 128;

interface World {
  readonly livePerSecond: number;
  /** Events a second. */
  readonly broker: number;
  /** From a record's end to its ack. */
  readonly distanceMs?: number;
  /** Live events begin after so many seconds. */
  readonly liveFromS?: number;
  /** Timers ring so much later than asked. */
  readonly lateMs?: number;
}

/** Runs the world for so many seconds of its own; the drain begins after `drainFromS`, and is never short of events. */
async function run(
  { livePerSecond, broker, distanceMs = 2, liveFromS = 0, lateMs = 0 }: World,
  { seconds = 30, drainFromS = 3 } = {},
) {
  const due: { readonly atMs: number; readonly happen: () => void }[] = [];
  const took: number[] = [];
  let nowMs = 0;
  let freeAtMs = 0;
  let drained = 0;
  let pausedAtMs = drainFromS * 1_000;
  let pauseMsMax = 0;
  const after = (ms: number, happen: () => void): void => {
    due.push({ atMs: nowMs + Math.max(0, ms), happen });
  };
  const serve = (events: number): Promise<void> => {
    freeAtMs = Math.max(freeAtMs, nowMs) + (events * 1_000) / broker;
    return new Promise(resolve => after(freeAtMs + distanceMs - nowMs, resolve));
  };
  const pace = paceOf({ now: () => nowMs, wait: ms => new Promise(resolve => after(ms + lateMs, resolve)) });
  const live = (): void => {
    const sentAtMs = nowMs;
    void serve(1).then(() => {
      took.push(nowMs - sentAtMs);
      pace.answered(1, nowMs - sentAtMs);
    });
    after(1_000 / livePerSecond, live);
  };
  const drain = (): void => {
    void pace
      .send(slice, never, () => serve(slice))
      .then(() => {
        drained += slice;
        pauseMsMax = Math.max(pauseMsMax, nowMs - pausedAtMs);
        pausedAtMs = nowMs;
        drain();
      });
  };
  after(liveFromS * 1_000, live);
  after(drainFromS * 1_000, () => {
    for (let sender = 0; sender < 20; sender++) drain();
  });
  let counted = 0;
  while (nowMs < seconds * 1_000) {
    const next = due.reduce((first, event) => (event.atMs < first.atMs ? event : first));
    due.splice(due.indexOf(next), 1);
    nowMs = next.atMs;
    next.happen();
    for (let turns = 0; turns < 20; turns++) await null;
    if (nowMs < (seconds / 2) * 1_000) [counted, took.length] = [drained, 0];
  }
  const waits = took.sort((a, b) => a - b);
  return { drainedPerSecond: (drained - counted) / (seconds / 2), p99Ms: percentile(waits, 0.99), pauseMsMax };
}

test('with room in the broker the drain takes it, and live events keep their latency', async () => {
  const { drainedPerSecond, p99Ms } = await run({ livePerSecond: 1_000, broker: 40_000 });
  expect(drainedPerSecond).toBeGreaterThan(10_000);
  expect(p99Ms).toBeLessThan(20);
});

test('where three times the live rate is nearly all that the broker takes, the drain is no slower, and waits stay bounded', async () => {
  const { drainedPerSecond, p99Ms } = await run({ livePerSecond: 3_000, broker: 13_000 });
  expect(drainedPerSecond).toBeGreaterThan(8_500);
  expect(p99Ms).toBeLessThan(100);
});

test('a broker that is far away slows nothing: its distance is what is usual', async () => {
  const { drainedPerSecond, p99Ms } = await run({ livePerSecond: 1_000, broker: 100_000, distanceMs: 60 });
  expect(drainedPerSecond).toBeGreaterThan(10_000);
  expect(p99Ms).toBeLessThan(120);
});

test('a few live events a second are no reason for less than the least rate', async () => {
  const { drainedPerSecond } = await run({ livePerSecond: 5, broker: 6_000, distanceMs: 20 });
  expect(drainedPerSecond).toBeGreaterThan(4_500);
});

test('what was drained while nobody was there is not paid for once somebody is: it goes on at its least rate at once', async () => {
  const world = { livePerSecond: 5, broker: 60_000, liveFromS: 15 };
  const { drainedPerSecond, pauseMsMax } = await run(world, { seconds: 30, drainFromS: 0 });
  expect(drainedPerSecond).toBeGreaterThan(4_800);
  expect(pauseMsMax).toBeLessThan(150);
});

test('timers that ring late make it no slower than its least rate', async () => {
  const { drainedPerSecond } = await run({ livePerSecond: 5, broker: 60_000, lateMs: 5 });
  expect(drainedPerSecond).toBeGreaterThan(4_900);
});

test('what hangs since before anybody was there holds up nobody for long', async () => {
  let nowMs = 0;
  const wait = async (ms: number): Promise<void> => {
    nowMs += Math.max(ms, 0);
  };
  const pace = paceOf({ now: () => nowMs, wait });
  const hangs = new Promise<void>(() => {});
  for (let at = 0; at < 50; at++) void pace.send(slice, never, () => hangs);
  await pace.send(slice, never, () => Promise.resolve());
  pace.answered(1, 1);
  await pace.send(slice, never, () => Promise.resolve()); // else this test times out
  expect(nowMs).toBeLessThan(150);
});

test('with nobody there nothing waits, and what is sent goes in the order it came', async () => {
  const waits: number[] = [];
  const order: number[] = [];
  const options: PaceOptions = { now: () => 0, wait: async ms => void waits.push(ms) };
  const pace = paceOf(options);
  const sent = Array.from({ length: 50 }, (_, at) => pace.send(1_000, never, async () => order.push(at)));
  await Promise.all(sent);
  expect(waits).toEqual([]);
  expect(order).toEqual(Array.from({ length: 50 }, (_, at) => at));
});

test('a broker that hangs holds up nobody for long', async () => {
  const pace = paceOf({ perSecondMin: 1_000_000 });
  pace.answered(1, 1);
  const hangs = new Promise<void>(() => {});
  for (let at = 0; at < 8; at++) void pace.send(slice, never, () => hangs);
  await pace.send(slice, never, () => Promise.resolve()); // else this test times out
});

test('told to stop it lets everything through', async () => {
  const stopping = new AbortController();
  const pace = paceOf({ perSecondMin: 1 });
  pace.answered(1, 1);
  let sent = 0;
  const all = Promise.all(Array.from({ length: 5 }, () => pace.send(100, stopping.signal, async () => sent++)));
  await Promise.resolve();
  expect(sent).toBeLessThan(5);
  stopping.abort();
  await all;
  expect(sent).toBe(5);
});
