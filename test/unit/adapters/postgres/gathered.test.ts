// Reads of counts that go together, and what may not be shared.

import { expect, test } from 'bun:test';
import { gathered } from '../../../../src/adapters/postgres/gathered.ts';
import type { FilmCounts } from '../../../../src/ports/content.ts';

const countsOf = (likes: number): FilmCounts => ({ likes, dislikes: 0, reviews: 0, ratingSum: 0, bookmarks: 0 });

function server() {
  const asked: { films: readonly string[]; answer: (likes: number) => void; fail: (error: Error) => void }[] = [];
  const counts = gathered(films => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly FilmCounts[]>();
    asked.push({ films, answer: likes => resolve(films.map(() => countsOf(likes))), fail: reject });
    return promise;
  });
  return { asked, counts };
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('what is asked while two are under way goes together, each film once', async () => {
  const { asked, counts } = server();
  const all = ['a', 'b', 'c', 'd', 'c'].map(counts);
  expect(asked.map(({ films }) => films)).toEqual([['a'], ['b']]);
  asked[0]?.answer(1);
  await turn();
  expect(asked[2]?.films).toEqual(['c', 'd']);
  asked[1]?.answer(2);
  asked[2]?.answer(3);
  expect((await Promise.all(all)).map(found => found?.likes)).toEqual([1, 2, 3, 3, 3]);
});

test('who asks after a question was sent is not given its answer', async () => {
  const { asked, counts } = server();
  const before = counts('a');
  const after = counts('a');
  asked[0]?.answer(1);
  asked[1]?.answer(2);
  expect([(await before)?.likes, (await after)?.likes]).toEqual([1, 2]);
});

test('a question that fails fails for those who are in it, and the next one is asked', async () => {
  const { asked, counts } = server();
  const [first, second, third] = [counts('a'), counts('b'), counts('c')];
  asked[0]?.fail(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await turn();
  asked[1]?.answer(2);
  asked[2]?.answer(3);
  expect([(await second)?.likes, (await third)?.likes]).toEqual([2, 3]);
});

test('a thousand films are asked for in parts', async () => {
  const { asked, counts } = server();
  const all = Array.from({ length: 1_000 }, (_, at) => counts(String(at)));
  for (let at = 0; at < asked.length; at++) {
    asked[at]?.answer(at);
    await turn();
  }
  expect((await Promise.all(all)).length).toBe(1_000);
  expect(Math.max(...asked.map(({ films }) => films.length))).toBe(200);
});
