// Messages of the Segment spec: which type each becomes, where its parts go, and which row a repeat is.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../../../schemas/catalogue.ts';
import { Misread } from '../../../../src/ingest/reading.ts';
import { parseMapping } from '../../../../src/ingest/segment/mapping.ts';
import { eventOfMessage, snakeOf } from '../../../../src/ingest/segment/message.ts';
import { bodyOf, judged, nowIso, nowMs } from '../../../support/edge.ts';

const mapping = parseMapping(
  '{ // of the shop\n "track": { "Product Added": { "type": "CartAdd", "fields": { "product_id": "item_id" } }, "Odd": { "type": "click" }, } }',
  catalogue.find,
);
const options = { typeOf: catalogue.find, now: () => nowMs, mapping };
type Fields = Record<string, unknown>;
const eventOf = (message: unknown, source = 'shop') => eventOfMessage(message, source, options) as Fields;
const stored = (message: unknown) => bodyOf(judged(eventOf(message)));
const refusal = (message: unknown): string => {
  try {
    return `read ${JSON.stringify(eventOf(message))}`;
  } catch (error) {
    return error instanceof Misread ? `${error.path} ${error.message}` : `not a Misread: ${error}`;
  }
};

const context = {
  page: { url: 'https://example.com/a', referrer: '' },
  userAgentData: { mobile: false },
  locale: 'en-US',
};

describe('a track', () => {
  const track = (event: unknown, properties?: unknown, more: Fields = {}) => ({
    type: 'track',
    event,
    properties,
    userId: '7',
    ...more,
  });

  test('is what its mapping says, under its names', () => {
    expect(stored(track('Product Added', { product_id: 4711, price: 5 }, { context }))).toMatchObject({
      event_type: 'cart_add',
      user_id: 7,
      item_id: 4711,
      device: 'desktop',
      properties: { context, price: 5 },
    });
    // What was mapped and does not fit is told, not hidden among the custom ones.
    expect(judged(eventOf(track('Odd')))).toMatchObject({ ok: false, reason: 'invalid', type: 'click' });
  });

  test.each(['film_watched', 'Film Watched', 'filmWatched', 'film-watched', 'FILM_WATCHED', 'video_complete'])(
    'called %s is of that type where it fits',
    name => {
      const event = stored(track(name, { videoId: 'v1', Duration: 3660, country: 'FR', note: 'x' }));
      expect(event).toMatchObject({
        event_type: 'film_watched',
        video_id: 'v1',
        duration: 3660,
        country: 'FR',
        device: '',
      });
      expect(event.properties).toEqual({ note: 'x' });
    },
  );

  test('of such a name that does not fit is custom, with all it told', () => {
    expect(stored(track('Film Watched', { duration: 'long' }, { context }))).toMatchObject({
      event_type: 'custom',
      name: 'Film Watched',
      properties: { context, duration: 'long' },
    });
    expect(stored(track('Cart Add', { item_id: 1 }, { userId: 'no number' })).event_type).toBe('custom');
  });

  test('of any other name is custom', () => {
    expect(stored(track('Trailer Muted', { volume: 0 }, { anonymousId: 5 }))).toMatchObject({
      event_type: 'custom',
      name: 'Trailer Muted',
      user_id: '7',
      anonymous_id: '5',
      properties: { volume: 0 },
    });
    expect(stored(track('custom', { name: 'x' }))).toMatchObject({ name: 'custom', properties: { name: 'x' } });
    expect(stored(track('constructor', { constructor: 1 })).name).toBe('constructor');
    expect(String(stored(track(`${'x'.repeat(255)}😀`)).name)).toHaveLength(256);
  });

  test('keeps names that mean something to JavaScript as names', () => {
    const properties = JSON.parse('{"__proto__":{"a":1},"constructor":2,"user_id":3,"properties":4}') as object;
    for (const name of ['Product Added', 'x', 'Click'])
      expect(JSON.stringify(eventOf(track(name, properties)).properties)).toBe(JSON.stringify(properties));
  });

  test.each([
    [track(undefined), '/event expected a name, got nothing'],
    [track(''), '/event expected a name'],
    [track({}), '/event expected a name'],
    [track('x', []), '/properties expected an object, got a list of 0'],
    [track('x', 'y'), '/properties expected an object'],
    [{ ...track('x'), messageId: {} }, '/messageId expected text, got an object'],
    [
      { ...track('x'), type: 'delete' },
      '/type expected one of track, page, screen, identify, group, alias, got the text "delete"',
    ],
    [{ ...track('x'), type: '__proto__' }, '/type expected one of'],
    [null, ' expected a message, got null'],
    [[], ' expected a message, got a list of 0'],
  ])('%j: %s', (message, words) => {
    expect(refusal(message)).toStartWith(words);
  });
});

