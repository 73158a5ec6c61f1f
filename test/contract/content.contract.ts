// What every content store promises (src/ports/content.ts), whichever it is.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { ContentStore, Review, Viewing } from '../../src/ports/content.ts';
import { by, drained, gathered, leadOf, type MakeContent, rules } from '../support/content.ts';

type Post = Parameters<ContentStore['postReview']>[0];

const post = (id: string, more: Partial<Post> = {}): Post => ({
  ...{ id, filmId: 'film', rating: 7, text: 'well', state: 'approved' },
  ...more,
});

const viewing = (more: Partial<Viewing> & Pick<Viewing, 'atMs' | 'eventId'>): Viewing => ({
  ...{ userId: 'ann', filmId: 'film', position: null, duration: null, furthest: 0, watchedAtMs: null },
  firstAtMs: more.atMs,
  ...more,
});

const rankOf = {
  newest: ({ createdAtMs }: Review) => createdAtMs,
  oldest: ({ createdAtMs }: Review) => createdAtMs,
  highest: ({ rating }: Review) => rating,
  lowest: ({ rating }: Review) => rating,
  useful: ({ likes, dislikes }: Review) => likes - dislikes,
} as const;

/** All there are of the film, page by page. */
async function pagedBy(store: ContentStore, order: keyof typeof rankOf, countMax: number): Promise<readonly Review[]> {
  const paged: Review[] = [];
  for (;;) {
    const last = paged.at(-1);
    const after = last === undefined ? null : { value: rankOf[order](last), id: last.id };
    const page = await store.reviews({ filmId: 'film', states: ['approved'], order, after, countMax });
    paged.push(...page);
    if (page.length < countMax) return paged;
  }
}

