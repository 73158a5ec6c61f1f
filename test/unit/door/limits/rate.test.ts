import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ratesOf } from '../../../../src/door/limits/rate.ts';

function at(burstMs: number, clientsMax = 1_000) {
  const clock = { ms: 1_000_000.5 };
  return { clock, ...ratesOf({ burstMs, clientsMax, now: () => clock.ms }) };
}

describe('a bucket', () => {
  test('gives what it holds at once, then what comes in, and says how long until there is one', () => {
    const { clock, take, standing } = at(2_000);
    expect(standing('a', 5)).toEqual({ capacity: 10, left: 10, fullInMs: 0, windowMs: 2_000 });
    for (let taken = 0; taken < 10; taken++) expect(take('a', 5)).toBe(0);
    expect(take('a', 5)).toBeCloseTo(200, 3);
    expect(standing('a', 5)).toMatchObject({ left: 0 });
    clock.ms += 200;
    expect([take('a', 5), take('a', 5) > 0]).toEqual([0, true]);
    clock.ms += 1_000_000;
    expect(standing('a', 5)).toMatchObject({ left: 10, fullInMs: 0 });
  });

  test('of one says nothing of another', () => {
    const { take } = at(1_000);
    expect([take('a', 1), take('a', 1) > 0, take('b', 1)]).toEqual([0, true, 0]);
  });

  test('holds one token at the least, however slow it fills', () => {
    const { clock, take, standing } = at(1_000);
    expect([take('a', 0.1), Math.round(take('a', 0.1))]).toEqual([0, 10_000]);
    expect(standing('a', 0.1)).toMatchObject({ capacity: 1, left: 0, windowMs: 10_000 });
    clock.ms += 10_000;
    expect(take('a', 0.1)).toBe(0);
  });

  test('whose body holds more than is left has a debt, and waits until it is paid', () => {
    const { clock, take, spend, standing } = at(1_000);
    expect(take('a', 10)).toBe(0);
    spend('a', 29, 10);
    spend('a', 0, 10);
    spend('a', -1, 10);
    expect(Math.round(take('a', 10))).toBe(2_100);
    expect(standing('a', 10)).toMatchObject({ left: 0, fullInMs: 3_000 });
    clock.ms += 2_000;
    expect(take('a', 10)).toBeGreaterThan(0);
    clock.ms += 100;
    expect(take('a', 10)).toBe(0);
  });

  test('lets in no more than its size and what came in, whatever is asked when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }),
        (perSecond, burstMs, pauses) => {
          const { clock, take } = at(burstMs);
          const from = clock.ms;
          let taken = 0;
          for (const pause of pauses) {
            clock.ms += pause;
            if (take('a', perSecond) === 0) taken++;
            const most = ((Math.max(burstMs, 1_000 / perSecond) + clock.ms - from) * perSecond) / 1_000;
            expect(taken).toBeLessThanOrEqual(most + 1e-3);
          }
        },
      ),
    );
  });

  test('who waits as long as it was told is let in', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 5_000, noNaN: true }),
        fc.integer({ min: 1, max: 100 }),
        (perSecond, n) => {
          const { clock, take, spend } = at(1_000);
          take('a', perSecond);
          spend('a', n, perSecond);
          let wait = 0;
          while (wait === 0) wait = take('a', perSecond);
          clock.ms += wait;
          expect(take('a', perSecond)).toBe(0);
        },
      ),
    );
  });
});

describe('of many clients', () => {
  test('no more are remembered than may be, those seen of late are, and what was forgotten unpaid is said', () => {
    const { take, forgotten, ...rates } = at(1_000, 100);
    for (let n = 0; n < 10_000; n++) {
      take('steady', 1);
      take(`n${n}`, 1);
      expect(rates.size).toBeLessThanOrEqual(101);
    }
    expect(take('steady', 1)).toBeGreaterThan(0); // it never got a second bucket
    expect(take('n9999', 1)).toBeGreaterThan(0);
    expect(take('n1', 1)).toBe(0);
    const said = forgotten();
    expect(said).toBeGreaterThan(9_000);
    expect(forgotten()).toBe(0);
  });

  test('who had paid is forgotten without a word', () => {
    const { clock, take, forgotten } = at(1_000, 100);
    for (let n = 0; n < 1_000; n++) {
      take(`n${n}`, 1);
      clock.ms += 1_001;
    }
    expect(forgotten()).toBe(0);
  });
});
