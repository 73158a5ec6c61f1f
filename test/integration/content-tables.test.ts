// What the exact tables say of content, on the real engine: the history is the one that the log gives, and the last word on
// a like, a bookmark or a review is the store's, or named.

import { beforeAll, describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { type ContentTables, contentIn } from '../../src/adapters/clickhouse/ask/content.ts';
import { memoryContent } from '../../src/adapters/memory/content.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import type { Origin } from '../../src/catalogue/origin.ts';
import type { Config } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read.ts';
import { startRelay } from '../../src/content/relay.ts';
import { merged, viewingOf } from '../../src/content/viewings.ts';
import { PipelineError } from '../../src/errors.ts';
import { rebuiltFrom } from '../../src/operate/content-rebuild.ts';
import { type ContentBalance, contentBalanceIn } from '../../src/operate/reconcile-content.ts';
import type { Change, ContentStore, Viewing } from '../../src/ports/content.ts';
import type { Envelope, Outcome } from '../../src/ports/log.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { judgeOptions } from '../support/edge.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { quietLogger } from '../support/quiet.ts';
import { type Random, randomOf } from '../support/random.ts';
import { until } from '../support/until.ts';

const own = engineInTest();
const viewing = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };
const judge = judgeOf(judgeOptions);
const types = catalogue.types.filter(({ name }) =>
  /^(film_|progress_|bookmark_|review_(post|edit|mod|del|lik|unl))/.test(name),
);
const startMs = Date.parse('2026-11-22T01:00:00.000Z');
const never = new AbortController().signal;

async function prepared() {
  const { db, client, sink } = await own.prepared(types.map(tableOf));
  return { db, client, sink, tables: contentIn(client, db) };
}

let inserts = 0;
async function insert(sink: SinkWithDeadLetters, envelopes: readonly Envelope[]): Promise<void> {
  for (const [type, some] of Map.groupBy(envelopes, envelope => envelope.type)) {
    const chunks = [Buffer.from(some.map(({ body }) => `${body}\n`).join(''))];
    await sink.insert({ type, rows: some.length, chunks }, `content-${++inserts}`, never);
  }
}

function envelopeOf(event: Readonly<Record<string, unknown>>, receivedAtMs: number, source = 'web'): Envelope {
  const origin: Origin = {
    receivedAtMs,
    source,
    ip: '',
    userAgent: '',
    pathType: null,
    sentAt: undefined,
    wasJudged: true,
  };
  const verdict = judge(event, origin);
  if (!verdict.ok) throw new Error(JSON.stringify(verdict));
  return verdict.envelope;
}