/** Several stores at once on one state: what is of one process alone has none of these tests. */
export function contentContract(name: string, make: () => Promise<MakeContent>, canShare: boolean): void {
  describe(`the content store: ${name}`, () => {
    let made: MakeContent;
    let store: ContentStore;

    beforeEach(async () => {
      made = await make();
      store = await made.open();
    });
    afterEach(() => made.dispose());

    describe('likes', () => {
      test('one of a user for a film; what changes nothing tells of nothing', async () => {
        expect(await store.vote('film', 1, by('ann'))).toEqual({ vote: 1, revision: 1 });
        expect(await store.vote('film', 1, by('ann'))).toEqual({ vote: 1, revision: 1 });
        expect(await store.vote('film', -1, by('ann'))).toEqual({ vote: -1, revision: 2 });
        expect(await store.vote('film', 1, by('bob'))).toEqual({ vote: 1, revision: 1 });
        expect(await store.vote('film', 0, by('bob'))).toEqual({ vote: 0, revision: 2 });
        expect(await store.vote('film', 0, by('bob'))).toEqual({ vote: 0, revision: 2 });
        expect(await store.vote('film', 0, by('cid'))).toEqual({ vote: 0, revision: 0 });
        expect(await store.voteOf('film', 'ann')).toBe(-1);
        expect(await store.voteOf('film', 'bob')).toBe(0);
        expect(await store.voteOf('other', 'ann')).toBe(0);
        expect(await store.counts('film')).toEqual({ likes: 0, dislikes: 1, reviews: 0, ratingSum: 0, bookmarks: 0 });
        expect((await drained(store)).map(({ type, userId, fields }) => [type, userId, fields])).toEqual([
          ['film_liked', 'ann', { film_id: 'film', value: 1, revision: 1 }],
          ['film_liked', 'ann', { film_id: 'film', value: -1, revision: 2 }],
          ['film_liked', 'bob', { film_id: 'film', value: 1, revision: 1 }],
          ['film_unliked', 'bob', { film_id: 'film', revision: 2 }],
        ]);
      });

      test('64 at once by one user leave one state, right counts, and each change told once', async () => {
        const votes = Array.from({ length: 64 }, (_, at) => ([1, 0, -1, 0] as const)[at % 4] ?? 0);
        const answers = await Promise.all(votes.map(vote => store.vote('film', vote, by('ann'))));
        const vote = await store.voteOf('film', 'ann');
        const { likes, dislikes } = await store.counts('film');
        expect({ likes, dislikes }).toEqual({ likes: Number(vote === 1), dislikes: Number(vote === -1) });
        const revisions = (await drained(store)).map(({ fields }) => fields.revision);
        expect(revisions).toEqual(Array.from(revisions, (_, at) => at + 1));
        expect(Math.max(...answers.map(({ revision }) => revision))).toBe(revisions.length);
      });

      test('of many users on one film are counted right', async () => {
        await Promise.all(
          Array.from({ length: 300 }, (_, at) => store.vote('hot', at % 3 === 0 ? -1 : 1, by(`u${at}`))),
        );
        expect(await store.counts('hot')).toMatchObject({ likes: 200, dislikes: 100 });
        await Promise.all(Array.from({ length: 150 }, (_, at) => store.vote('hot', 0, by(`u${at}`))));
        expect(await store.counts('hot')).toMatchObject({ likes: 100, dislikes: 50 });
      });
    });

    test('bookmarks: set and taken back, the latest first, paged by the last one', async () => {
      for (const [at, film] of ['a', 'b', 'c', 'd'].entries()) await store.bookmark(film, true, by('ann', 1_000 + at));
      expect(await store.bookmark('d', true, by('ann'))).toEqual({ revision: 1 });
      expect(await store.bookmark('d', false, by('ann'))).toEqual({ revision: 2 });
      expect(await store.bookmark('never', false, by('ann'))).toEqual({ revision: 0 });
      expect(await store.isBookmarked('d', 'ann')).toBe(false);
      expect(await store.isBookmarked('a', 'ann')).toBe(true);
      expect(await store.isBookmarked('a', 'bob')).toBe(false);
      const first = await store.bookmarks('ann', null, 2);
      expect(first).toEqual([
        { filmId: 'c', atMs: 1_002 },
        { filmId: 'b', atMs: 1_001 },
      ]);
      expect(await store.bookmarks('ann', first[1] ?? null, 9)).toEqual([{ filmId: 'a', atMs: 1_000 }]);
      expect((await store.counts('a')).bookmarks).toBe(1);
      expect((await store.counts('d')).bookmarks).toBe(0);
    });

    describe('reviews', () => {
      test('posted once however often it is sent, and by no other under its id', async () => {
        const change = by('ann');
        const first = await store.postReview(post('r1'), change);
        expect(first).toEqual({
          outcome: 'done',
          review: {
            ...{ id: 'r1', filmId: 'film', userId: 'ann', rating: 7, text: 'well', state: 'approved' },
            ...{ likes: 0, dislikes: 0, revision: 1, createdAtMs: change.atMs, editedAtMs: null },
          },
        });
        expect(await store.postReview(post('r1'), change)).toEqual(first);
        expect(await store.postReview(post('r1'), by('bob'))).toEqual({ outcome: 'not_own' });
        expect(await store.counts('film')).toMatchObject({ reviews: 1, ratingSum: 7 });
        expect((await drained(store)).map(({ type, eventId, fields }) => [type, eventId, fields])).toEqual([
          ['review_posted', change.eventId, { review_id: 'r1', film_id: 'film', rating: 7, text: 'well', revision: 1 }],
        ]);
      });

      test('edited by its author alone, of the revision that was meant, and once', async () => {
        await store.postReview(post('r1'), by('ann'));
        const change = by('ann');
        const edited = await store.editReview('r1', { rating: 3, revision: 1 }, change);
        expect(edited).toMatchObject({
          outcome: 'done',
          review: { rating: 3, text: 'well', revision: 2, editedAtMs: change.atMs },
        });
        expect(await store.editReview('r1', { rating: 3, revision: 1 }, change)).toEqual(edited);
        expect(await store.editReview('r1', { rating: 9, revision: 1 }, by('ann'))).toMatchObject({
          outcome: 'stale',
          review: { rating: 3, revision: 2 },
        });
        expect(await store.editReview('r1', { rating: 3 }, by('ann'))).toMatchObject({
          outcome: 'done',
          review: { revision: 2 },
        });
        expect(await store.editReview('r1', { rating: 9 }, by('bob'))).toEqual({ outcome: 'not_own' });
        expect(await store.editReview('r2', { rating: 9 }, by('ann'))).toEqual({ outcome: 'missing' });
        expect(await store.editReview('r1', { text: '', state: 'pending' }, by('ann'))).toMatchObject({
          review: { text: '', state: 'pending', revision: 3 },
        });
        expect(await store.counts('film')).toMatchObject({ reviews: 0, ratingSum: 0 });
      });

      test('deleted once; gone for every question, and its votes with it', async () => {
        await store.postReview(post('r1'), by('ann'));
        await store.voteReview('r1', 1, by('bob'));
        expect(await store.deleteReview('r1', undefined, by('bob'))).toEqual({ outcome: 'not_own' });
        expect(await store.deleteReview('r1', 9, by('ann'))).toMatchObject({ outcome: 'stale' });
        const change = by('ann');
        const deleted = await store.deleteReview('r1', 1, change);
        expect(deleted).toMatchObject({ outcome: 'done', review: { id: 'r1', revision: 2 } });
        expect(deleted).toMatchObject({ outcome: 'done', review: { text: '' } });
        expect(await store.deleteReview('r1', 1, change)).toEqual(deleted);
        expect(await store.deleteReview('r1', undefined, by('ann'))).toEqual({ outcome: 'missing' });
        expect(await store.review('r1')).toBeNull();
        expect(await store.reviewVoteOf('r1', 'bob')).toBe(0);
        expect(await store.editReview('r1', { rating: 1 }, by('ann'))).toEqual({ outcome: 'missing' });
        expect(await store.voteReview('r1', 1, by('cid'))).toEqual({ outcome: 'missing' });
        expect(await store.moderate('r1', 'spam', by('mod'))).toEqual({ outcome: 'missing' });
        expect(await store.reviews({ states: ['approved'], order: 'newest', after: null, countMax: 9 })).toEqual([]);
        expect(await store.counts('film')).toMatchObject({ reviews: 0, ratingSum: 0 });
      });

      test('moderated: what is not approved does not count', async () => {
        await store.postReview(post('r1', { state: 'pending' }), by('ann'));
        expect((await store.counts('film')).reviews).toBe(0);
        await store.moderate('r1', 'approved', by('mod'));
        expect(await store.counts('film')).toMatchObject({ reviews: 1, ratingSum: 7 });
        await store.moderate('r1', 'approved', by('mod'));
        await store.moderate('r1', 'spam', by('mod'));
        expect(await store.review('r1')).toMatchObject({ state: 'spam', revision: 3, editedAtMs: null });
        const told = (await drained(store)).slice(1);
        expect(told.map(({ userId, fields }) => [userId, fields])).toEqual([
          ['mod', { review_id: 'r1', film_id: 'film', state: 'approved', revision: 2 }],
          ['mod', { review_id: 'r1', film_id: 'film', state: 'spam', revision: 3 }],
        ]);
      });

      test('voted for by others; a vote is no change of it', async () => {
        await store.postReview(post('r1'), by('ann'));
        expect(await store.voteReview('r1', 1, by('ann'))).toEqual({ outcome: 'not_own' });
        await store.voteReview('r1', 1, by('bob'));
        await store.voteReview('r1', -1, by('cid'));
        expect(await store.voteReview('r1', -1, by('bob'))).toMatchObject({
          outcome: 'done',
          review: { likes: 0, dislikes: 2, revision: 1 },
        });
        expect(await store.reviewVoteOf('r1', 'bob')).toBe(-1);
        expect(await store.voteReview('r1', 0, by('cid'))).toMatchObject({ review: { likes: 0, dislikes: 1 } });
        expect(
          (await drained(store)).slice(1).map(({ type, userId, fields }) => [type, userId, fields.revision]),
        ).toEqual([
          ['review_liked', 'bob', 1],
          ['review_liked', 'cid', 1],
          ['review_liked', 'bob', 2],
          ['review_unliked', 'cid', 2],
        ]);
      });

      for (const order of ['newest', 'oldest', 'highest', 'lowest', 'useful'] as const)
        test(`paged ${order} first: each once, whatever the page, equals too`, async () => {
          for (let at = 0; at < 13; at++) {
            await store.postReview(post(`r${at % 7}${at}`, { rating: 1 + (at % 3) }), by(`u${at}`, 1_000 + (at % 5)));
            await store.voteReview(`r${at % 7}${at}`, ([0, 1, -1, -1] as const)[at % 4] ?? 0, by('voter'));
          }
          const all = await pagedBy(store, order, 99);
          expect(new Set(all.map(({ id }) => id)).size).toBe(13);
          const paged = await pagedBy(store, order, 4);
          expect(paged).toEqual([...all]);
          const sign = order === 'oldest' || order === 'lowest' ? 1 : -1;
          expect(all.map(rankOf[order])).toEqual(all.map(rankOf[order]).toSorted((one, other) => sign * (one - other)));
        });

      test('found by film, by user, by state', async () => {
        await store.postReview(post('r1'), by('ann'));
        await store.postReview(post('r2', { filmId: 'other', state: 'pending' }), by('ann'));
        await store.postReview(post('r3', { state: 'spam' }), by('bob'));
        const ids = async (query: object) =>
          (
            await store.reviews({
              states: ['approved', 'pending', 'spam'],
              order: 'oldest',
              after: null,
              countMax: 9,
              ...query,
            })
          ).map(({ id }) => id);
        expect(await ids({})).toEqual(['r1', 'r2', 'r3']);
        expect(await ids({ userId: 'ann' })).toEqual(['r1', 'r2']);
        expect(await ids({ filmId: 'film' })).toEqual(['r1', 'r3']);
        expect(await ids({ filmId: 'film', userId: 'bob', states: ['spam'] })).toEqual(['r3']);
        expect(await ids({ states: [] })).toEqual([]);
      });

      test('take any text', async () => {
        const texts = [
          "'; DROP TABLE reviews; --",
          '<script>alert(1)</script>',
          'שלום\u200b\u202e',
          '\\u0041 "',
          '🎬'.repeat(500),
          '$1 ?1',
        ];
        for (const [at, text] of texts.entries()) {
          await store.postReview(post(`r${at}`, { text }), by('ann'));
          expect((await store.review(`r${at}`))?.text).toBe(text);
        }
        expect((await drained(store)).map(({ fields }) => fields.text)).toEqual(texts);
      });
    });

    describe('where viewing stopped', () => {
      test('the latest has the place, the furthest stays, once watched is always watched', async () => {
        const first = await store.savePlace({ filmId: 'film', position: 95, duration: 100 }, by('ann', 1_000));
        expect(first).toEqual({
          ...{ filmId: 'film', position: 95, duration: 100, atMs: 1_000, revision: 1 },
          ...{ furthest: 0.95, firstAtMs: 1_000, watchedAtMs: 1_000 },
        });
        const change = by('ann', 2_000);
        const again = await store.savePlace({ filmId: 'film', position: 10.5, duration: 100 }, change);
        expect(again).toMatchObject({ position: 10.5, atMs: 2_000, revision: 2, furthest: 0.95, watchedAtMs: 1_000 });
        expect(await store.savePlace({ filmId: 'film', position: 10.5, duration: 100 }, change)).toEqual(again);
        expect(await store.place('film', 'ann')).toEqual(again);
        expect(await store.place('film', 'bob')).toBeNull();
        expect((await drained(store)).map(({ type, fields }) => [type, fields])).toEqual([
          ['progress_saved', { film_id: 'film', position: 95, duration: 100, revision: 1 }],
          ['progress_saved', { film_id: 'film', position: 10.5, duration: 100, revision: 2 }],
        ]);
      });

      test('events merge in any order, any number of times', async () => {
        const events = [
          viewing({ atMs: 10, eventId: 'b', position: 20, duration: 100, furthest: 0.2 }),
          viewing({ atMs: 10, eventId: 'a', position: 30, duration: 100, furthest: 0.3 }),
          viewing({ atMs: 5, eventId: 'z', position: 99, duration: 100, furthest: 0.99, watchedAtMs: 5 }),
          viewing({ atMs: 7, eventId: 'y', watchedAtMs: 7 }),
        ];
        await store.mergeViewings(events);
        const forwards = await store.place('film', 'ann');
        await store.mergeViewings(events.toReversed().map(event => ({ ...event, userId: 'bob' })));
        await store.mergeViewings([...events, ...events]);
        expect(forwards).toEqual({
          ...{ filmId: 'film', position: 20, duration: 100, atMs: 10, revision: 0 },
          ...{ furthest: 0.99, firstAtMs: 5, watchedAtMs: 5 },
        });
        expect(await store.place('film', 'ann')).toEqual(forwards);
        expect(await store.place('film', 'bob')).toEqual(forwards);
        expect((await store.outbox()).events).toBe(0);
      });

      test('removed: what was seen before does not come back, what is seen later does', async () => {
        await store.savePlace({ filmId: 'film', position: 50, duration: 100 }, by('ann', 1_000));
        await store.removePlace('film', by('ann', 2_000));
        await store.removePlace('film', by('ann', 2_001));
        expect(await store.place('film', 'ann')).toBeNull();
        await store.mergeViewings([viewing({ atMs: 1_500, eventId: 'a', position: 1, duration: 100 })]);
        expect(await store.place('film', 'ann')).toBeNull();
        await store.mergeViewings([viewing({ atMs: 3_000, eventId: 'b', position: 60, duration: 100, furthest: 0.6 })]);
        expect(await store.place('film', 'ann')).toMatchObject({ position: 60, furthest: 0.6, firstAtMs: 3_000 });
        expect((await drained(store)).map(({ type, fields }) => [type, fields.revision])).toEqual([
          ['progress_saved', 1],
          ['progress_removed', 2],
        ]);
      });

      test('a place to resume at was begun in earnest and is not at its end; a film is seen by the rules', async () => {
        const save = (filmId: string, position: number, duration: number, atMs: number) =>
          store.savePlace({ filmId, position, duration }, by('ann', atMs));
        await save('glimpsed', 9, 6_000, 1);
        await save('two-minutes', rules.seenSeconds, 6_000, 2);
        await save('a-share', 5, 100, 3);
        await save('at-its-end', 95, 100, 4);
        await save('no-length', 500, 0, 5);
        await store.mergeViewings([viewing({ filmId: 'only-watched', atMs: 6, eventId: 'a', watchedAtMs: 6 })]);
        const of = async (isResumable: boolean, after: { atMs: number; filmId: string } | null = null, countMax = 99) =>
          (await store.places({ userId: 'ann', isResumable, after, countMax })).map(({ filmId }) => filmId);
        expect(await of(true)).toEqual(['no-length', 'a-share', 'two-minutes']);
        expect(await of(false)).toEqual(['only-watched', 'no-length', 'at-its-end', 'a-share', 'two-minutes']);
        expect(await of(false, { atMs: 5, filmId: 'no-length' }, 2)).toEqual(['at-its-end', 'a-share']);
      });
    });

    test('an idempotency key: first, again, answered, of another request; kept for a day', async () => {
      const day = 86_400_000;
      expect(await store.claim('ann', 'k', 'h', day)).toEqual({ outcome: 'first' });
      expect(await store.claim('ann', 'k', 'h', day)).toEqual({ outcome: 'again' });
      expect(await store.claim('ann', 'k', 'other', day)).toEqual({ outcome: 'other' });
      expect(await store.claim('bob', 'k', 'other', day)).toEqual({ outcome: 'first' });
      await store.settle('ann', 'k', '{"a":"\u2028"}');
      expect(await store.claim('ann', 'k', 'h', 2 * day)).toEqual({ outcome: 'answered', answer: '{"a":"\u2028"}' });
      expect(await store.claim('ann', 'k', 'other', 2 * day)).toEqual({ outcome: 'other' });
      expect(await store.claim('ann', 'k', 'other', 2 * day + 1)).toEqual({ outcome: 'first' });
      const raced = await Promise.all(Array.from({ length: 8 }, () => store.claim('ann', 'raced', 'h', day)));
      expect(raced.filter(({ outcome }) => outcome === 'first')).toHaveLength(1);
    });

    describe('the outbox', () => {
      test('says how much waits since when, and gives it until it was published', async () => {
        expect(await store.outbox()).toEqual({ events: 0, oldestAtMs: null });
        await store.vote('a', 1, by('ann', 5_000));
        await store.vote('b', 1, by('ann', 6_000));
        expect(await store.outbox()).toEqual({ events: 2, oldestAtMs: 5_000 });
        const outbox = await leadOf(store);
        const [first] = await outbox.read(1);
        expect(first).toMatchObject({ type: 'film_liked', userId: 'ann', atMs: 5_000 });
        expect(await outbox.read(9)).toHaveLength(2);
        await outbox.published(first === undefined ? [] : [first]);
        await outbox.published([]);
        expect((await outbox.read(9)).map(({ fields }) => fields.film_id)).toEqual(['b']);
        await outbox.close();
      });

      test('one at a time has it; another gets it when it is let go of', async () => {
        const first = await leadOf(store);
        const waiting = store.lead(AbortSignal.timeout(60_000));
        const impatient = await store.lead(AbortSignal.timeout(300));
        expect(impatient).toBeNull();
        await first.close();
        expect(await first.lost).toBeString();
        const second = await waiting;
        expect(second).not.toBeNull();
        await store.vote('film', 1, by('ann'));
        const events = (await second?.read(9)) ?? [];
        expect(await first.published(events).catch((error: Error) => error)).toBeInstanceOf(Error);
        expect(await second?.read(9)).toHaveLength(1);
        await second?.close();
      });

      test('is lost when the store is closed, and nobody waits for it any more', async () => {
        const first = await leadOf(store);
        const waiting = canShare ? store.lead(new AbortController().signal) : Promise.resolve(null);
        await store.close();
        expect(await first.lost).toBeString();
        expect(await waiting).toBeNull();
      });
    });

    test('what there is of everything, by user and film', async () => {
      for (const user of ['cid', 'ann', 'bob'])
        for (const film of ['b', 'a']) {
          await store.vote(film, user === 'bob' ? -1 : 1, by(user));
          await store.bookmark(film, true, by(user));
          await store.postReview(post(`${user}-${film}`, { filmId: film }), by(user));
        }
      await store.vote('a', 0, by('ann'));
      await store.bookmark('a', false, by('ann'));
      await store.deleteReview('ann-a', undefined, by('ann'));
      const value = (user: string, like: number) => (user === 'bob' ? -like : like);
      const rest = [
        ['ann', 'b'],
        ['bob', 'a'],
        ['bob', 'b'],
        ['cid', 'a'],
        ['cid', 'b'],
      ] as const;
      expect(await gathered(store.states('likes'))).toEqual(
        rest.map(([userId, filmId]) => ({ userId, filmId, id: '', value: value(userId, 1), revision: 1 })),
      );
      expect(await gathered(store.states('bookmarks'))).toEqual(
        rest.map(([userId, filmId]) => ({ userId, filmId, id: '', value: 1, revision: 1 })),
      );
      expect(await gathered(store.states('reviews'))).toEqual(
        rest.map(([userId, filmId]) => ({ userId, filmId, id: `${userId}-${filmId}`, value: 7, revision: 1 })),
      );
    });

    test('more rows than a chunk has are each told once', async () => {
      await Promise.all(Array.from({ length: 2_500 }, (_, at) => store.vote(`f${at}`, 1, by('ann'))));
      const rows = await gathered(store.states('likes'));
      expect(new Set(rows.map(({ filmId }) => filmId)).size).toBe(2_500);
      expect(await gathered(store.person('ann'))).toHaveLength(2_500);
    });

    for (const keepReviews of [false, true])
      test(`a person is told and forgotten, their reviews ${keepReviews ? 'kept' : 'gone'}`, async () => {
        await store.vote('film', 1, by('ann', 1));
        await store.vote('film', 1, by('bob'));
        await store.bookmark('film', true, by('ann', 2));
        await store.postReview(post('r1'), by('ann', 3));
        await store.postReview(post('r2'), by('bob'));
        await store.postReview(post('r3'), by('ann', 3));
        await store.deleteReview('r3', undefined, by('ann'));
        await store.voteReview('r2', -1, by('ann', 4));
        await store.voteReview('r1', 1, by('bob'));
        await store.savePlace({ filmId: 'film', position: 50, duration: 100 }, by('ann', 5));
        await store.claim('ann', 'k', 'h', 1);
        expect(await gathered(store.person('ann'))).toEqual([
          { kind: 'like', film_id: 'film', value: 1, at_ms: 1 },
          {
            ...{ kind: 'review', review_id: 'r1', film_id: 'film', rating: 7, text: 'well', state: 'approved' },
            ...{ created_at_ms: 3, edited_at_ms: null },
          },
          { kind: 'review_like', review_id: 'r2', value: -1, at_ms: 4 },
          { kind: 'bookmark', film_id: 'film', at_ms: 2 },
          {
            ...{ kind: 'viewing', film_id: 'film', position: 50, duration: 100, furthest: 0.5 },
            ...{ at_ms: 5, first_at_ms: 5, watched_at_ms: null },
          },
        ]);
        expect(await store.forget('ann', keepReviews)).toEqual({
          ...{ likes: 1, reviews: 1, reviewLikes: 1, bookmarks: 1, viewings: 1, events: 7 },
        });
        expect(await gathered(store.person('ann'))).toEqual([]);
        const kept = Number(keepReviews);
        expect(await store.counts('film')).toEqual({
          ...{ likes: 1, dislikes: 0, reviews: 1 + kept, ratingSum: 7 + 7 * kept, bookmarks: 0 },
        });
        expect(await store.review('r2')).toMatchObject({ likes: 0, dislikes: 0 });
        const r1 = await store.review('r1');
        if (keepReviews) expect(r1).toMatchObject({ userId: null, likes: 1, text: 'well' });
        else expect(r1).toBeNull();
        expect(await store.place('film', 'ann')).toBeNull();
        expect(await store.claim('ann', 'k', 'h', 1)).toEqual({ outcome: 'first' });
        expect((await drained(store)).map(({ userId }) => userId)).toEqual(['bob', 'bob', 'bob']);
        expect(await store.forget('ann', keepReviews)).toMatchObject({ likes: 0, reviews: 0, events: 0 });
      });

    test('closes twice, and has no problem', async () => {
      await store.vote('film', 1, by('ann'));
      expect(store.problem()).toBeNull();
      await store.close();
      await store.close();
    });

    if (canShare)
      test('several stores on one state, opened at once: what one does the others see, and one leads', async () => {
        const others = await Promise.all(Array.from({ length: 10 }, () => made.open()));
        await Promise.all(others.map((other, at) => other.vote('film', 1, by(`u${at}`))));
        for (const other of others) expect((await other.counts('film')).likes).toBe(10);
        const first = await leadOf(store);
        const waiting = others.map(other => other.lead(AbortSignal.timeout(500)));
        expect(await Promise.all(waiting)).toEqual(others.map(() => null));
        const next = leadOf(others[3] ?? store);
        await store.close();
        expect(await (await next).read(99)).toHaveLength(10);
        await first.close();
        await (await next).close();
      });
  });
}
