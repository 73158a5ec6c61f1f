// The history: the same events make the same of a film, in whatever order, however often and in whatever batches they come.

import { describe, expect, test } from 'bun:test';
import { memoryContent } from '../../../src/adapters/memory/content.ts';
import { foreignJudgeOf } from '../../../src/catalogue/foreign.ts';
import { type HistoryOptions, startHistory } from '../../../src/content/history.ts';
import { merged, viewingOf } from '../../../src/content/viewings.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { ContentStore, Place, Viewing } from '../../../src/ports/content.ts';
import { judgeOptions } from '../../support/edge.ts';
import { listSource } from '../../support/list-source.ts';
import { quietLogger } from '../../support/quiet.ts';
import { type Random, randomOf } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const rules = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };
const startMs = Date.parse('2026-11-22T01:00:00.000Z');
const iso = (second: number): string => new Date(startMs + second * 1_000).toISOString();

interface Told {
  readonly type?: string;
  readonly second: number;
  readonly user?: string | null;
  readonly film?: string;
  readonly position?: number;
  readonly duration?: number;
  readonly share?: number;
  readonly receivedSecond?: number;
  readonly id?: string;
}

let ids = 0;
function bodyOf({ type = 'film_progress', second, user = 'ann', film = 'film-1', ...told }: Told): string {
  const { position = 0, duration = 1_000, share = position / duration, receivedSecond = second } = told;
  const id = told.id ?? `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`;
  const place = type === 'film_watched' ? {} : { position };
  return JSON.stringify({
    ...{ event_id: id, event_type: type, schema_version: 1, received_at: iso(receivedSecond), source: 'web' },
    ...{ timestamp: iso(second), user_id: user, country: 'US', device: 'mobile', video_id: film, ...place, duration },
    ...(type === 'film_progress' || type === 'film_closed' ? { share } : {}),
  });
}

function open(given: Partial<HistoryOptions> = {}, store: ContentStore = memoryContent({ viewing: rules })) {
  const source = listSource();
  const read = { viewed: 0, passed: 0, unreadable: 0, given_up: 0 };
  const history = startHistory({
    openSource: () => source,
    store,
    judge: foreignJudgeOf({ ...judgeOptions, bodyBytesMax: 2 ** 20 }),
    versionOf: () => 1,
    watchedShare: rules.watchedShare,
    logger: quietLogger,
    metrics: {
      read: (outcome, records) => {
        read[outcome] += records;
      },
    },
    retryMsMin: 1,
    retryMsMax: 2,
    ...given,
  });
  const add = (...told: readonly Told[]) =>
    told.map(one => {
      const type = one.type ?? 'film_progress';
      return source.add({ topic: `ugc.${type}`, type, version: 1, bodies: [bodyOf(one)] });
    });
  const isRead = (): boolean => source.unreadBytes() === 0 && source.isPolling();
  return { source, store, history, read, add, isRead };
}

const placesOf = (store: ContentStore, isResumable: boolean, userId = 'ann'): Promise<readonly Place[]> =>
  store.places({ userId, isResumable, after: null, countMax: 100 });

test('a player that only sends events gives a place to go on at, and a film that was seen', async () => {
  const { store, history, add, isRead, read } = open();
  add(
    { type: 'film_opened', second: 0 },
    { second: 10, position: 200 },
    { type: 'film_closed', second: 20, position: 310 },
  );
  await until(isRead, 'all is read');
  await history.stop();
  expect(await placesOf(store, true)).toMatchObject([
    { filmId: 'film-1', position: 310, duration: 1_000, atMs: startMs + 20_000, furthest: 0.31, watchedAtMs: null },
  ]);
  expect(read).toEqual({ viewed: 2, passed: 1, unreadable: 0, given_up: 0 });
});

test('who opens a film from its start has not lost their place; who opens it elsewhere is there', async () => {
  const { store, history, add, isRead } = open();
  add({ second: 10, position: 500 }, { type: 'film_opened', second: 20, position: 0 });
  add(
    { film: 'film-2', second: 10, position: 500 },
    { film: 'film-2', type: 'film_opened', second: 20, position: 300 },
  );
  await until(isRead, 'all is read');
  await history.stop();
  const found = await placesOf(store, true);
  expect(found.map(({ filmId, position }) => [filmId, position])).toEqual([
    ['film-2', 300],
    ['film-1', 500],
  ]);
});

test('a film watched to its end is nothing to go on with, and seen again it stays watched', async () => {
  const { store, history, add, isRead } = open();
  add({ second: 10, position: 500 }, { type: 'film_watched', second: 20 });
  await until(isRead, 'all is read');
  expect(await placesOf(store, true)).toEqual([]);
  add({ second: 30, position: 130 });
  await until(isRead, 'all is read');
  await history.stop();
  expect(await placesOf(store, true)).toMatchObject([{ position: 130, watchedAtMs: startMs + 20_000, furthest: 1 }]);
});

test('a clock that is ahead hides no place that is saved after its event was received', async () => {
  const { store, history, add, isRead } = open();
  add({ second: 50_000, receivedSecond: 10, position: 400 });
  await until(isRead, 'all is read');
  await history.stop();
  const change = { userId: 'ann', atMs: startMs + 20_000, eventId: Bun.randomUUIDv7() };
  await store.savePlace({ filmId: 'film-1', position: 600, duration: 1_000 }, change);
  expect(await store.place('film-1', 'ann')).toMatchObject({ position: 600 });
});

