// The content routes of the compiled binary: what each does, whom it refuses, and what it makes of bodies, ids, cursors and
// tokens that are not as they should be.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Ask, askerOf, contentFlags, contentSecret, tokenFor } from './content-client.ts';
import { hmacTokenOf } from './tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from './ugc.ts';

/** In the store that `flagsOf` names, asked once. */
export function contentRoutesWork(flagsOf: () => Promise<readonly string[]>): void {
  let ugc: Ugc;
  let anna: Ask;
  let boris: Ask;
  let moderator: Ask;
  let nobody: Ask;
  const dataDir = temporaryFolder();

  beforeAll(async () => {
    ugc = await startUgc({ dataDir, flags: [...contentFlags, '--request-log=false', ...(await flagsOf())] });
    anna = askerOf(ugc.url, tokenFor('anna'));
    boris = askerOf(ugc.url, tokenFor('boris'));
    moderator = askerOf(ugc.url, tokenFor('moderator', 'content:moderate'));
    nobody = askerOf(ugc.url, null);
  });
  afterAll(async () => {
    expect(await ugc.stop()).toBe(0);
  });

  let films = 0;
  /** One that no other test knows. */
  const aFilm = (): string => `film-${++films}-${crypto.randomUUID()}`;
  const review = { rating: 8, text: 'Long, and not a minute too long.' };

  interface Told {
    readonly id: string;
    readonly next: string | null;
    readonly reviews: readonly { readonly id: string; readonly rating: number; readonly state: string }[];
    readonly errors: readonly { readonly path: string; readonly message: string }[];
    readonly detail: string;
    readonly type: string;
  }
  const told = ({ body }: { readonly body: unknown }): Told => body as Told;

  async function posted(ask: Ask, film: string, body: unknown = review): Promise<string> {
    const answer = await ask('POST', `/v1/films/${film}/reviews`, { body });
    expect(answer.status).toBe(201);
    return told(answer).id;
  }

  describe('likes', () => {
    test('are one of a user and a film, and counted', async () => {
      const film = aFilm();
      const path = `/v1/films/${film}/like`;
      expect(await anna('PUT', path)).toMatchObject({ status: 200, body: { film_id: film, value: 1 } });
      expect((await anna('PUT', path, { body: { value: 1 } })).status).toBe(200);
      expect(await boris('PUT', path, { body: { value: -1 } })).toMatchObject({ body: { value: -1 } });
      expect((await anna('GET', path)).body).toEqual({ film_id: film, value: 1, likes: 1, dislikes: 1 });
      expect((await nobody('GET', path)).body).toEqual({ film_id: film, value: null, likes: 1, dislikes: 1 });
      expect(await anna('DELETE', path)).toMatchObject({ status: 204, text: '' });
      expect((await anna('DELETE', path)).status).toBe(204);
      expect((await anna('GET', path)).body).toEqual({ film_id: film, value: 0, likes: 0, dislikes: 1 });
    });

    test('sixty-four at once of one user come to one state and its count', async () => {
      const film = aFilm();
      await Promise.all(
        Array.from({ length: 64 }, (_, at) => anna(at % 2 === 0 ? 'PUT' : 'DELETE', `/v1/films/${film}/like`)),
      );
      const { value, likes } = (await anna('GET', `/v1/films/${film}/like`)).body as { value: number; likes: number };
      expect(likes).toBe(value);
    });

    test('are rows of the tables, too: once each, and of the service itself', async () => {
      const film = aFilm();
      await anna('PUT', `/v1/films/${film}/like`);
      await anna('DELETE', `/v1/films/${film}/like`);
      const rows = () =>
        ugc.query(
          `SELECT * FROM (SELECT user_id, revision, source FROM ugc.film_liked WHERE film_id = '${film}' UNION ALL SELECT user_id, revision, source FROM ugc.film_unliked WHERE film_id = '${film}') ORDER BY revision`,
        );
      await eventually(async () => (await rows()).length === 2, { what: 'two rows' });
      expect(await rows()).toEqual([
        { user_id: 'anna', revision: 1, source: 'ugc:content' },
        { user_id: 'anna', revision: 2, source: 'ugc:content' },
      ]);
    });
  });

  test('a film is told with its counts, and not again while they are the same', async () => {
    const film = aFilm();
    const path = `/v1/films/${film}`;
    const none = { film_id: film, likes: 0, dislikes: 0, reviews: 0, average_rating: null, bookmarks: 0 };
    const first = await nobody('GET', path);
    expect(first).toMatchObject({ status: 200, body: none });
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe('no-cache');
    for (const shown of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await nobody('GET', path, { headers: { 'if-none-match': shown } });
      expect(again).toMatchObject({ status: 304, text: '' });
      expect(again.headers.get('etag')).toBe(etag);
    }
    await posted(anna, film, { ...review, rating: 10 });
    await posted(boris, film, { ...review, rating: 9 });
    await posted(boris, film, { ...review, rating: 9 });
    await anna('PUT', `${path}/bookmark`);
    const changed = await nobody('GET', path, { headers: { 'if-none-match': etag } });
    expect(changed).toMatchObject({ status: 200, body: { reviews: 3, average_rating: 9.33, bookmarks: 1 } });
    expect((await nobody('GET', `${path}/counts`)).body).toEqual(changed.body);
  });

  describe('reviews', () => {
    test('are posted, read by everybody, changed and deleted by their author alone', async () => {
      const film = aFilm();
      const answer = await anna('POST', `/v1/films/${film}/reviews`, { body: review });
      expect(answer).toMatchObject({
        status: 201,
        body: { ...review, film_id: film, user_id: 'anna', state: 'approved', likes: 0, revision: 1, edited_at: null },
      });
      const { id } = told(answer);
      const path = `/v1/reviews/${id}`;
      expect(answer.headers.get('location')).toBe(path);
      const read = await nobody('GET', path);
      expect(read.body).toEqual(answer.body);
      const etag = read.headers.get('etag') ?? '';
      expect((await nobody('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(304);

      expect((await boris('PATCH', path, { body: { rating: 1 } })).status).toBe(403);
      expect((await boris('DELETE', path)).status).toBe(403);
      expect((await moderator('PATCH', path, { body: { rating: 1 } })).status).toBe(403);
      const edited = await anna('PATCH', path, { body: { rating: 9 }, headers: { 'if-match': etag } });
      expect(edited).toMatchObject({ status: 200, body: { rating: 9, text: review.text, revision: 2 } });
      const late = await anna('PATCH', path, { body: { rating: 2 }, headers: { 'if-match': etag } });
      expect(late.status).toBe(412);
      expect(late.headers.get('etag')).toBe(edited.headers.get('etag'));
      expect((await anna('DELETE', path, { headers: { 'if-match': etag } })).status).toBe(412);
      expect((await anna('DELETE', path, { headers: { 'if-match': 'nonsense' } })).status).toBe(412);
      const current = { 'if-match': edited.headers.get('etag') ?? '' };
      expect((await anna('DELETE', path, { headers: current })).status).toBe(204);
      expect((await anna('DELETE', path)).status).toBe(404);
      expect((await nobody('GET', path)).status).toBe(404);
      expect((await anna('PATCH', path, { body: { rating: 2 } })).status).toBe(404);
    });

    test('are found useful by others, which is no reason to refuse an edit', async () => {
      const id = await posted(anna, aFilm());
      const path = `/v1/reviews/${id}`;
      const etag = (await anna('GET', path)).headers.get('etag') ?? '';
      expect((await anna('PUT', `${path}/like`)).status).toBe(403);
      expect(await boris('PUT', `${path}/like`)).toMatchObject({ body: { review_id: id, value: 1, likes: 1 } });
      expect((await boris('GET', `${path}/like`)).body).toEqual({ review_id: id, value: 1, likes: 1, dislikes: 0 });
      expect((await nobody('GET', `${path}/like`)).body).toMatchObject({ value: null, likes: 1 });
      expect((await nobody('GET', path, { headers: { 'if-none-match': etag } })).status).toBe(200);
      expect((await anna('PATCH', path, { body: { rating: 7 }, headers: { 'if-match': etag } })).status).toBe(200);
      expect((await boris('DELETE', `${path}/like`)).status).toBe(204);
      expect((await boris('GET', `${path}/like`)).body).toMatchObject({ value: 0, likes: 0 });
    });

    test('are told in five orders, page by page, each once', async () => {
      const film = aFilm();
      const ratings = [3, 9, 5, 5, 7];
      const ids: string[] = [];
      for (const rating of ratings) ids.push(await posted(anna, film, { ...review, rating }));
      await boris('PUT', `/v1/reviews/${ids[2]}/like`);
      await boris('PUT', `/v1/reviews/${ids[4]}/like`, { body: { value: -1 } });
      const pages = async (order: string) => {
        const found: Told['reviews'][number][] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
          const page = await nobody('GET', `/v1/films/${film}/reviews?order=${order}&limit=2${after}`);
          expect(page.status).toBe(200);
          found.push(...told(page).reviews);
          cursor = told(page).next;
        }
        return found;
      };
      for (const order of ['newest', 'oldest', 'highest', 'lowest', 'useful'])
        expect((await pages(order)).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      expect((await pages('oldest'))[0]?.id).toBe(ids[0]!);
      expect((await pages('newest'))[0]?.id).toBe(ids[4]!);
      expect((await pages('highest')).map(({ rating }) => rating)).toEqual([9, 7, 5, 5, 3]);
      expect((await pages('lowest')).map(({ rating }) => rating)).toEqual([3, 5, 5, 7, 9]);
      const useful = await pages('useful');
      expect([useful[0]?.id, useful[4]?.id]).toEqual([ids[2], ids[4]]);

      const { next } = told(await nobody('GET', `/v1/films/${film}/reviews?limit=2`));
      const cursor = next ?? '';
      const other = cursor.at(9) === 'A' ? 'B' : 'A';
      const wrong = [cursor.slice(0, 9) + other + cursor.slice(10), cursor.slice(1), `${cursor}A`, 'null', '%00', ''];
      for (const tampered of wrong)
        expect((await nobody('GET', `/v1/films/${film}/reviews?cursor=${tampered}`)).status).toBe(400);
      for (const elsewhere of [`/v1/films/${film}/reviews?order=oldest`, `/v1/films/${aFilm()}/reviews?order=newest`])
        expect((await nobody('GET', `${elsewhere}&cursor=${cursor}`)).status).toBe(400);
      expect((await anna('GET', `/v1/me/bookmarks?cursor=${cursor}`)).status).toBe(400);
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1&limit=2', 'order=best', 'oder=newest'])
        expect((await nobody('GET', `/v1/films/${film}/reviews?${query}`)).status).toBe(400);
      expect(told(await nobody('GET', `/v1/films/${film}/reviews?oder=newest`)).detail).toContain(
        'did you mean order?',
      );
    });

    test('are taken out of sight by moderators, and seen by their author still', async () => {
      const film = aFilm();
      const id = await posted(anna, film);
      const path = `/v1/reviews/${id}`;
      expect((await anna('PATCH', path, { body: { state: 'spam' } })).status).toBe(403);
      expect((await moderator('PATCH', path, { body: { state: 'spam', rating: 1 } })).status).toBe(422);
      expect((await moderator('PATCH', path, { body: { state: 'gone' } })).status).toBe(422);
      expect(await moderator('PATCH', path, { body: { state: 'spam' } })).toMatchObject({
        status: 200,
        body: { state: 'spam', ...review },
      });
      expect((await nobody('GET', path)).status).toBe(404);
      expect((await boris('GET', path)).status).toBe(404);
      expect((await boris('DELETE', path)).status).toBe(404);
      expect((await boris('PUT', `${path}/like`)).status).toBe(404);
      expect((await anna('GET', path)).status).toBe(200);
      expect(told(await nobody('GET', `/v1/films/${film}/reviews`)).reviews).toEqual([]);
      expect((await nobody('GET', `/v1/films/${film}`)).body).toMatchObject({ reviews: 0, average_rating: null });
      const queue = await moderator('GET', `/v1/reviews?state=spam&film_id=${film}`);
      expect(told(queue).reviews.map(found => found.id)).toEqual([id]);
      expect((await anna('GET', '/v1/reviews')).status).toBe(403);
      expect((await nobody('GET', '/v1/reviews')).status).toBe(401);
      const own = told(await anna('GET', '/v1/me/reviews')).reviews.find(found => found.id === id);
      expect(own?.state).toBe('spam');
    });

    test('are kept as they are written, whatever that is, and told as JSON alone', async () => {
      const texts = [
        `'); DROP TABLE reviews; --`,
        '<script>alert(1)</script>',
        '\u202Eright to left\u202C and a\u200Bzero width',
        '👩‍👩‍👧 e\u0301 \n two lines',
        '{"$gt":""}',
      ];
      for (const text of texts) {
        const id = await posted(anna, aFilm(), { rating: 5, text: `  ${text}\n` });
        const read = await nobody('GET', `/v1/reviews/${id}`);
        expect(read.body).toMatchObject({ text: text.trim() });
        expect(read.headers.get('content-type')).toBe('application/json');
        expect(read.headers.get('x-content-type-options')).toBe('nosniff');
      }
    });

    test('that do not fit are refused field by field', async () => {
      const path = `/v1/films/${aFilm()}/reviews`;
      const wrong: readonly (readonly [body: unknown, path: string])[] = [
        [{ rating: 8 }, '/text'],
        [{ text: 'x' }, '/rating'],
        [{ ...review, rating: 0 }, '/rating'],
        [{ ...review, rating: 11 }, '/rating'],
        [{ ...review, rating: 7.5 }, '/rating'],
        [{ ...review, rating: '8' }, '/rating'],
        [{ ...review, rating: null }, '/rating'],
        ['{"rating":123456789012345678901234567890,"text":"x"}', '/rating'],
        ['{"rating":1e999,"text":"x"}', '/rating'],
        [{ ...review, text: '' }, '/text'],
        [{ ...review, text: ' \n\u200b\u202e\u2060 ' }, '/text'],
        [{ ...review, text: 'a\u0000b' }, '/text'],
        ['{"rating":8,"text":"\\ud800"}', '/text'],
        [{ ...review, text: 'x'.repeat(10_001) }, '/text'],
        [{ ...review, text: ['x'] }, '/text'],
        [{ ...review, rateing: 3 }, '/rateing'],
        [{ ...review, user_id: 'boris' }, '/user_id'],
        ['{"rating":8,"text":"a","rating":1}', '/rating'],
        [[review], ''],
        ['"text"', ''],
        ['null', ''],
      ];
      for (const [body, at] of wrong) {
        const answer = await anna('POST', path, { body });
        expect({ body, status: answer.status, at: told(answer).errors?.[0]?.path }).toEqual({ body, status: 422, at });
      }
      const misspelt = told(await anna('POST', path, { body: { ...review, rateing: 3 } })).errors[0]?.message;
      expect(misspelt).toContain('did you mean rating?');
      for (const body of ['{"rating":NaN}', '{', '', '[1,'])
        expect((await anna('POST', path, { body })).status).toBe(400);
      const large = await anna('POST', path, { body: { ...review, text: 'x'.repeat(1_000_000) } });
      expect({ status: large.status, detail: told(large).detail }).toEqual({
        status: 413,
        detail: expect.stringContaining('UGC_REVIEW_LENGTH_MAX'),
      });
      const xml = await anna('POST', path, { body: '<a/>', headers: { 'content-type': 'application/xml' } });
      expect(xml.status).toBe(415);
      const longest = 'ж'.repeat(10_000);
      expect((await anna('POST', path, { body: { ...review, text: longest } })).status).toBe(201);
    });
  });

  describe('a POST with an Idempotency-Key', () => {
    const keyed = (key: string) => ({ 'idempotency-key': key });

    test('is done once, and answered as the first time', async () => {
      const film = aFilm();
      const path = `/v1/films/${film}/reviews`;
      const key = crypto.randomUUID();
      const first = await anna('POST', path, { body: review, headers: keyed(key) });
      const again = await anna('POST', path, { body: { text: review.text, rating: 8 }, headers: keyed(key) });
      expect({ ...again, headers: again.headers.get('location') }).toEqual({
        ...first,
        headers: first.headers.get('location'),
      });
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
      expect(told(await nobody('GET', path)).reviews).toHaveLength(1);
      const other = await anna('POST', path, { body: { ...review, rating: 1 }, headers: keyed(key) });
      expect({ status: other.status, type: told(other).type }).toEqual({
        status: 422,
        type: 'urn:ugc:problem:key-reused',
      });
      const elsewhere = await anna('POST', `/v1/films/${aFilm()}/reviews`, { body: review, headers: keyed(key) });
      expect(elsewhere.status).toBe(422);
      expect((await boris('POST', path, { body: review, headers: keyed(key) })).status).toBe(201);
    });

    test('is refused while it is being done, and is one review however often it comes at once', async () => {
      const path = `/v1/films/${aFilm()}/reviews`;
      const headers = keyed(crypto.randomUUID());
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => anna('POST', path, { body: review, headers })),
      );
      expect([...new Set(answers.map(({ status }) => status))].every(status => status === 201 || status === 409)).toBe(
        true,
      );
      expect(new Set(answers.filter(({ status }) => status === 201).map(answer => told(answer).id)).size).toBe(1);
      expect(told(await nobody('GET', path)).reviews).toHaveLength(1);
    });

    test('is refused when the key is no key', async () => {
      for (const key of ['a b', 'x'.repeat(256), 'ключ'.normalize('NFKD').replace(/./g, 'é')])
        expect(
          (await anna('POST', '/comment', { body: { film_id: aFilm(), ...review }, headers: keyed(key) })).status,
        ).toBe(400);
    });
  });

  test('bookmarks are put, told the latest first, and taken away', async () => {
    const carla = askerOf(ugc.url, tokenFor('carla'));
    const marked = [aFilm(), aFilm(), aFilm()];
    for (const film of marked) {
      expect((await carla('GET', `/v1/films/${film}/bookmark`)).body).toEqual({ film_id: film, is_bookmarked: false });
      expect((await carla('PUT', `/v1/films/${film}/bookmark`)).body).toEqual({ film_id: film, is_bookmarked: true });
    }
    const list = async (query: string) =>
      (await carla('GET', `/v1/me/bookmarks?${query}`)).body as {
        bookmarks: { film_id: string }[];
        next: string | null;
      };
    const first = await list('limit=2');
    const second = await list(`limit=2&cursor=${first.next}`);
    expect([...first.bookmarks, ...second.bookmarks].map(({ film_id }) => film_id)).toEqual(marked.toReversed());
    expect(second.next).toBeNull();
    expect((await carla('DELETE', `/v1/films/${marked[0]}/bookmark`)).status).toBe(204);
    expect((await list('')).bookmarks).toHaveLength(2);
    expect((await boris('GET', `/v1/films/${marked[1]}/bookmark`)).body).toMatchObject({ is_bookmarked: false });
  });

  test('viewing goes on where it stopped, and what was watched stays watched', async () => {
    const dora = askerOf(ugc.url, tokenFor('dora'));
    const [begun, watched, glanced] = [aFilm(), aFilm(), aFilm()];
    const put = (film: string, position: number) =>
      dora('PUT', `/v1/films/${film}/progress`, { body: { position, duration: 3_600 } });
    expect((await dora('GET', `/v1/films/${begun}/progress`)).status).toBe(404);
    expect(await put(begun, 1_800.5)).toMatchObject({ status: 200, body: { position: 1_800.5, is_watched: false } });
    expect((await put(watched, 4_000)).body).toMatchObject({ position: 3_600, furthest: 1, is_watched: true });
    await put(glanced, 9);
    const idsOf = async (list: string) =>
      ((await dora('GET', `/v1/me/${list}`)).body as { films: { film_id: string }[] }).films.map(
        ({ film_id }) => film_id,
      );
    expect(await idsOf('history')).toEqual([watched, begun]);
    expect(await idsOf('continue')).toEqual([begun]);
    expect((await put(watched, 600)).body).toMatchObject({ position: 600, is_watched: true });
    expect(await idsOf('continue')).toEqual([watched, begun]);
    expect((await dora('DELETE', `/v1/films/${watched}/progress`)).status).toBe(204);
    expect(await idsOf('history')).toEqual([begun]);
    const path = `/v1/films/${begun}/progress`;
    for (const body of [
      {},
      { position: 1 },
      { position: -1, duration: 2 },
      { position: 1, duration: 0 },
      { position: 1e12, duration: 2 },
      { position: '1', duration: 2 },
      '{"position":1,"duration":1e400}',
    ])
      expect({ body, status: (await dora('PUT', path, { body })).status }).toEqual({ body, status: 422 });
  });

  test('what a player sends as events is gone on with, too', async () => {
    const film = aFilm();
    const key = (await runUgc(['keys', 'add', 'player', `--data-dir=${dataDir}`])).stdout.trim();
    const emil = askerOf(ugc.url, tokenFor('emil'));
    const event = {
      event_type: 'film_progress',
      timestamp: new Date().toISOString(),
      user_id: 'emil',
      country: 'US',
      device: 'mobile',
      video_id: film,
      position: 900,
      duration: 3_600,
      share: 0.25,
    };
    await eventually(
      async () =>
        (
          await fetch(`${ugc.url}/v1/events`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
            body: JSON.stringify(event),
          })
        ).status === 200,
      { what: 'the key counts' },
    );
    await eventually(async () => (await emil('GET', `/v1/films/${film}/progress`)).status === 200, { what: 'a place' });
    expect((await emil('GET', '/v1/me/continue')).body).toMatchObject({ films: [{ film_id: film, position: 900 }] });
  });

  test('the same in plain words', async () => {
    const film = aFilm();
    const asked = `film_id=${film}`;
    expect((await anna('GET', `/is_liked?${asked}`)).body).toEqual({ is_liked: false });
    expect((await anna('POST', '/like', { body: { film_id: film } })).body).toEqual({ film_id: film, value: 1 });
    expect((await anna('GET', `/is_liked?${asked}`)).body).toEqual({ is_liked: true });
    expect((await boris('POST', '/like', { body: { film_id: film, value: -1 } })).status).toBe(200);
    expect((await boris('GET', `/is_liked?${asked}`)).body).toEqual({ is_liked: false });
    expect((await anna('DELETE', '/like', { body: { film_id: film } })).status).toBe(204);
    expect((await boris('DELETE', `/like?${asked}`)).status).toBe(204);
    expect((await nobody('GET', `/v1/films/${film}`)).body).toMatchObject({ likes: 0, dislikes: 0 });
    const comment = await anna('POST', '/comment', { body: { film_id: film, ...review } });
    expect(comment.status).toBe(201);
    expect((await boris('DELETE', `/comment?id=${told(comment).id}`)).status).toBe(403);
    expect((await anna('DELETE', `/comment?id=${told(comment).id}`)).status).toBe(204);
    expect((await anna('GET', `/is_fav?${asked}`)).body).toEqual({ is_fav: false });
    expect((await anna('POST', '/fav', { body: { film_id: film } })).status).toBe(200);
    expect((await anna('GET', `/is_fav?${asked}`)).body).toEqual({ is_fav: true });
    expect((await anna('DELETE', `/fav?${asked}`)).status).toBe(204);
    for (const path of ['/is_liked', '/is_fav', '/is_liked?film=x']) expect((await anna('GET', path)).status).toBe(400);
    for (const path of ['/like', '/fav', '/comment']) expect((await anna('DELETE', path)).status).toBe(400);
  });

  test('ids are what they say, encoded or not; what can be none is refused', async () => {
    for (const film of ['фильм', 'a/b', "' OR 1=1 --", '%2e', 'x'.repeat(256), '🎬'.repeat(100)]) {
      const path = `/v1/films/${encodeURIComponent(film)}/like`;
      expect((await anna('PUT', path)).body).toMatchObject({ film_id: film });
      expect((await nobody('GET', path)).body).toMatchObject({ film_id: film, likes: 1 });
    }
    for (const film of ['%00', '%0a', '%ff', '%zz', 'x'.repeat(257), '%C2%85'])
      expect({ film, status: (await anna('PUT', `/v1/films/${film}/like`)).status }).toEqual({ film, status: 400 });
    for (const id of ['1', `${crypto.randomUUID()}'`, '%00', crypto.randomUUID()])
      expect((await nobody('GET', `/v1/reviews/${id}`)).status).toBe(404);
  });

  describe('who', () => {
    const path = '/v1/films/who/like';
    const statusOf = async (token: string | null, method = 'PUT') =>
      (await askerOf(ugc.url, token)(method, path)).status;

    test('nobody may change anything without a token that counts', async () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { sub: 'anna', scope: 'content:write', exp: now + 3_600 };
      const [, payload = ''] = tokenFor('anna').split('.');
      const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      const bad = [
        none,
        hmacTokenOf('another secret, which is long enough to be one', claims),
        hmacTokenOf(contentSecret, { ...claims, exp: now - 3_600 }),
        hmacTokenOf(contentSecret, { ...claims, nbf: now + 3_600 }),
        hmacTokenOf(contentSecret, { ...claims, sub: '' }),
        hmacTokenOf(contentSecret, { scope: 'content:write', exp: now + 3_600 }),
        tokenFor('anna').replace(/.{4}$/, 'AAAA'),
        'nonsense',
      ];
      for (const token of bad) {
        expect(await statusOf(token)).toBe(401);
        expect(await statusOf(token, 'GET')).toBe(401); // shown and wrong is not the same as not shown
      }
      expect(await statusOf(null)).toBe(401);
      expect(await statusOf(null, 'GET')).toBe(200);
      expect((await nobody('GET', path)).body).toMatchObject({ likes: 0 });
    });

    test('a token that may only read changes nothing, and one of no scope does not even read', async () => {
      expect(await statusOf(tokenFor('anna', 'content:read'))).toBe(403);
      expect(await statusOf(tokenFor('anna', 'content:read'), 'GET')).toBe(200);
      expect(await statusOf(tokenFor('anna', 'events:write'), 'GET')).toBe(403);
    });

    test('an API key has no user', async () => {
      const add = ['keys', 'add', 'server', '--kind=secret', '--scopes=content:read,content:write'];
      const key = (await runUgc([...add, `--data-dir=${dataDir}`])).stdout.trim();
      await eventually(async () => (await statusOf(key)) !== 401, { what: 'the key counts' });
      const refused = await askerOf(ugc.url, key)('PUT', path);
      expect({ status: refused.status, detail: told(refused).detail }).toEqual({
        status: 403,
        detail: expect.stringContaining('API key'),
      });
      expect(await statusOf(key, 'GET')).toBe(200);
    });

    test('pages of other origins are told what they may read', async () => {
      const dir = temporaryFolder();
      const flags = [...contentFlags, '--role=content', '--cors-origins=https://site.example'];
      const own = await startUgc({ dataDir: dir, flags });
      const preflight = await fetch(own.url + path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://site.example',
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'authorization, if-match, idempotency-key',
        },
      });
      expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
      const read = await fetch(own.url + path, { headers: { origin: 'https://site.example' } });
      expect(read.headers.get('access-control-expose-headers')).toContain('ETag');
      expect(read.headers.get('access-control-allow-origin')).toBe('https://site.example');
      expect(await own.stop()).toBe(0);
    });

    test('each user has a rate of its own', async () => {
      const flags = [...contentFlags, '--role=content', '--rate-limit-key=1', '--rate-limit-burst-seconds=2'];
      const own = await startUgc({ dataDir: temporaryFolder(), flags });
      const statuses = async (user: string) => {
        const ask = askerOf(own.url, tokenFor(user));
        const answers = await Promise.all(Array.from({ length: 20 }, () => ask('PUT', path)));
        return answers.map(({ status }) => status);
      };
      expect(await statuses('fast')).toContain(429);
      expect((await askerOf(own.url, tokenFor('other'))('PUT', path)).status).toBe(200);
      expect(await own.stop()).toBe(0);
    });
  });
}