describe('the history from the tables', () => {
  let tables: ContentTables;
  let sink: SinkWithDeadLetters;
  let db: string;
  beforeAll(async () => {
    ({ tables, sink, db } = await prepared());
  });

  const film = (
    type: string,
    second: number,
    own: Readonly<Record<string, unknown>>,
    receivedSecond = second,
  ): Envelope =>
    envelopeOf(
      {
        ...{
          event_type: type,
          timestamp: new Date(startMs + second * 1_000).toISOString(),
          country: 'US',
          device: 'tv',
        },
        ...{ duration: 1_000, ...own },
      },
      startMs + receivedSecond * 1_000,
    );

  function anyFilmEvent(random: Random): Envelope {
    const type = random.pick(['film_opened', 'film_progress', 'film_closed', 'film_watched']);
    const position = random.pick([0, 1, 60, 130, 500.25, 899, 900, 1_000, 1_200]);
    return film(
      type,
      random.between(0, 20),
      {
        user_id: random.pick(['ann', 'bob', 'Zoë', '', null]),
        video_id: random.pick(['film-1', 'film "2"', '\u{1f600}']),
        duration: random.pick([0, 1_000]),
        ...(type === 'film_watched' ? {} : { position }),
        ...(type === 'film_progress' || type === 'film_closed' ? { share: random.next() } : {}),
      },
      random.between(0, 30),
    );
  }

  test('is the one that the log gives', async () => {
    const random = randomOf('history from the tables');
    const envelopes = Array.from({ length: 500 }, () => anyFilmEvent(random));
    await insert(sink, envelopes);
    await insert(sink, envelopes.slice(0, 50)); // repeated
    const wanted = merged(
      envelopes.flatMap(({ body }): Viewing | Viewing[] => viewingOf(JSON.parse(body), viewing.watchedShare) ?? []),
    );
    const parts = await Promise.all(
      [0, 1, 2].map(part => tables.viewingsOf({ part, of: 3 }, null, viewing.watchedShare)),
    );
    const sorted = (viewings: readonly Viewing[]) =>
      viewings.toSorted((one, other) => (one.userId + one.filmId < other.userId + other.filmId ? -1 : 1));
    expect(sorted(parts.flat())).toEqual(sorted(wanted));
    expect(wanted).toHaveLength(9);
    expect(await tables.viewings(null)).toBe(9);
    const ofOne = await tables.viewingsOf({ part: 0, of: 1 }, 'Zoë', viewing.watchedShare);
    expect(sorted(ofOne)).toEqual(sorted(wanted.filter(({ userId }) => userId === 'Zoë')));
  });

  test('has what was saved, and not what a user took from it before it was seen again', async () => {
    const content = (type: string, second: number, own: Readonly<Record<string, unknown>>): Envelope =>
      envelopeOf(
        { event_type: type, timestamp: startMs + second * 1_000, user_id: 'cat', ...own },
        startMs + second * 1_000,
        'ugc:content',
      );
    await insert(sink, [
      film('film_watched', 1, { user_id: 'cat', video_id: 'gone' }),
      film('film_watched', 1, { user_id: 'cat', video_id: 'again' }),
      content('progress_removed', 2, { film_id: 'gone', revision: 1 }),
      content('progress_removed', 2, { film_id: 'again', revision: 1 }),
      film('film_progress', 3, { user_id: 'cat', video_id: 'again', position: 200, share: 0.2 }),
      content('progress_saved', 4, { film_id: 'saved', position: 300, duration: 1_000, revision: 1 }),
    ]);
    const store = memoryContent({ viewing });
    expect(await rebuiltFrom(tables, store, { userId: 'cat', watchedShare: viewing.watchedShare })).toBe(2);
    expect(await rebuiltFrom(tables, store, { userId: 'cat', watchedShare: viewing.watchedShare })).toBe(2);
    const places = await store.places({ userId: 'cat', isResumable: false, after: null, countMax: 10 });
    expect(places.map(({ filmId, position, watchedAtMs }) => [filmId, position, watchedAtMs])).toEqual([
      ['saved', 300, null],
      ['again', 200, null],
    ]);
    expect(await own.sql(`SELECT count() FROM ${db}.film_watched WHERE user_id = 'cat'`)).toBe('2');
  });
});

