import { describe, expect, test } from 'bun:test';
import { type Holder, heldOf } from '../../../src/http/held.ts';
import { paceOf } from '../../../src/http/pace.ts';

const mebibyte = 1024 * 1024;

/** A thread that does `bytesPerMs`, and is busy for that share of its time. */
function clockwork() {
  let atMs = 0;
  let cpuMs = 0;
  const pace = paceOf({ now: () => atMs, cpuMs: () => cpuMs });
  return {
    pace,
    runs(forMs: number, { busy, bytesPerMs }: { readonly busy: number; readonly bytesPerMs: number }) {
      for (const until = atMs + forMs; atMs < until; ) {
        atMs += 10;
        cpuMs += 10 * busy;
        pace.done(10 * bytesPerMs);
        pace.bound();
      }
    },
  };
}

describe('the pace', () => {
  test('bounds nothing while the thread has time, however little gets done', () => {
    const { pace, runs } = clockwork();
    runs(5_000, { busy: 0.8, bytesPerMs: 1 });
    expect(pace.bound()).toBeNull();
  });

  test('bounds a busy thread to what it gets done in a sixth of a second, and a burst of a few requests is never too much', () => {
    const { pace, runs } = clockwork();
    runs(3_000, { busy: 1, bytesPerMs: 100_000 });
    expect(pace.bound()).toBeGreaterThan(16_000_000);
    expect(pace.bound()).toBeLessThan(18_000_000);
    runs(3_000, { busy: 1, bytesPerMs: 10 });
    expect(pace.bound()).toBe(2 * mebibyte);
  });

  test('keeps the best of the last two seconds: what is refused must not make the bound smaller and smaller', () => {
    const { pace, runs } = clockwork();
    runs(1_000, { busy: 1, bytesPerMs: 100_000 });
    runs(1_500, { busy: 1, bytesPerMs: 30_000 });
    expect(pace.bound()).toBeGreaterThan(16_000_000);
    runs(1_000, { busy: 1, bytesPerMs: 30_000 });
    expect(pace.bound()).toBeLessThan(6_000_000);
  });

  test('is over as soon as the thread has time again', () => {
    const { pace, runs } = clockwork();
    runs(1_000, { busy: 1, bytesPerMs: 100_000 });
    expect(pace.bound()).not.toBeNull();
    runs(200, { busy: 0.1, bytesPerMs: 0 });
    expect(pace.bound()).toBeNull();
  });
});

describe('bodies beyond the pace', () => {
  const holder = (): Holder => ({ kept: 0, cut: null });

  test('are refused before they are read, one alone and what has begun to come never', () => {
    const done: number[] = [];
    const held = heldOf(1_000, { done: bytes => void done.push(bytes), bound: () => 100 });
    const [large, other] = [holder(), holder()];
    held.hold(large, 500);
    held.hold(large, 100);
    expect(() => held.hold(other, 1)).toThrow('more to do than can be done in time');
    expect(held.bytes).toBe(600);
    held.release(large);
    expect(done).toEqual([600]);
    held.hold(other, 60);
    held.hold(holder(), 40);
    expect(() => held.hold(holder(), 1)).toThrow('in time');
  });

  test('are taken while nothing is bounded', () => {
    const held = heldOf(1_000, { done: () => {}, bound: () => null });
    for (let count = 0; count < 10; count++) held.hold(holder(), 100);
    expect(held.bytes).toBe(1_000);
  });
});