test('a page with an address is page_view, one without is custom by its name', () => {
  expect(stored({ type: 'page', anonymousId: 'a', name: 'Home', properties: { title: 'T' }, context })).toMatchObject({
    event_type: 'page_view',
    page_url: 'https://example.com/a',
    referrer_url: null,
    anonymous_id: 'a',
    properties: { context, name: 'Home', title: 'T' },
  });
  const own = { url: 'https://example.com/b', referrer: 'https://example.com/' };
  expect(stored({ type: 'screen', anonymousId: 'a', properties: own, context })).toMatchObject({
    page_url: own.url,
    referrer_url: own.referrer,
  });
  expect(stored({ type: 'screen', userId: 'u', name: 'Player', properties: { a: 1 } })).toMatchObject({
    event_type: 'custom',
    name: 'Player',
    properties: { a: 1 },
  });
  expect(stored({ type: 'page', userId: 'u' })).toMatchObject({ event_type: 'custom', name: 'page' });
});

test('identify, group and alias have types of their own', () => {
  const traits = { email: 'a@example.com', address: { country: 'FR' } };
  expect(stored({ type: 'identify', userId: 'u', traits, context: { location: { country: 'FR' } } })).toMatchObject({
    event_type: 'user_identified',
    user_id: 'u',
    country: 'FR',
    traits,
  });
  expect(stored({ type: 'group', userId: 'u', groupId: 5, traits })).toMatchObject({
    event_type: 'group_identified',
    group_id: '5',
  });
  expect(stored({ type: 'alias', userId: 'u', previousId: 'a' })).toMatchObject({
    event_type: 'user_aliased',
    previous_id: 'a',
  });
  expect(judged(eventOf({ type: 'alias', userId: 'u' }))).toMatchObject({
    ok: false,
    reason: 'invalid',
    type: 'user_aliased',
  });
});

describe('a repeat is the same row', () => {
  const idOf = (messageId: unknown, source?: string) =>
    eventOf({ type: 'track', event: 'x', messageId }, source).event_id;
  const uuid = '743be593-7789-4b74-8078-cbcc8894c586';

  test('by the UUID, alone or behind what an SDK puts in front', () => {
    for (const said of [uuid, uuid.toUpperCase(), `node-next-1668208232027-${uuid}`, `ajs-next-1668208232027-${uuid}`])
      expect(idOf(said)).toBe(uuid);
  });

  test('else by one made of the message’s id and who sends it', () => {
    // Kept in rows: another id for the same message would be another row.
    expect(idOf('order-1')).toBe('248c2092-4f94-51cd-ba33-ab13eae5d130');
    const ids = [idOf('order-2'), idOf('order-1', 'other'), idOf(1), idOf(`${uuid}x`), idOf(`x${uuid}`)];
    expect(new Set([...ids, idOf('order-1')]).size).toBe(6);
    expect(idOf('1')).toBe(idOf(1));
    expect(idOf('00000000-0000-0000-0000-000000000000')).not.toStartWith('0000');
  });

  test('and without an id it is the edge that gives one', () => {
    expect(idOf(undefined)).toBeUndefined();
    expect(idOf(null)).toBeUndefined();
  });
});

test('it happened at its timestamp, or when it was made, or now', () => {
  const at = (more: Fields) => eventOf({ type: 'track', event: 'x', ...more }).timestamp;
  expect([at({ timestamp: 'a', originalTimestamp: 'b' }), at({ originalTimestamp: 'b' }), at({})]).toEqual([
    'a',
    'b',
    nowIso,
  ]);
});

test.each([
  ['Film Watched', 'film_watched'],
  ['filmWatched2', 'film_watched2'],
  ['  a--b  ', '_a_b_'],
  ['Ünlü', '_nl_'],
])('%j in snake case is %s', (name, snake) => {
  expect(snakeOf(name)).toBe(snake);
});

describe('a mapping that cannot be meant is refused', () => {
  test.each([
    ['{', 'line 1: CloseBraceExpected'],
    ['{\n"track": {,}}', 'line 2: '],
    ['[]', 'expected {"track"'],
    ['{"track": []}', 'expected {"track"'],
    ['{"track": {"A": "click"}}', '/track/A: expected {"type"'],
    ['{"track": {"A": {"type": "clik"}}}', '/track/A: there is no event type clik'],
    ['{"track": {"A": {"type": "click", "fields": []}}}', '/track/A: fields is an object'],
    ['{"track": {"A": {"type": "click", "fields": {"b": "elemen"}}}}', '/track/A: b: click has no field elemen'],
  ])('%s', (text, words) => {
    expect(() => parseMapping(text, catalogue.find)).toThrow(words);
  });
});
