import { expect, test } from 'bun:test';
import { gather } from '../../../src/process/gather.ts';

test('results stand in the order of what was asked, whichever comes first', async () => {
  let settle = (_index: number, _result: string): void => {};
  const gathered = gather<string>(3, each => {
    settle = each;
  });
  settle(2, 'c');
  settle(0, 'a');
  expect(await Promise.race([gathered, Bun.sleep(0).then(() => 'open')])).toBe('open');
  settle(1, 'b');
  expect(await gathered).toEqual(['a', 'b', 'c']);
});

test('of nothing there are no results, and nothing is begun', async () => {
  expect(await gather(0, () => expect.unreachable())).toEqual([]);
});

test('all may be there at once', async () => {
  expect(
    await gather<number>(2, settle => {
      for (const index of [1, 0]) settle(index, index);
    }),
  ).toEqual([0, 1]);
});
