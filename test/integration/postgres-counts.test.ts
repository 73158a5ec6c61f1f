// Counts asked for one by one and together are the same, whatever films are called.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { postgresContent } from '../../src/adapters/postgres/content.ts';
import type { ContentStore } from '../../src/ports/content.ts';
import { isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

const films = ['one', 'two', "it's", '"quoted"', 'a,b', 'фильм', '\u{1f3ac}', '{}', 'back\\slash', 'none'];

describe.skipIf(await isWithoutPostgres('own'))('counts of PostgreSQL', () => {
  let postgres: TestPostgres;
  let store: ContentStore;
  beforeAll(async () => {
    postgres = await startPostgres({ isSynced: false });
    const viewing = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };
    store = postgresContent({ url: postgres.url, ca: null, connectionsMax: 5, viewing });
  });
  afterAll(async () => {
    await store.close();
    await postgres.stopForGood();
  });

  test('of many films at once are those of each alone', async () => {
    const voted = films.slice(0, -1);
    for (const [at, film] of voted.entries())
      for (let user = 0; user <= at; user++)
        await store.vote(film, user === 0 ? -1 : 1, {
          userId: `user-${user}`,
          atMs: 1,
          eventId: Bun.randomUUIDv7(),
        });
    const together = await Promise.all([...films, ...films].map(film => store.counts(film)));
    const alone = [];
    for (const film of films) alone.push(await store.counts(film));
    expect(together).toEqual([...alone, ...alone]);
    expect(alone.map(({ likes, dislikes }) => [likes, dislikes])).toEqual([...voted.map((_, at) => [at, 1]), [0, 0]]);
  });
});
