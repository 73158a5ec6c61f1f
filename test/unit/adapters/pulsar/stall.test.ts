import { expect, test } from 'bun:test';
import { betterPriority, stallOf, usualPriority } from '../../../../src/adapters/pulsar/read/stall.ts';

const state = (activeConsumer: string, ackedAtMs: number, backlog = 5) => ({ activeConsumer, ackedAtMs, backlog });

test('a partition is stalled once its consumer has acknowledged nothing for so long, and then half as often', () => {
  const stall = stallOf(100);
  const over = (at: number, ...of: Parameters<typeof state>) => stall.isOver(state(...of), at);
  expect([over(0, 'a', 1), over(99, 'a', 1), over(100, 'a', 1)]).toEqual([false, false, true]);
  expect([over(200, 'a', 1), over(299, 'a', 1), over(300, 'a', 1)]).toEqual([false, false, true]);
  // Whatever it acknowledges, it is at work.
  expect([over(600, 'a', 2), over(699, 'a', 2), over(700, 'a', 2)]).toEqual([false, false, true]);
});

test('the time begins anew with another consumer, and there is none where nothing waits', () => {
  const stall = stallOf(100);
  expect(stall.isOver(state('a', 1), 0)).toBe(false);
  expect(stall.isOver(state('b', 1), 99)).toBe(false);
  expect(stall.isOver(state('b', 1), 198)).toBe(false);
  expect(stall.isOver(state('b', 1, 0), 500)).toBe(false);
  expect(stall.isOver(undefined, 900)).toBe(false);
  expect(stall.isOver(state('b', 1), 900)).toBe(false);
  expect(stall.isOver(state('b', 1), 1_000)).toBe(true);
});

test('who takes over later comes before who did earlier, and both before who did not', () => {
  const [now, later] = [betterPriority(1_795_000_000_000), betterPriority(1_795_000_001_000)];
  expect(later).toBeLessThan(now);
  expect(now).toBeLessThan(usualPriority);
  expect(betterPriority(4_000_000_000_000 / 2)).toBeGreaterThan(0);
});