describe('the store held against the tables', () => {
  const defaults = (): Config => {
    const read = readConfig({ flags: [], env: {} });
    if (!read.ok) throw new Error('the defaults are settings');
    return read.config;
  };

  let now = startMs;
  const change = (userId: string): Change => ({ userId, atMs: now++, eventId: Bun.randomUUIDv7() });

  async function open() {
    const { db, client, sink } = await prepared();
    const store = memoryContent({ viewing });
    const config: Config = { ...defaults(), clickhouseDatabase: db };
    const balance = (waitMs = 0): Promise<ContentBalance> =>
      contentBalanceIn(client, { config, store, waitMs, buffers: { read: noBuffer } });
    return { db, sink, store, balance };
  }

  const noBuffer = (): never => {
    throw new PipelineError('not_found', 'there is none');
  };

  /** Everything in the outbox is a row. */
  async function relayed(store: ContentStore, sink: SinkWithDeadLetters): Promise<void> {
    const relay = startRelay({
      store,
      log: {
        publish: async envelopes => {
          await insert(sink, envelopes);
          return envelopes.map((): Outcome => ({ ok: true, stored: 'disk' }));
        },
      },
      judge,
      topicOf: type => type,
      setAside: async ([first]) => {
        throw new Error(first!.reason);
      },
      logger: quietLogger,
      metrics: { relayed: () => {}, leads: () => {}, waiting: () => {} },
      pollMs: 1,
    });
    await until(async () => (await store.outbox()).events === 0, 'the outbox is empty');
    await relay.stop(1_000);
  }

  async function some(store: ContentStore): Promise<readonly string[]> {
    const random = randomOf('reconcile content');
    const ids: string[] = [];
    for (let n = 0; n < 300; n++) {
      const user = random.pick(['ann', 'bob', 'Zoë']);
      const filmId = random.pick(['film-1', 'film-2', '\u{1f600}']);
      const id = random.pick(ids.length > 0 ? ids : [Bun.randomUUIDv7()]);
      const act = random.between(0, 6);
      if (act <= 1) await store.vote(filmId, random.pick([1, -1, 0]), change(user));
      else if (act === 2) await store.bookmark(filmId, random.next() < 0.5, change(user));
      else if (act === 3) {
        const posted = { id: Bun.randomUUIDv7(), filmId, rating: 5, text: 'x', state: 'approved' as const };
        await store.postReview(posted, change(user));
        ids.push(posted.id);
      } else if (act === 4) await store.editReview(id, { rating: random.between(1, 10) }, change(user));
      else if (act === 5) await store.moderate(id, random.pick(['approved', 'rejected']), change('mod'));
      else if (random.next() < 0.3) await store.deleteReview(id, undefined, change(user));
      else await store.voteReview(id, 1, change(user));
    }
    return ids;
  }

  test('agrees once its events are rows; what waits in the outbox is waited for', async () => {
    const { store, sink, balance } = await open();
    await some(store);
    const before = await balance();
    expect(before).toMatchObject({ closes: true, differences: [] });
    expect(before.outbox).toBeGreaterThan(100);
    expect(before.kinds.every(({ waiting, database }) => waiting === database && database > 0)).toBe(true);
    await relayed(store, sink);
    const after = await balance();
    expect(after).toMatchObject({ closes: true, differences: [], outbox: 0 });
    expect(after.kinds.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
    expect(after.kinds.map(({ database }) => database)).toEqual(before.kinds.map(({ database }) => database));
  });

  test('names what was lost, what is too much and what is otherwise', async () => {
    const { db, store, sink, balance } = await open();
    const id = Bun.randomUUIDv7();
    await store.vote('film-1', 1, change('ann'));
    await store.vote('film-2', 1, change('ann'));
    await store.vote('film-3', 1, change('ann'));
    await store.vote('film-3', -1, change('ann'));
    await store.bookmark('film-1', true, change('ann'));
    await store.bookmark('film-1', false, change('ann'));
    await store.postReview({ id, filmId: 'film-1', rating: 7, text: 'x', state: 'approved' }, change('ann'));
    await relayed(store, sink);
    expect(await balance()).toMatchObject({ closes: true });
    const remove = (type: string, where: string) =>
      own.sql(`DELETE FROM ${db}.${type}_rows WHERE ${where} SETTINGS lightweight_deletes_sync = 2`);
    await remove('film_liked', "film_id = 'film-1' OR (film_id = 'film-3' AND revision = 2)");
    await remove('bookmark_removed', "film_id = 'film-1'");
    await own.sql(`ALTER TABLE ${db}.review_posted_rows UPDATE rating = 3 WHERE 1 SETTINGS mutations_sync = 2`);
    // Another source may say what it likes.
    await insert(sink, [
      envelopeOf(
        { event_type: 'film_unliked', timestamp: startMs, user_id: 'ann', film_id: 'film-2', revision: 9 },
        startMs,
      ),
    ]);
    const { closes, kinds, differences } = await balance();
    expect(closes).toBe(false);
    expect(kinds.map(({ missing, behind, ahead, other }) => [missing, behind, ahead, other])).toEqual([
      [1, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    expect(
      differences.map(({ kind, word, film_id, review_id, database, tables }) => [
        kind,
        word,
        film_id,
        review_id,
        database,
        tables,
      ]),
    ).toEqual([
      ['likes', 'missing', 'film-1', null, { value: 1, revision: 1 }, null],
      ['likes', 'behind', 'film-3', null, { value: -1, revision: 2 }, { value: 1, revision: 1 }],
      ['bookmarks', 'ahead', 'film-1', null, null, { value: 1, revision: 1 }],
      ['reviews', 'other', 'film-1', id, { value: 7, revision: 1 }, { value: 3, revision: 1 }],
    ]);
  });

  test('looks again for what is on its way elsewhere', async () => {
    const { store, sink, balance } = await open();
    await store.vote('film-1', 1, change('ann'));
    const outbox = await store.lead(never);
    const events = await outbox!.read(10);
    await outbox!.published(events); // in a broker, as far as can be seen
    await outbox!.close();
    expect(await balance()).toMatchObject({ closes: false });
    const closing = balance(60_000);
    const [event] = events;
    const said = {
      event_type: event!.type,
      event_id: event!.eventId,
      timestamp: event!.atMs,
      user_id: 'ann',
      ...event!.fields,
    };
    await insert(sink, [envelopeOf(said, event!.atMs, 'ugc:content')]);
    expect(await closing).toMatchObject({ closes: true });
  });

  test('a review whose author was forgotten is told of by nobody, and no difference', async () => {
    const { db, store, sink, balance } = await open();
    const id = Bun.randomUUIDv7();
    await store.postReview({ id, filmId: 'film-1', rating: 7, text: 'x', state: 'approved' }, change('ann'));
    await relayed(store, sink);
    await store.forget('ann', true);
    await own.sql(`DELETE FROM ${db}.review_posted_rows WHERE user_id = 'ann' SETTINGS lightweight_deletes_sync = 2`);
    expect(await balance()).toMatchObject({ closes: true, differences: [] });
  });
});