test('a position is committed only after the store has what came before it, however long it is away', async () => {
  const inner = memoryContent({ viewing: rules });
  let isAway = true;
  let tries = 0;
  const mergeViewings: ContentStore['mergeViewings'] = async viewings => {
    tries++;
    if (isAway) throw new PipelineError('store_unavailable', 'it is away');
    await inner.mergeViewings(viewings);
  };
  const { source, history, add, isRead } = open({ store: { mergeViewings } });
  add({ second: 10, position: 200 });
  await until(() => tries > 2, 'it is tried again');
  expect(source.commits).toEqual([]);
  expect(history.problems()).toEqual({ content_history: 'it is away' });
  isAway = false;
  await until(isRead, 'all is read');
  expect(source.commits).toHaveLength(1);
  expect(history.problems()).toEqual({});
  isAway = true;
  add({ second: 20, position: 300 });
  await until(() => history.problems().content_history !== undefined, 'it is away again');
  await history.stop();
  expect(source.commits).toHaveLength(1);
  expect(source.isClosed()).toBe(true);
});

test('a store that is away does not fill the log up: what is in the way is passed, counted and told of', async () => {
  const mergeViewings = async (): Promise<void> => {
    throw new PipelineError('store_unavailable', 'it is away');
  };
  let isInTheWay = false;
  const { source, history, add, read } = open({ store: { mergeViewings }, mustGiveWay: () => isInTheWay });
  add({ second: 10, position: 200 });
  await until(() => history.problems().content_history !== undefined, 'it is tried');
  expect(source.commits).toEqual([]);
  isInTheWay = true;
  await until(() => source.commits.length === 1, 'it is passed');
  await history.stop();
  expect(read.given_up).toBe(1);
  expect(history.problems().content_history_gap).toContain('ugc content rebuild');
});

test('a reader that breaks is opened anew, and goes on behind what was committed', async () => {
  let opened = 0;
  const log: Parameters<typeof listSource>[0] = [];
  let current = listSource(log);
  const { store, history } = open({
    openSource: () => {
      current = listSource(log, current.committed);
      opened++;
      return current;
    },
  });
  await until(() => current.isPolling(), 'it reads');
  current.breakPoll(new Error('a page is damaged'));
  await until(() => opened === 2 && current.isPolling(), 'it reads again');
  current.add({ topic: 'ugc.film_progress', type: 'film_progress', bodies: [bodyOf({ second: 1, position: 200 })] });
  await until(() => current.commits.length === 1, 'it is read');
  await history.stop();
  expect(await placesOf(store, true)).toHaveLength(1);
});

describe('what is not for it', () => {
  test('is passed and counted, and its position committed: nothing is kept in the log for it', async () => {
    const { source, store, history, read, add, isRead } = open();
    source.add({ topic: 'ugc.click', type: 'click', version: 1, bodies: ['{}', '{}'] });
    add({ second: 1, user: null, position: 500 });
    source.add({
      topic: 'ugc.film_progress',
      type: 'film_progress',
      version: 1,
      bodies: ['{"event', '[]', 'null', '{}'],
    });
    source.add({
      topic: 'ugc.film_progress',
      type: null,
      bodies: ['{"video_id":', '{"event_type":"film_progress","video_id":"x"}', 'x'],
    });
    await until(isRead, 'all is read');
    await history.stop();
    expect(read).toEqual({ viewed: 0, passed: 4, unreadable: 6, given_up: 0 });
    expect(Object.fromEntries(source.committed)).toEqual({ 'ugc.click/0': 1, 'ugc.film_progress/0': 7 });
    expect(await placesOf(store, false)).toEqual([]);
  });

  test('counts all the same where another team has written it well', async () => {
    const { source, store, history, isRead } = open();
    const body = JSON.parse(bodyOf({ second: 1, position: 200 }));
    for (const own of ['event_id', 'schema_version', 'received_at', 'source']) delete body[own];
    const nowMs = Date.now();
    const event = { ...body, timestamp: new Date(nowMs).toISOString() };
    source.add({ topic: 'ugc.film_progress', type: null, bodies: [JSON.stringify(event)], oldestAtMs: nowMs });
    await until(isRead, 'all is read');
    await history.stop();
    expect(await placesOf(store, true)).toMatchObject([{ position: 200, atMs: nowMs }]);
  });
});

const types = ['film_opened', 'film_progress', 'film_closed', 'film_watched'];

function anyEvent(random: Random): Told {
  return {
    type: random.pick(types),
    second: random.between(0, 20),
    receivedSecond: random.between(0, 30),
    user: random.pick(['ann', 'bob']),
    film: random.pick(['film-1', 'film-2']),
    position: random.pick([0, 1, 60, 130, 500, 899, 900, 1_000, 1_200]),
    duration: random.pick([0, 1_000]),
    share: random.next(),
  };
}

const shuffled = <T>(random: Random, items: readonly T[]): T[] =>
  items
    .map(item => ({ item, at: random.next() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);

test('any order, any repetition and any cutting come to the same', async () => {
  const random = randomOf('viewings');
  for (let round = 0; round < 200; round++) {
    const bodies = Array.from({ length: random.between(1, 30) }, () => bodyOf(anyEvent(random)));
    const viewings = bodies.flatMap(
      (body): Viewing | Viewing[] => viewingOf(JSON.parse(body), rules.watchedShare) ?? [],
    );
    const store = memoryContent({ viewing: rules });
    const other = memoryContent({ viewing: rules });
    await store.mergeViewings(merged(viewings));
    const repeated = shuffled(random, [...viewings, ...viewings.filter(() => random.next() < 0.5)]);
    for (let at = 0; at < repeated.length; ) {
      const next = at + random.between(1, 5);
      await other.mergeViewings(merged(repeated.slice(at, next)));
      at = next;
    }
    for (const user of ['ann', 'bob'])
      for (const film of ['film-1', 'film-2'])
        expect(await other.place(film, user)).toEqual(await store.place(film, user));
  }
});
