import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { progressOf } from '../../../src/mover/progress.ts';
import type { Batch } from '../../../src/ports/source.ts';
import { acked, keyOf, listSource } from '../../support/list-source.ts';
import { bodies } from '../../support/moving.ts';

function begun(count: number, partition = 0) {
  const source = listSource();
  const progress = progressOf(source);
  const batches = Array.from({ length: count }, (_, at) =>
    source.add({ topic: 't', partition, type: 'click', bodies: bodies('', 2), oldestAtMs: 100 - at }),
  );
  for (const batch of batches) progress.begin(batch);
  return { source, progress, batches };
}

const lasts = (source: ReturnType<typeof listSource>) => source.commits.map(({ last }) => last);

test('batches that finish in order move the position one by one', async () => {
  const { source, progress, batches } = begun(3);
  for (const batch of batches) await progress.finish([batch]);
  expect(lasts(source)).toEqual([1, 3, 5]);
});

test('batches that finish out of order move the position only once nothing before them is open', async () => {
  const { source, progress, batches } = begun(4);
  await progress.finish([batches[3]!]);
  await progress.finish([batches[1]!]);
  expect(lasts(source)).toEqual([]);
  await progress.finish([batches[0]!]);
  expect(lasts(source)).toEqual([3]);
  await progress.finish([batches[2]!]);
  expect(lasts(source)).toEqual([3, 7]);
});

test('batches that finish together move the position once', async () => {
  const { source, progress, batches } = begun(3);
  await progress.finish([batches[2]!, batches[0]!, batches[1]!]);
  expect(lasts(source)).toEqual([5]);
});

test('partitions and topics do not wait for each other', async () => {
  const source = listSource();
  const progress = progressOf(source);
  const places = [
    ['a', 0],
    ['a', 1],
    ['b', 0],
  ] as const;
  const batches = places.map(([topic, partition]) =>
    source.add({ topic, partition, type: null, bodies: bodies('', 1) }),
  );
  for (const batch of batches) progress.begin(batch);
  await progress.finish([batches[2]!]);
  await progress.finish([batches[1]!]);
  expect([...source.committed]).toEqual([
    ['b/0', 0],
    ['a/1', 0],
  ]);
});

test('a batch finished twice, or never begun, commits nothing', async () => {
  const { source, progress, batches } = begun(2);
  await progress.finish([batches[0]!]);
  await progress.finish([batches[0]!]);
  await progress.finish([{ ...batches[1]! }]);
  expect(lasts(source)).toEqual([1]);
});

test('the oldest is that of the open batches of each topic', async () => {
  const { progress, batches } = begun(3);
  expect(progress.oldest()).toEqual(new Map([['t', 98]]));
  await progress.finish([batches[2]!]);
  expect(progress.oldest()).toEqual(new Map([['t', 99]]));
  await progress.finish([batches[0]!, batches[1]!]);
  expect(progress.oldest()).toEqual(new Map());
});

test('a commit that fails is told, and a later one makes up for it', async () => {
  const { source, progress, batches } = begun(2);
  source.onCommit = () => {
    source.onCommit = () => {};
    throw new Error('the disk is gone');
  };
  await expect(progress.finish([batches[0]!])).rejects.toThrow('the disk is gone');
  expect(lasts(source)).toEqual([]);
  await progress.finish([batches[1]!]);
  expect(lasts(source)).toEqual([3]);
});

test('in whatever order batches finish, the position is at each moment the end of the finished ones in front', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.nat(1_000)), { maxLength: 30 }),
      fc.nat(4),
      async (plan, together) => {
        const source = listSource();
        const progress = progressOf(source);
        const batches = plan.map(([partition]) =>
          source.add({ topic: 't', partition, type: null, bodies: bodies('', 2) }),
        );
        for (const batch of batches) progress.begin(batch);
        const order = batches.map((batch, at) => ({ batch, rank: plan[at]![1] })).toSorted((a, b) => a.rank - b.rank);
        const finished = new Set<Batch>();
        for (let at = 0; at < order.length; at += together + 1) {
          const part = order.slice(at, at + together + 1).map(({ batch }) => batch);
          for (const batch of part) finished.add(batch);
          await progress.finish(part);
          for (const partition of [0, 1, 2]) {
            const queue = batches.filter(batch => batch.partition === partition);
            const open = queue.findIndex(batch => !finished.has(batch));
            const prefix = open < 0 ? queue.length : open;
            expect(source.committed.get(keyOf({ topic: 't', partition })) ?? -1).toBe(prefix * 2 - 1);
          }
        }
        for (const partition of [0, 1, 2]) {
          const commits = source.commits.filter(commit => commit.partition === partition).map(({ last }) => last);
          expect(commits).toEqual(commits.toSorted((a, b) => a - b));
        }
      },
    ),
  );
});

test('a partition that was lost and came back begins anew: what is still open of before holds nothing back', async () => {
  const source = listSource();
  const progress = progressOf(source);
  const batch = source.add({ topic: 't', type: 'click', bodies: bodies('', 2) });
  const [before, after] = [acked({ ...batch, epoch: 1 }), acked({ ...batch, epoch: 2 })] as const;
  progress.begin(before);
  progress.begin(after);
  await progress.finish([after]);
  expect(source.commits.map(({ epoch }) => epoch)).toEqual([2]);
  await progress.finish([before]);
  expect(source.commits.map(({ epoch }) => epoch)).toEqual([2, 1]);
  expect(progress.oldest().size).toBe(0);
});
