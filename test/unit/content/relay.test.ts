// The relay over a log that fails as logs do: every event of the outbox once or more under its one event_id, none lost,
// none before one of the same user and film that was made earlier.

import { describe, expect, test } from 'bun:test';
import { memoryContent } from '../../../src/adapters/memory/content.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { type RelayOptions, startRelay } from '../../../src/content/relay.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { SetAside } from '../../../src/ports/buffer.ts';
import type { Change, ContentStore, Vote } from '../../../src/ports/content.ts';
import { judgeOptions } from '../../support/edge.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { quietLogger } from '../../support/quiet.ts';
import { randomOf } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const viewing = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };
const at = Date.parse('2026-11-22T01:02:03.456Z');
const change = (userId: string): Change => ({ userId, atMs: at, eventId: Bun.randomUUIDv7() });
const vote = (store: ContentStore, film: string, value: Vote, user = 'ann') => store.vote(film, value, change(user));
const away = new PipelineError('buffer_full', 'there is no room');

function open(store: ContentStore = memoryContent({ viewing }), given: Partial<RelayOptions> = {}) {
  const log = memoryLog();
  const aside: SetAside[] = [];
  const seen = { leads: [] as boolean[], relayed: 0, events: 0, oldestMs: 0 };
  const relay = startRelay({
    store,
    log,
    judge: judgeOf(judgeOptions),
    topicOf: type => `ugc.${type}`,
    setAside: async records => void aside.push(...records),
    logger: quietLogger,
    metrics: {
      relayed: (_type, events) => {
        seen.relayed += events;
      },
      leads: isLeading => void seen.leads.push(isLeading),
      waiting: (events, oldestMs) => {
        seen.events = events;
        seen.oldestMs = oldestMs;
      },
    },
    pollMs: 60_000,
    retryMsMin: 1,
    retryMsMax: 2,
    ...given,
  });
  const isEmpty = async (): Promise<boolean> => (await store.outbox()).events === 0;
  return { store, log, aside, seen, relay, isEmpty };
}

test('a change becomes an event as an edge would have written it, under the id it was given, at its time', async () => {
  const { store, log, relay, isEmpty } = open();
  const liked = change('ann');
  await store.vote('film-1', 1, liked);
  relay.wake();
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  const [envelope] = log.published;
  expect(log.published).toHaveLength(1);
  expect(envelope).toMatchObject({ id: liked.eventId, type: 'film_liked', key: 'ann', receivedAtMs: at });
  expect(envelope!.body.startsWith(`{"event_id":"${liked.eventId}","event_type":"film_liked"`)).toBe(true);
  expect(JSON.parse(envelope!.body)).toMatchObject({
    source: 'ugc:content',
    received_at: '2026-11-22T01:02:03.456Z',
    timestamp: '2026-11-22T01:02:03.456Z',
    user_id: 'ann',
    film_id: 'film-1',
    value: 1,
    revision: 1,
  });
});

test('while an event fails, none of the same user and film after it is published, and others go on', async () => {
  const { store, log, relay, isEmpty } = open();
  log.fail(({ type, key }) => (type === 'film_liked' && key === 'ann' ? away : null));
  await vote(store, 'film-1', 1);
  await vote(store, 'film-1', 0);
  await vote(store, 'film-1', 1, 'bob');
  await store.bookmark('film-2', true, change('ann'));
  relay.wake();
  await until(() => log.published.length === 2, 'what is free is published');
  expect(log.published.map(({ type, key }) => `${key} ${type}`).toSorted()).toEqual([
    'ann bookmark_added',
    'bob film_liked',
  ]);
  log.fail(() => null);
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  expect(
    log.published.filter(({ key, type }) => key === 'ann' && type.startsWith('film')).map(({ type }) => type),
  ).toEqual(['film_liked', 'film_unliked']);
});

test('what can never be published is set aside with the reason, and the rest flows', async () => {
  const passed: (readonly [type: string, isStored: boolean])[] = [];
  const { store, log, aside, relay, isEmpty } = open(undefined, {
    onPassed: (envelopes, outcomes) =>
      passed.push(...envelopes.map(({ type }, at) => [type, outcomes[at]!.ok] as const)),
  });
  const lost = change('ann');
  log.fail(({ id }) => (id === lost.eventId ? new PipelineError('log_refused', 'it is too large') : null));
  await store.vote('film-1', 1, lost);
  await vote(store, 'film-1', 0);
  // No film is called so in an event: the store's word is the store's.
  const unfit = change('bob');
  await store.vote('x'.repeat(300), 1, unfit);
  relay.wake();
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  expect(log.published.map(({ type }) => type)).toEqual(['film_unliked']);
  expect(Object.fromEntries(aside.map(({ reason, body }) => [JSON.parse(body).event_id, reason]))).toEqual({
    [unfit.eventId]: expect.stringContaining('film_liked is no event: /film_id'),
    [lost.eventId]: 'it is too large',
  });
  expect(new Set(aside.map(({ position }) => position)).size).toBe(2);
  expect(passed).toEqual([
    ['film_liked', false],
    ['film_unliked', true],
  ]);
});

