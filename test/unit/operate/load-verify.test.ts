// Accepted events against rows: what is missing, what is there twice, and what nobody was told of.

import { expect, test } from 'bun:test';
import { serials } from '../../../src/load/run-ids.ts';
import { verify } from '../../../src/operate/load-verify.ts';

const ackedOf = (numbers: readonly number[]) => {
  const acked = serials();
  for (const number of numbers) acked.add(number);
  return acked;
};

const verified = (acked: readonly number[], looks: readonly (readonly number[])[], waitMs = 60_000) => {
  let look = -1;
  return verify({
    rows: {
      count: async () => looks[Math.min(++look, looks.length - 1)]!.length,
      serials: async (from, to) => looks[Math.min(look, looks.length - 1)]!.filter(row => row >= from && row < to),
    },
    acked: ackedOf(acked),
    made: 2_500_000,
    waitMs,
    onWait: () => {},
    signal: new AbortController().signal,
  });
};

test('all there: of every part of the numbers', async () => {
  const numbers = [0, 999_999, 1_000_000, 2_499_999];
  expect(await verified(numbers, [numbers])).toMatchObject({
    accepted: 4,
    rows: 4,
    missing: 0,
    duplicate: 0,
    unacknowledged: 0,
  });
});

test('a row that comes later is waited for', async () => {
  expect(await verified([1, 2], [[1], [1, 2]])).toMatchObject({ missing: 0, rows: 2 });
});

test('as many rows as events are no proof: one is missing and one is there twice', async () => {
  expect(await verified([1, 2, 3], [[1, 2, 2]], 0)).toMatchObject({
    missing: 1,
    missingSome: [3],
    duplicate: 1,
    duplicateSome: [2],
  });
});

test('a row whose answer was lost is no fault', async () => {
  expect(await verified([1], [[1, 7]])).toMatchObject({ missing: 0, duplicate: 0, unacknowledged: 1 });
});
