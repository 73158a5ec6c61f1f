import { expect, test } from 'bun:test';
import { type Owned, type Partitions, partitionsOf } from '../../../../src/adapters/kafka/read/partitions.ts';
import type { Run } from '../../../../src/record/runs.ts';

const place = { topic: 't', partition: 0 };
const run = (first: number, count = 1, bytes = 10): Run => ({
  type: 'click',
  first,
  last: first + count - 1,
  count,
  oldestAtMs: 0,
  ndjson: new Uint8Array(bytes),
});
const scanned = (runs: readonly Run[], next: number) => ({ runs, next, epoch: -1, problem: null });
const all = { paused: new Set<string>(), bytesMax: 1_000 };

function owning(next = 0): { partitions: Partitions; owned: Owned } {
  const partitions = partitionsOf();
  partitions.assign([place], false);
  const owned = partitions.find(place)!;
  partitions.begin(owned, next);
  return { partitions, owned };
}

test('a position that reaches a gap moves behind it', () => {
  const { partitions, owned } = owning();
  partitions.fill(owned, scanned([run(0, 2), run(5, 2)], 9));
  partitions.fill(owned, scanned([run(10)], 11));
  expect(partitions.finish(owned, 0)).toBe(1);
  expect(partitions.finish(owned, 1)).toBe(5);
  expect(partitions.finish(owned, 6)).toBe(10);
  expect(partitions.finish(owned, 10)).toBe(11);
});

test('where nothing is left but gaps the position moves by itself, and never while something is open before them', () => {
  const { partitions, owned } = owning(3);
  expect(partitions.fill(owned, scanned([], 7))).toBe(7);
  expect(partitions.fill(owned, scanned([run(7)], 8))).toBeNull();
  expect(partitions.fill(owned, scanned([], 12))).toBeNull();
  expect(partitions.finish(owned, 7)).toBe(12);
  expect(partitions.fill(owned, scanned([], 15))).toBe(15);
});

test('what was finished later does not move a position back', () => {
  const { partitions, owned } = owning();
  partitions.fill(owned, scanned([run(0, 5)], 5));
  expect(partitions.finish(owned, 4)).toBe(5);
  expect(partitions.finish(owned, 2)).toBe(5);
});

test('a partition kept is the same ownership, one lost and regained another, read anew', () => {
  const { partitions, owned } = owning(4);
  partitions.fill(owned, scanned([run(4)], 5));
  partitions.assign([place, { topic: 't', partition: 1 }], true);
  expect(partitions.find(place)).toBe(owned);
  partitions.assign([], true);
  partitions.assign([place], true);
  const again = partitions.find(place)!;
  expect(again.epoch).not.toBe(owned.epoch);
  expect(again).toMatchObject({ next: null, ready: [] });
  partitions.begin(again, 4);
  partitions.assign([place], false);
  expect(partitions.find(place)!.epoch).not.toBe(again.epoch);
});

test('a log that begins later is a gap; one that is shorter is another log, and what was read of it is still given', () => {
  const { partitions, owned } = owning();
  partitions.fill(owned, scanned([run(0)], 1));
  partitions.jump(owned, 20);
  expect(partitions.find(place)).toBe(owned);
  expect(partitions.finish(owned, 0)).toBe(20);
  partitions.jump(owned, 0);
  const again = partitions.find(place)!;
  expect(again.epoch).not.toBe(owned.epoch);
  expect(again).toMatchObject({ next: 0, finished: 0 });
  expect(partitions.take(all).map(({ epoch }) => epoch)).toEqual([owned.epoch]);
});

test('a poll takes whole batches up to its bytes, one at least, and everybody’s turn comes', () => {
  const partitions = partitionsOf();
  partitions.assign([place, { topic: 't', partition: 1 }, { topic: 'paused', partition: 0 }], false);
  for (const owned of [...partitions.all()]) {
    partitions.begin(owned, 0);
    partitions.fill(owned, scanned([run(0, 1, 400), run(1, 1, 400), run(2, 1, 400)], 3));
  }
  const paused = new Set(['paused']);
  const polled = [1, 2, 3, 4].map(() =>
    partitions.take({ paused, bytesMax: 800 }).map(({ topic, partition, first }) => `${topic}/${partition}/${first}`),
  );
  expect(polled).toEqual([['t/0/0', 't/0/1'], ['t/1/0', 't/1/1'], ['t/0/2', 't/1/2'], []]);
  expect(partitions.readyBytes(paused)).toBe(0);
  expect(partitions.readyBytes(new Set())).toBe(1_200);
  expect(partitions.take({ paused: new Set(), bytesMax: 1 })).toHaveLength(1);
});
