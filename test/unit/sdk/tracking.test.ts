// What an event is made of, who it is of, and who may not be tracked: over the program's SDK and the page's identity.

import { describe, expect, test } from 'bun:test';
import type { Events } from '../../../sdk/src/events.ts';
import { init } from '../../../sdk/src/server.ts';
import { storeOf } from '../../../sdk/src/store.ts';
import type { Options, Tracker } from '../../../sdk/src/tracker.ts';
import { trackingOf } from '../../../sdk/src/tracking.ts';
import { whoOf } from '../../../sdk/src/who.ts';
import { type PageStorage, pageStorage } from '../../support/page-storage.ts';

type Json = Readonly<Record<string, unknown>>;

/** A page over these storages: what it has sent after a flush. */
function pageWith(options: Partial<Options> = {}, storages: { tab?: PageStorage; local?: PageStorage } = {}) {
  const { tab = pageStorage(), local = pageStorage() } = storages;
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const now = () => clock.ms;
  const sent: Json[] = [];
  const { remember, consent } = options;
  const { tracker, leave } = trackingOf(
    { url: '', batchMs: 60_000_000, ...options },
    {
      store: storeOf(local, '', now),
      who: whoOf({ storage: remember ? local : tab, choices: local, remember, isOffByDefault: consent === false, now }),
      page: () => ({ page_url: 'https://shop.example/' }),
      async post(body) {
        const { events } = JSON.parse(body) as { events: Json[] };
        sent.push(...events);
        return Response.json({ results: events.map(() => ({ outcome: 'accepted' })) });
      },
    },
  );
  return { tracker, sent, clock, tab, local, leave };
}

const click = (tracker: Tracker): string => tracker.track('click', { element: 'a', page_url: '/' });

describe('an event', () => {
  test('has its id, its time and its session at once, and what it says itself goes before what is said with every event', async () => {
    const { tracker, sent } = pageWith({ common: { country: 'US', device: 'tv' } });
    const id = tracker.track('click', { element: 'a', page_url: '/', country: 'DE', properties: { n: 1 } });
    await tracker.flush();
    const { timestamp, ...event } = sent[0]!;
    expect(event).toEqual({
      event_type: 'click',
      event_id: id,
      anonymous_id: tracker.sessionId,
      country: 'DE',
      device: 'tv',
      element: 'a',
      page_url: '/',
      properties: { n: 1 },
    });
    expect(new Date(String(timestamp)).toISOString()).toBe(String(timestamp));
  });

  test('that is no JSON is told of, and the page goes on', async () => {
    const told: string[] = [];
    const { tracker, sent } = pageWith({
      onDropped: (_, why) => {
        told.push(why);
        throw new Error('of the page');
      },
    });
    const round: Record<string, unknown> = {};
    round.round = round;
    expect(tracker.track('custom', { name: 'round', properties: round })).toBe('');
    expect(tracker.track('custom', { name: 'big', properties: { n: 1n } })).toBe('');
    expect(tracker.track('custom', { name: 'long', properties: { x: 'x'.repeat(2_000_000) } })).not.toBe('');
    const id = click(tracker);
    await tracker.flush();
    expect(told).toEqual(['not_json', 'not_json', 'too_large']);
    expect(sent.map(({ event_id }) => event_id)).toEqual([id]);
  });
});

describe('who', () => {
  test('identify is told once for a user, again with traits, and holds from then on', async () => {
    const { tracker, sent } = pageWith();
    click(tracker);
    tracker.identify('u1');
    tracker.identify('u1');
    tracker.identify('u1', { plan: 'family' });
    click(tracker);
    tracker.reset();
    click(tracker);
    await tracker.flush();
    expect(sent.map(({ event_type, user_id, traits }) => [event_type, user_id, traits])).toEqual([
      ['click', undefined, undefined],
      ['user_identified', 'u1', {}],
      ['user_identified', 'u1', { plan: 'family' }],
      ['click', 'u1', undefined],
      ['click', undefined, undefined],
    ]);
    expect(sent[4]!.anonymous_id).not.toBe(sent[3]!.anonymous_id);
  });

  test('a session is of the tab, outlasts a page, and ends after half an hour without an event', () => {
    const tab = pageStorage();
    const one = pageWith({}, { tab });
    const { sessionId } = one.tracker;
    expect(pageWith({}, { tab }).tracker.sessionId).toBe(sessionId);
    expect(pageWith().tracker.sessionId).not.toBe(sessionId);
    for (let minutes = 0; minutes < 90; minutes += 29) {
      one.clock.ms += 29 * 60_000;
      expect(one.tracker.sessionId).toBe(sessionId);
    }
    one.clock.ms += 31 * 60_000;
    expect(one.tracker.sessionId).not.toBe(sessionId);
  });

  test('with `remember` the visitor is the same at the next visit, and the session is told apart', async () => {
    const local = pageStorage();
    const first = pageWith({ remember: true }, { local });
    click(first.tracker);
    await first.tracker.flush();
    const next = pageWith({ remember: true }, { local });
    next.clock.ms += 86_400_000;
    click(next.tracker);
    await next.tracker.flush();
    expect(next.sent[0]!.anonymous_id).toBe(first.sent[0]!.anonymous_id);
    expect(next.sent[0]!.properties).toEqual({ session_id: next.tracker.sessionId });
    expect(next.sent[0]!.properties).not.toEqual(first.sent[0]!.properties);
  });

  test('a log-out in one tab is one in all that remember', async () => {
    const local = pageStorage();
    const [one, other] = [pageWith({ remember: true }, { local }), pageWith({ remember: true }, { local })];
    one.tracker.identify('u1');
    other.tracker.reset();
    click(one.tracker);
    await one.tracker.flush();
    expect(one.sent.at(-1)!.user_id).toBeUndefined();
  });

  test('what others have written there is borne', () => {
    for (const text of ['5', 'null', '"x"', '[1]', '{', '{"session":7}']) {
      const tab = pageStorage();
      tab.setItem('ugc', text);
      expect(click(pageWith({}, { tab }).tracker)).not.toBe('');
    }
  });
});

