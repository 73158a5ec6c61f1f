// The content stores against the model of them, the one in memory: whatever several users do in whatever order, each answer,
// all that is there afterwards and the events that tell of it are the same.

import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryContent } from '../../src/adapters/memory/content.ts';
import { postgresContent } from '../../src/adapters/postgres/content.ts';
import { sqliteContent } from '../../src/adapters/sqlite-content/content.ts';
import type { ContentStore, OutboxEvent } from '../../src/ports/content.ts';
import { drained, leadOf, rules } from '../support/content.ts';
import { allOf, operationsOf } from '../support/content-model.ts';
import { freshDatabase, isWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { randomOf, seeded } from '../support/random.ts';

const operations = 1_500;
const rounds = 4;

const essence = ({ sequence: _, ...event }: OutboxEvent) => event;

async function agree(
  what: string,
  open: () => Promise<{ store: ContentStore; reopen(): Promise<ContentStore> }>,
): Promise<void> {
  const { next: draw } = randomOf(what);
  for (let round = 0; round < rounds; round++) {
    const seed = Math.floor(draw() * 2 ** 31);
    const opened = await open();
    let { store } = opened;
    const model = memoryContent({ viewing: rules });
    const next = operationsOf(seeded(seed));
    for (let at = 0; at < operations; at++) {
      const { words, on } = next();
      const [answer, expected] = [await on(store), await on(model)];
      expect({ seed, at, words, answer: answer ?? null }).toEqual({
        seed,
        at,
        words,
        answer: (expected ?? null) as never,
      });
      if (at % 500 === 499) {
        await store.close();
        store = await opened.reopen();
      }
    }
    expect(await allOf(store)).toEqual((await allOf(model)) as never);
    expect((await drained(store, 100)).map(essence)).toEqual((await drained(model)).map(essence));
    await store.close();
  }
}

/** Many at once: who is first is not known, but what is there must be what the events tell. */
async function addsUp(open: () => Promise<ContentStore>, what: string): Promise<void> {
  const random = randomOf(what);
  const stores = await Promise.all([open(), open(), open()]);
  const store = stores[0] as ContentStore;
  const next = operationsOf(random);
  const leader = await leadOf(store); // folds meanwhile
  for (let at = 0; at < 20; at++) {
    const some = Array.from({ length: 60 }, next).filter(({ words }) => !words.startsWith('["forget"'));
    await Promise.all(some.map(({ on }, index) => on(stores[index % stores.length] as ContentStore)));
  }
  await leader.close();
  const told = await drained(store, 500);
  const revisions = new Map<string, number>();
  const [likes, marks] = [new Map<string, number>(), new Map<string, number>()];
  for (const { type, userId, fields } of told) {
    const kind = type
      .replace(/^(film|review)_(un)?liked$/, '$1_like')
      .replace(/^(bookmark|progress|review)_[a-z]+ed$/, '$1');
    const key =
      kind === 'review' ? `review ${fields.review_id}` : `${kind} ${userId} ${fields.review_id ?? fields.film_id}`;
    // In order, and none is missing.
    expect({ key, revision: fields.revision }).toEqual({ key, revision: (revisions.get(key) ?? 0) + 1 });
    revisions.set(key, Number(fields.revision));
    if (kind === 'film_like') likes.set(`${userId} ${fields.film_id}`, Number(fields.value ?? 0));
    if (kind === 'bookmark') marks.set(`${userId} ${fields.film_id}`, Number(type === 'bookmark_added'));
  }
  for (const film of ['a', 'b', 'ç']) {
    const of = (state: ReadonlyMap<string, number>, wanted: number): number =>
      [...state].filter(([key, value]) => key.endsWith(` ${film}`) && value === wanted).length;
    const shown = await store.reviews({
      filmId: film,
      states: ['approved'],
      order: 'oldest',
      after: null,
      countMax: 99,
    });
    expect(await store.counts(film)).toEqual({
      likes: of(likes, 1),
      dislikes: of(likes, -1),
      reviews: shown.length,
      ratingSum: shown.reduce((sum, { rating }) => sum + rating, 0),
      bookmarks: of(marks, 1),
    });
  }
  await Promise.all(stores.map(one => one.close()));
}

describe('SQLite', () => {
  const inFolder = async (run: (open: (name: string) => ContentStore) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-content-'));
    await run(name => sqliteContent({ path: join(folder, `${name}.sqlite`), viewing: rules }));
    rmSync(folder, { recursive: true });
  };

  test('answers as the model does, also when it is opened anew', () =>
    inFolder(async open => {
      let databases = 0;
      await agree('content in SQLite', async () => {
        const name = String(++databases);
        return { store: open(name), reopen: async () => open(name) };
      });
    }));

  test('adds up, whoever comes at the same moment', () =>
    inFolder(open => addsUp(async () => open('one'), 'content in SQLite at once')));
});

describe.skipIf(await isWithoutPostgres('own'))('PostgreSQL', () => {
  const inServer = async (run: (open: (url: string) => ContentStore, url: string) => Promise<void>): Promise<void> => {
    const postgres = await startPostgres({ isSynced: false });
    await run(url => postgresContent({ url, ca: null, connectionsMax: 5, viewing: rules }), postgres.url);
    await postgres.stopForGood();
  };

  test('answers as the model does, also when it is opened anew', () =>
    inServer(async (open, server) => {
      await agree('content in PostgreSQL', async () => {
        const url = await freshDatabase(server);
        return { store: open(url), reopen: async () => open(url) };
      });
    }));

  test('adds up, whoever comes at the same moment', () =>
    inServer(async (open, server) => {
      const url = await freshDatabase(server);
      await addsUp(async () => open(url), 'content in PostgreSQL at once');
    }));
});