test('what cannot be set aside stays where it is until it can', async () => {
  let room = false;
  const kept: SetAside[] = [];
  let passed = 0;
  const { store, log, relay, isEmpty } = open(undefined, {
    onPassed: envelopes => {
      passed += envelopes.length;
    },
    setAside: async records => {
      if (!room) throw away;
      kept.push(...records);
    },
  });
  let refusals = 0;
  log.fail(() => {
    refusals++;
    return new PipelineError('log_refused', 'no');
  });
  await vote(store, 'film-1', 1);
  relay.wake();
  await until(() => refusals > 2, 'it is tried again');
  expect(await isEmpty()).toBe(false);
  expect(passed).toBe(0);
  room = true;
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  expect(kept).toHaveLength(1);
  expect(passed).toBe(1);
});

test('two relays: one publishes, and the other once it has let go', async () => {
  const first = open();
  const second = open(first.store);
  await until(() => first.seen.leads.length === 1, 'the first leads');
  await vote(first.store, 'film-1', 1);
  first.relay.wake();
  second.relay.wake();
  await until(first.isEmpty, 'the outbox is empty');
  expect([first.log.published.length, second.log.published.length]).toEqual([1, 0]);
  await first.relay.stop(1_000);
  expect(first.seen.leads).toEqual([true, false]);
  await until(() => second.seen.leads.length === 1, 'the second leads');
  await vote(first.store, 'film-1', 0);
  second.relay.wake();
  await until(first.isEmpty, 'the outbox is empty');
  await second.relay.stop(1_000);
  expect(second.log.published.map(({ type }) => type)).toEqual(['film_unliked']);
});

describe('a stop', () => {
  test('publishes what waits', async () => {
    const { store, log, relay } = open();
    for (let film = 0; film < 2_500; film++) await vote(store, `film-${film}`, 1);
    await relay.stop(60_000);
    expect(log.published).toHaveLength(2_500);
  });

  test('ends after its grace where the log takes nothing, and what waits is there for the next one', async () => {
    const { store, log, relay } = open();
    log.fail(() => away);
    await vote(store, 'film-1', 1);
    relay.wake();
    await relay.stop(1);
    expect(log.published).toHaveLength(0);
    expect((await store.outbox()).events).toBe(1);
    const next = await store.lead(new AbortController().signal);
    expect(await next!.read(10)).toHaveLength(1);
  });
});

test('what the outbox could not be told of is not published a second time by the same relay', async () => {
  const inner = memoryContent({ viewing });
  let refusals = 3;
  const lead: ContentStore['lead'] = async signal => {
    const outbox = await inner.lead(signal);
    if (outbox === null) return null;
    return {
      ...outbox,
      published: async events => {
        if (refusals-- > 0) throw new PipelineError('store_unknown', 'the connection was lost');
        await outbox.published(events);
      },
    };
  };
  const { log, relay, seen, isEmpty } = open({ ...inner, lead });
  await vote(inner, 'film-1', 1);
  relay.wake();
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  expect(log.published).toHaveLength(1);
  expect(seen.leads.filter(isLeading => isLeading)).toHaveLength(4);
});

test('events that wait for long are told of, with what keeps them', async () => {
  const { store, log, relay, seen } = open(undefined, { lateMs: 1 });
  log.fail(() => away);
  await vote(store, 'film-1', 1);
  relay.wake();
  await until(async () => {
    await relay.scrape();
    return relay.problems().content_outbox?.endsWith('there is no room') === true;
  }, 'it is told');
  expect(seen.events).toBe(1);
  expect(seen.oldestMs).toBeGreaterThan(1);
  log.fail(() => null);
  await until(async () => {
    await relay.scrape();
    return relay.problems().content_outbox === undefined;
  }, 'all is well again');
  await relay.stop(1_000);
});

test('whatever fails, every event comes, and of a user and film in the order they were made', async () => {
  const random = randomOf('relay');
  const { store, log, relay, isEmpty } = open(undefined, { batchMax: 7, pollMs: 1 });
  const made = new Map<string, string[]>();
  log.fail(() => (random.next() < 0.3 ? away : null));
  for (let n = 0; n < 400; n++) {
    const user = `u${random.between(0, 3)}`;
    const film = `f${random.between(0, 2)}`;
    const one = change(user);
    const before = await store.voteOf(film, user);
    await store.vote(film, random.pick([1, -1, 0]), one);
    if ((await store.voteOf(film, user)) !== before)
      made.set(`${user} ${film}`, [...(made.get(`${user} ${film}`) ?? []), one.eventId]);
    if (random.next() < 0.2) relay.wake();
  }
  await until(isEmpty, 'the outbox is empty');
  await relay.stop(1_000);
  const came = new Map<string, string[]>();
  for (const { key, id, body } of log.published) {
    const part = `${key} ${JSON.parse(body).film_id}`;
    came.set(part, [...(came.get(part) ?? []), id]);
  }
  expect(Object.fromEntries(came)).toEqual(Object.fromEntries(made));
});
