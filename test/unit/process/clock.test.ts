import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type ClockOptions, clockOf } from '../../../src/process/clock.ts';

const builtAtMs = Date.UTC(2026, 10, 28);
const hourMs = 3_600_000;

/** A machine whose clock may be set while its time goes on. */
function machine(options: Partial<ClockOptions> = {}, startMs = builtAtMs) {
  const time = { nowMs: startMs, monotonicMs: 0 };
  const clock = clockOf({ now: () => time.nowMs, monotonic: () => time.monotonicMs, ...options });
  const pass = (ms: number): void => {
    time.nowMs += ms;
    time.monotonicMs += ms;
  };
  const set = (byMs: number): void => {
    time.nowMs += byMs;
  };
  return { clock, pass, set, now: () => time.nowMs };
}

describe('a stamp', () => {
  test('is the clock’s time', () => {
    const { clock, pass, now } = machine();
    for (const ms of [0, 1, 5_000, hourMs]) {
      pass(ms);
      expect(clock.stamp()).toBe(now());
    }
  });

  test('does not go back when the clock does, and is the clock’s again after twice as long', () => {
    const { clock, pass, set, now } = machine();
    const first = clock.stamp();
    set(-hourMs);
    expect(clock.stamp()).toBe(first);
    for (let minutes = 1; minutes < 119; minutes++) {
      pass(60_000);
      expect(clock.stamp()).toBe(first + minutes * 30_000);
    }
    pass(60_000);
    expect(clock.stamp()).toBe(now());
    pass(1);
    expect(clock.stamp()).toBe(now());
  });

  test('follows a clock that was wrong by more than that is worth', () => {
    const { clock, set, now } = machine();
    clock.stamp();
    set(-240 * hourMs);
    expect(clock.stamp()).toBe(now());
  });

  test('does not go back behind the last one of the process before', () => {
    expect(machine({ lastMs: builtAtMs + hourMs }).clock.stamp()).toBe(builtAtMs + hourMs);
    expect(machine({ lastMs: builtAtMs + 240 * hourMs }).clock.stamp()).toBe(builtAtMs);
  });

  test('is whole and never less than the one before, however the clock is set by up to two hours', () => {
    const steps = fc.array(fc.record({ passes: fc.nat(10_000), setBy: fc.integer({ min: -60_000, max: 60_000 }) }));
    fc.assert(
      fc.property(steps, all => {
        const { clock, pass, set } = machine();
        let last = clock.stamp();
        let setBack = 0;
        for (const { passes, setBy } of all) {
          pass(passes);
          setBack += Math.max(0, -setBy);
          if (setBack < hourMs) set(setBy);
          const stamp = clock.stamp();
          expect(Number.isInteger(stamp)).toBe(true);
          expect(stamp).toBeGreaterThanOrEqual(last);
          last = stamp;
        }
      }),
    );
  });
});

describe('a clock', () => {
  test('from before the program was built is wrong for certain, until it is set', () => {
    const { clock, set } = machine({ builtAtMs }, 0);
    expect(clock.problem()).toMatchObject({ isCertain: true });
    expect(clock.problem()!.words).toContain('1970-01-01T00:00:00.000Z');
    set(builtAtMs);
    expect(clock.problem()).toBeNull();
  });

  test('of a machine that is some hours behind the one that built it is not', () => {
    expect(machine({ builtAtMs }, builtAtMs - 12 * hourMs).clock.problem()).toBeNull();
    expect(machine({ builtAtMs: 0 }, 0).clock.problem()).toBeNull(); // nobody knows when it was built
  });

  test('far from another one is doubted, for as long as that is known', () => {
    const { clock, pass, now } = machine();
    clock.compare('ClickHouse', now() + 59 * 60_000);
    expect(clock.problem()).toBeNull();
    clock.compare('ClickHouse', now() + 72 * hourMs);
    expect(clock.problem()).toEqual({
      words: 'the clock is 72.0 h behind that of ClickHouse: one of the two is wrong',
      isCertain: false,
    });
    pass(11 * 60_000);
    expect(clock.problem()).toBeNull();
    clock.compare('ClickHouse', now() - 2 * hourMs);
    expect(clock.problem()?.words).toContain('2.0 h ahead of');
    clock.compare('ClickHouse', now());
    expect(clock.problem()).toBeNull();
  });
});
