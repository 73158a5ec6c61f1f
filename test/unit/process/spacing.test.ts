import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { spacingOf } from '../../../src/process/spacing.ts';

const anyTake = fc.record({
  afterMs: fc.nat(1_000),
  intervalMs: fc.integer({ min: 1, max: 300 }),
  waits: fc.boolean(),
});

describe('a spacing', () => {
  test('never asks for more than an interval, whoever went without waiting', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(anyTake, { minLength: 1 }), (sparesMs, takes) => {
        const spacing = spacingOf(sparesMs);
        let nowMs = 0;
        for (const { afterMs, intervalMs, waits } of takes) {
          nowMs += afterMs;
          if (waits) nowMs = Math.max(nowMs, spacing.freeAt());
          spacing.take(nowMs, intervalMs);
          expect(spacing.freeAt() - nowMs).toBeLessThanOrEqual(intervalMs);
        }
      }),
    );
  });

  test('holds the rate of who waits: so many intervals in a time, and what a rest has saved', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(fc.nat(500), { minLength: 20 }), (sparesMs, restsMs) => {
        const spacing = spacingOf(sparesMs);
        const times: number[] = [];
        let nowMs = 0;
        for (const restMs of restsMs) {
          nowMs = Math.max(nowMs + restMs, spacing.freeAt());
          spacing.take(nowMs, 100);
          times.push(nowMs);
        }
        for (const [from, first] of times.entries())
          for (const [to, last] of times.entries())
            if (to > from) expect(to - from).toBeLessThanOrEqual((last - first + sparesMs) / 100 + 1e-6);
      }),
    );
  });

  test('lets the first go at once', () => {
    expect(spacingOf(0).freeAt()).toBe(Number.NEGATIVE_INFINITY);
  });
});
