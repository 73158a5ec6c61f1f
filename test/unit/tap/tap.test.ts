// The tap: who reads gets what it asked for, in order and bounded; who does not read costs nothing.

import { expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import { parseMessages } from '../../../src/operate/watch.ts';
import type { Envelope } from '../../../src/ports/log.ts';
import type { Judged } from '../../../src/ports/passing.ts';
import { readWish, typeOf, type Wish } from '../../../src/tap/filter.ts';
import { hidden } from '../../../src/tap/frame.ts';
import { queueMax, readerOf } from '../../../src/tap/reader.ts';
import { type Entry, ringOf } from '../../../src/tap/ring.ts';
import { openTap } from '../../../src/tap/tap.ts';
import { until } from '../../support/until.ts';

const wish = (query = ''): Wish => readWish(new URLSearchParams(query));
const envelope = (more: Partial<Envelope> = {}): Envelope => ({
  id: crypto.randomUUID(),
  type: 'click',
  version: 1,
  topic: 'ugc.click',
  key: 'u-1',
  body: '{"event_type":"click"}',
  receivedAtMs: 0,
  ...more,
});
const taken = (more: Partial<Envelope> = {}): Judged => ({ ok: true, envelope: envelope(more) });
const refused: Judged = { ok: false, reason: 'invalid', type: 'click', errors: [{ path: '/a', message: 'is wrong' }] };
const stored = { ok: true, stored: 'disk' } as const;

const entryOf = (judged: readonly Judged[], first = 1): Entry => ({
  first,
  atMs: 0,
  source: 'shop',
  judged,
  outcomes: judged.filter(({ ok }) => ok).map(() => stored),
  glimpses: [],
  length: 100 * judged.length,
});

function tapOf(readersMax = 2, lingerMs = 30_000) {
  const dropped: number[] = [];
  const tap = openTap({
    readersMax,
    lingerMs,
    glimpseOf: () => ({ id: null, user: 'u-9', shape: '{"a":"<number>"}' }),
    stats: async () => null,
    onDropped: events => dropped.push(events),
  });
  return {
    tap,
    dropped,
    note: (judged: Judged[]) =>
      tap.watched.now?.note([], judged, entryOf(judged).outcomes, { source: 'shop', receivedAtMs: 0 }),
  };
}

function follow(bytes: ReadableStream<Uint8Array>) {
  const messages: { readonly event: string; readonly id: string; readonly data: string }[] = [];
  const over = (async () => {
    for await (const message of parseMessages(bytes)) messages.push(message);
  })();
  const users = () => messages.filter(({ event }) => event === 'event').map(({ data }) => JSON.parse(data).user);
  return { messages, over, users };
}

const fits = (query: string, judged: Judged, source = 'shop'): boolean =>
  wish(query).ofType?.(typeOf(judged)) !== false &&
  wish(query).fits({
    judged,
    outcome: judged.ok ? stored : undefined,
    glimpse: { id: null, user: 'u-9', shape: '' },
    source,
  });

test('a wish is for types by glob, keys, users and outcomes, each one of several', () => {
  expect(fits('', taken())).toBe(true);
  expect(fits('type=cl*', taken())).toBe(true);
  expect(fits('type=film_*&type=click', taken())).toBe(true);
  expect(fits('type=film_*', taken())).toBe(false);
  expect(fits('type=(unknown)', { ...refused, type: null })).toBe(true);
  expect(fits('key=shop&user=u-1', taken())).toBe(true);
  expect(fits('key=other', taken())).toBe(false);
  expect(fits('user=u-9', refused)).toBe(true);
  expect(fits('outcome=rejected,dropped', refused)).toBe(true);
  expect(fits('outcome=accepted', refused)).toBe(false);
  expect(fits('outcome=dropped', { ...refused, reason: 'dropped', envelope: envelope(), rule: 'r' })).toBe(true);
});

test.each([
  'typ=click',
  'outcome=lost',
  'kinds=all',
  'sample=2',
  'sample=-1',
  'sample=x',
  'rate=0',
  'rate=1e9',
  `type=${'x'.repeat(201)}`,
])('what cannot be meant is refused in words: %s', query => expect(() => wish(query)).toThrow(PipelineError));

test('what is called like a secret is hidden, wherever it stands; the rest stays as it is', () => {
  const body = JSON.stringify({
    a: 1,
    properties: { PASSWORD: 'p', deep: [{ api_key: { x: 1 } }] },
    url: 'https://a/?token=t&b=1#access_token=z',
  });
  expect(JSON.parse(hidden(body))).toEqual({
    a: 1,
    properties: { PASSWORD: '(hidden)', deep: [{ api_key: '(hidden)' }] },
    url: 'https://a/?token=(hidden)&b=1#access_token=(hidden)',
  });
  expect(JSON.parse(hidden('{"note":"mine is ugc_sk_abc1"}'))).toEqual({ note: 'mine is (hidden)' });
  expect(hidden('{"a":9007199254740993}')).toBe('{"a":9007199254740993}');
});

test('a ring keeps the last, by number and by length', () => {
  const ring = ringOf({ eventsMax: 5, lengthMax: 10_000 });
  ring.add([entryOf([taken(), taken()], 1), entryOf([taken(), taken()], 3)]);
  expect([ring.oldest(), ring.from(2).length, ring.from(5).length]).toEqual([1, 2, 0]);
  ring.add([entryOf([taken(), taken()], 5)]);
  expect([ring.oldest(), ring.from(0).length]).toEqual([3, 2]);
  ring.add([{ ...entryOf([taken()], 7), length: 10_001 }]);
  expect(ring.oldest()).toBeNull();
});

test('a reader that takes nothing holds its queue and no more; what it misses is counted and told once it reads', async () => {
  let missed = 0;
  const reader = readerOf({
    wish: wish('rate=10000'),
    at: 0,
    idOf: String,
    onDropped: events => {
      missed += events;
    },
    onEnd: () => {},
  });
  const body = `{"a":"${'x'.repeat(3_000)}"}`;
  for (let first = 1; first <= 5_000; first += 10)
    reader.offer(
      entryOf(
        Array.from({ length: 10 }, () => taken({ body })),
        first,
      ),
    );
  reader.beat(); // there is no room for it now
  const { messages } = follow(reader.streamed.bytes);
  await until(() => messages.length > 1, 'what was queued');
  reader.beat();
  reader.end();
  await reader.streamed.over;
  await until(() => messages.at(-1)?.event === 'dropped', 'it is told');
  const shown = messages.filter(({ event }) => event === 'event').length;
  expect(shown + missed).toBe(5_000);
  expect(shown).toBeLessThan((2 * queueMax) / 3_000);
  expect(JSON.parse(messages.at(-1)!.data)).toEqual({ count: missed, why: 'slow' });
});

test('no more than its rate, and a sample of the rest', () => {
  let [nowMs, missed] = [0, 0];
  const reader = readerOf({
    wish: wish('rate=10&sample=0.5'),
    at: 0,
    idOf: String,
    onDropped: events => {
      missed += events;
    },
    onEnd: () => {},
    now: () => nowMs,
    random: (() => {
      let turn = 0;
      return () => (turn++ % 2 === 0 ? 0.4 : 0.6);
    })(),
  });
  reader.offer(entryOf(Array.from({ length: 100 }, () => taken())));
  expect(missed).toBe(40); // half of them are not wanted, ten shown
  nowMs = 500;
  reader.offer(entryOf(Array.from({ length: 100 }, () => taken())));
  expect(missed).toBe(40 + 45);
});

test('nobody watches, nothing is kept; a reader goes on where it was, and is told what is gone', async () => {
  const { tap, note } = tapOf();
  expect(tap.watched.now).toBeNull();
  const first = tap.read(wish('kinds=events'), '');
  const seen = follow(first.bytes);
  expect(tap.watched.now).not.toBeNull();
  note([taken({ key: 'a' }), refused, taken({ key: 'b' })]);
  await until(() => seen.users().length === 2, 'both');
  expect(seen.messages.map(({ event }) => event)).toEqual(['message', 'event', 'rejected', 'event']);
  const again = follow(tap.read(wish('kinds=events'), seen.messages[1]!.id).bytes);
  await until(() => again.users().length === 1, 'the last one');
  expect(again.messages.map(({ event }) => event)).toEqual(['message', 'rejected', 'event']);
  expect(() => tap.read(wish(), '')).toThrow('UGC_STREAM_READERS');
  tap.finish();
  await Promise.all([seen.over, again.over]);
  expect(() => tap.read(wish(), '')).toThrow(PipelineError);
  await tap.close();
  expect([tap.readers(), tap.watched.now]).toEqual([0, null]);
});

test('it is shut a while after the last reader has gone, and opens again for the next, as another', async () => {
  const { tap, note } = tapOf(2, 300); // this process is older than that
  const first = tap.read(wish('kinds=events'), '');
  const seen = follow(first.bytes);
  note([taken({ key: 'a' })]);
  await until(() => seen.users().length === 1, 'the event');
  tap.finish();
  await until(() => tap.watched.now === null, 'it is shut');
  await tap.close();

  const other = tapOf(1, 300);
  await other.tap.read(wish(), '').bytes.cancel();
  expect(other.tap.watched.now).not.toBeNull();
  await until(() => other.tap.watched.now === null, 'it is shut, too');
  const next = follow(other.tap.read(wish('kinds=events'), seen.messages[1]!.id).bytes);
  other.note([taken({ key: 'b' })]);
  await until(() => next.users().length === 1, 'what passes now');
  await until(() => next.messages.some(({ data }) => data.includes('unwatched')), 'that more is not known');
  await other.tap.close();
});

test('what is older than what is kept is told as gone, with how much', async () => {
  const { tap, note } = tapOf();
  const seen = follow(tap.read(wish('kinds=events&rate=10000'), '').bytes);
  note([taken({ key: 'a' })]);
  await until(() => seen.users().length === 1, 'the first');
  for (let at = 0; at < 6; at++) note(Array.from({ length: 1_000 }, () => taken()));
  const again = follow(tap.read(wish('kinds=events&rate=10000'), seen.messages[1]!.id).bytes);
  await until(
    () => again.messages.some(({ event, data }) => event === 'dropped' && data.includes('gone')),
    'it is told',
  );
  const gone = again.messages.find(({ data }) => data.includes('gone'))!;
  expect(JSON.parse(gone.data)).toEqual({ count: 4_000, why: 'gone' });
  await tap.close();
});

test('what no reader has room for is not kept: it is counted to the event, and gone for who comes again', async () => {
  const { tap, note, dropped } = tapOf();
  const seen = follow(tap.read(wish('kinds=events&rate=50'), '').bytes);
  for (let at = 0; at < 6; at++) note(Array.from({ length: 1_000 }, () => taken()));
  await until(
    () => seen.users().length === 50 && dropped.reduce((a, b) => a + b, 0) === 5_950,
    'all are accounted for',
  );
  await until(() => seen.messages.some(({ event }) => event === 'dropped'), 'it is told');
  // The first request alone was put aside; the number of the last event goes on all the same.
  note([taken({ key: 'last' })]);
  await until(() => seen.users().includes('last'), 'what comes when there is room again');
  expect(seen.messages.findLast(({ event }) => event === 'event')!.id).toMatch(/-6001$/);
  const again = follow(tap.read(wish('kinds=events'), seen.messages.find(({ event }) => event === 'event')!.id).bytes);
  await until(() => again.messages.some(({ data }) => data.includes('gone')), 'it is told');
  expect(JSON.parse(again.messages.find(({ data }) => data.includes('gone'))!.data)).toEqual({
    count: 5_000,
    why: 'gone',
  });
  await tap.close();
});

test('one that looks for something sees each event beside one that takes few', async () => {
  const { tap, note } = tapOf();
  const few = follow(tap.read(wish('kinds=events&rate=1'), '').bytes);
  const looking = follow(tap.read(wish('kinds=events&user=sought'), '').bytes);
  for (let at = 0; at < 3; at++) note(Array.from({ length: 500 }, () => taken()));
  note([taken({ key: 'sought' })]);
  await until(() => looking.users().length === 1, 'it is found');
  expect(few.users()).toHaveLength(1);
  await tap.close();
});

test('a client that goes away leaves its place', async () => {
  const { tap } = tapOf(1);
  await tap.read(wish(), '').bytes.cancel();
  expect(tap.readers()).toBe(0);
  const next = tap.read(wish(), '');
  expect(tap.readers()).toBe(1);
  await tap.close();
  await next.bytes.cancel();
});