describe('who does not want it', () => {
  test('is not tracked, nothing is written or sent, and what waited is forgotten; later pages know', async () => {
    const storages = { tab: pageStorage(), local: pageStorage() };
    const { tracker, sent } = pageWith({}, storages);
    click(tracker);
    tracker.identify('u1');
    tracker.optOut();
    expect(click(tracker)).toBe('');
    tracker.identify('u2', { plan: 'family' });
    expect(tracker.sessionId).toBe('');
    await tracker.flush();
    const later = pageWith({}, storages);
    expect(later.tracker.page()).toBe('');
    await later.tracker.flush();
    expect([...sent, ...later.sent]).toEqual([]);
    expect(JSON.stringify(storages.tab.keys().map(key => storages.tab.getItem(key)))).not.toContain('u1');
    expect(storages.local.keys().filter(key => storages.local.getItem(key)?.includes('click'))).toEqual([]);
    later.tracker.optIn();
    expect(click(later.tracker)).not.toBe('');
  });

  test('without consent nothing is written before it is given, and then it is kept', () => {
    const storages = { tab: pageStorage(), local: pageStorage() };
    const { tracker } = pageWith({ consent: false }, storages);
    expect([click(tracker), tracker.sessionId]).toEqual(['', '']);
    tracker.identify('u1');
    expect([...storages.tab.keys(), ...storages.local.keys()]).toEqual([]);
    tracker.optIn();
    expect(click(pageWith({ consent: false }, storages).tracker)).not.toBe('');
  });
});

test('a listener of leaving tracks in time, throws in vain, and hears no more once it is undone', () => {
  const { tracker, leave } = pageWith();
  const beacons: string[] = [];
  const beacon = (body: string) => beacons.push(body) > 0;
  tracker.onLeave(() => {
    throw new Error('of the page');
  });
  const undo = tracker.onLeave(() => void tracker.track('custom', { name: 'left' }));
  leave(beacon, false);
  undo();
  leave(beacon, true);
  expect(beacons).toHaveLength(1);
  expect(beacons[0]).toContain('"name":"left"');
});

test('a program remembers nobody, and shows its key in a header', async () => {
  const asked: { url: string; key: string | null; events: Json[] }[] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const bytes = new Uint8Array(await request.arrayBuffer());
      const isGzip = request.headers.get('content-encoding') === 'gzip';
      const { events } = JSON.parse(new TextDecoder().decode(isGzip ? Bun.gunzipSync(bytes) : bytes));
      asked.push({ url: request.url, key: request.headers.get('authorization'), events });
      return Response.json({ results: events.map(() => ({ outcome: 'accepted' })) });
    },
  });
  const tracker = init({ url: `${server.url.href}`, key: 'ugc_sk_1' });
  tracker.identify('u1', { plan: 'family' });
  for (let n = 0; n < 20; n++) tracker.track('custom', { name: `n${n}` });
  await tracker.flush();
  await server.stop(true);
  expect(asked.map(({ url, key }) => [new URL(url).pathname, key])).toEqual([['/v1/events', 'Bearer ugc_sk_1']]);
  const [identified, ...rest] = asked[0]!.events;
  expect(identified).toMatchObject({ event_type: 'user_identified', user_id: 'u1' });
  expect(rest).toHaveLength(20);
  expect(rest.every(event => event.user_id === undefined && event.anonymous_id === undefined)).toBe(true);
});

/** Never called: it is for the compiler, who wants an error in each line that says so. */
export function compiles(tracker: Tracker): void {
  tracker.track('click', { element: 'a', page_url: '/', properties: { any: ['thing'] } });
  tracker.track('review_creating', {} as Events['review_creating']);
  // @ts-expect-error There is no such type.
  tracker.track('clck', { element: 'a', page_url: '/' });
  // @ts-expect-error A field is missing.
  tracker.track('click', { element: 'a' });
  // @ts-expect-error A field is of another kind.
  tracker.track('click', { element: 5, page_url: '/' });
  // @ts-expect-error The type has no such field.
  tracker.track('click', { element: 'a', page_url: '/', colour: 'red' });
  // @ts-expect-error The number is text.
  tracker.track('page_time', { page_url: '/', engaged_ms: '1', visible_ms: 1, scroll_share: 1 });
  // @ts-expect-error Nor can a page view say what it has no field for.
  tracker.page({ title: 'Shop' });
}
