// What a run sends and when: the same seed gives the same events, the schedule is not the server's, and answers are read for what
// they say of each event.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../../schemas/catalogue.ts';
import { answerMany } from '../../../src/ingest/answers.ts';
import { nameOf, verdictOf } from '../../../src/load/answers.ts';
import { type BodiesOptions, bodiesOf, none } from '../../../src/load/bodies.ts';
import { answerIn } from '../../../src/load/connection.ts';
import { examples } from '../../../src/load/examples.ts';
import { people } from '../../../src/load/journeys.ts';
import { seeded, zipf } from '../../../src/load/random.ts';
import { runIds, serials } from '../../../src/load/run-ids.ts';
import { levelsOf, scheduleOf } from '../../../src/load/schedule.ts';
import { tally } from '../../../src/load/tally.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const world = { seed: 7, users: 10_000, films: 500 };

const made = (given: Partial<BodiesOptions> = {}, seed = 7) =>
  bodiesOf({
    shape: 'batch',
    batch: 50,
    gzip: false,
    badShare: 0,
    duplicateShare: 0,
    clockSkewMs: 0,
    eventBytes: 0,
    ids: runIds(now, 5),
    random: seeded(seed),
    next: people({ ...world, seed }).next,
    now: () => now,
    ...given,
  });

const eventsOf = (text: string | Uint8Array): Record<string, unknown>[] => JSON.parse(String(text));

describe('people', () => {
  test('the same seed is the same people, another seed others', () => {
    const texts = [7, 7, 8].map(seed => {
      const bodies = made({}, seed);
      return Array.from({ length: 20 }, () => bodies.next().bytes).join('\n');
    });
    expect(texts[0]).toBe(texts[1]!);
    expect(texts[0]).not.toBe(texts[2]);
  });

  test('every event they make fits its type, from visitors to orders', () => {
    const bodies = made({ batch: 20_000 });
    const byType = new Map<string, number>();
    for (const { event_id, timestamp, ...event } of eventsOf(bodies.next().bytes)) {
      const type = catalogue.find(String(event.event_type))!;
      byType.set(type.name, (byType.get(type.name) ?? 0) + 1);
      if (type.family === 'marketplace') continue; // integers, which the edge reads: the test on the binary
      const absent = Object.fromEntries(
        type.allFields.flatMap(field => (field.absent === undefined ? [] : [[field.name, JSON.parse(field.absent)]])),
      );
      expect(type.misfits({ ...absent, properties: {}, ...event }, 3)).toEqual([]);
    }
    for (const type of [
      'page_view',
      'user_identified',
      'film_progress',
      'film_watched',
      'film_closed',
      'search_filter_use',
      'film_liked',
      'review_posted',
      'ordering',
    ])
      expect([type, byType.get(type) ?? 0]).not.toEqual([type, 0]);
  });

  test('examples stand for types no journey knows', () => {
    const { next } = examples([catalogue.find('click')!, catalogue.find('cart_add')!], { ...world, isPadded: false });
    const steps = Array.from({ length: 100 }, next);
    expect(new Set(steps.map(({ type }) => type))).toEqual(new Set(['click', 'cart_add']));
    for (const { type, user } of steps) expect(user).toMatch(type === 'cart_add' ? /^\d+$/ : /^"user-\d+"$/);
  });
});

test('Zipf: rank r comes about 1 / (r + 1) as often as the first, and no rank is out of range', () => {
  const random = seeded(3);
  const draw = zipf(1_000, 1);
  const times = new Uint32Array(1_000);
  for (let drawn = 0; drawn < 400_000; drawn++) times[draw(random)]!++;
  expect(times.reduce((a, b) => a + b)).toBe(400_000);
  for (const rank of [1, 3, 9]) expect(times[0]! / times[rank]! / (rank + 1)).toBeWithin(0.9, 1.1);
  expect(zipf(1, 1)(random)).toBe(0);
});

describe('ids of a run', () => {
  test('are UUIDv7 whose first ten bytes are the run’s and whose last are the number', () => {
    const ids = runIds(now, 0x3ffffff);
    expect(ids.idOf(0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7fff-bfff-000000000000$/);
    expect(Number.parseInt(ids.prefix.slice(0, 12), 16)).toBe(now);
    for (const serial of [0, 1, 4_294_967_295]) {
      const hex = ids.idOf(serial).replaceAll('-', '');
      expect(hex.slice(0, 20)).toBe(ids.prefix);
      expect(Number.parseInt(hex.slice(20), 16)).toBe(serial);
    }
  });

  test('a set of numbers grows as it must, and counts each once', () => {
    const set = serials();
    for (const serial of [0, 31, 32, 5_000_000, 31]) set.add(serial);
    expect(set.size).toBe(4);
    expect([0, 30, 31, 32, 33, 4_999_999, 5_000_000, 9_999_999].map(set.has)).toEqual([
      true,
      false,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('the schedule', () => {
  test('a rate: evenly, and none after the end', () => {
    const { dueAtMs, requests } = scheduleOf(levelsOf({ rate: 200, seconds: 3, rampSeconds: 0, steps: 1 }));
    expect(requests).toBe(600);
    expect([0, 1, 100, 599].map(dueAtMs)).toEqual([0, 5, 500, 2_995]);
    expect(dueAtMs(600)).toBe(Number.POSITIVE_INFINITY);
  });

  test('a ramp of 4 s to 100/s is 200 requests, half of them in its last 1.17 s', () => {
    const { dueAtMs, requests } = scheduleOf(levelsOf({ rate: 100, seconds: 4, rampSeconds: 4, steps: 1 }));
    expect(requests).toBe(200);
    expect(dueAtMs(50)).toBeCloseTo(2_000, 6);
    expect(dueAtMs(100)).toBeCloseTo(4_000 * Math.SQRT1_2, 6);
  });

  test('steps: 10, 20, 30 a second for two seconds each, in order', () => {
    const schedule = scheduleOf(levelsOf({ rate: 30, seconds: 6, rampSeconds: 0, steps: 3 }));
    expect(schedule.requests).toBe(120);
    expect([0, 20, 60, 119].map(schedule.dueAtMs).map(Math.round)).toEqual([0, 2_000, 4_000, 5_967]);
    expect([0, 1_999, 2_000, 5_999].map(schedule.levelAt)).toEqual([0, 0, 1, 2]);
    const all = Array.from({ length: 120 }, (_, at) => schedule.dueAtMs(at));
    expect(all).toEqual(all.toSorted((a, b) => a - b));
  });
});

test('a stall is felt by all who would have come meanwhile: times run from when a request was due', () => {
  const verdict = { accepted: 1, wronglyRefused: 0, wronglyTaken: 0, refused: 0, dropped: 0, failed: 0 };
  const counts = tally();
  // Ten requests due in a second's stall, one every 100 ms, all sent and answered at its end.
  for (let at = 0; at < 10; at++) {
    counts.sent(1, 100, 1_000 - at * 100);
    counts.answered({ dueMs: at * 100, sentMs: 1_000, answeredMs: 1_001, name: '200', retryAfter: false, verdict });
  }
  const { due, sent, late } = counts.totals();
  expect(sent.max).toBeWithin(0.9, 1.1);
  expect(due.p50).toBeWithin(490, 610);
  expect(due.max).toBeWithin(999, 1_003);
  expect(late).toBe(10);
});

describe('bodies', () => {
  test('broken ones have no number, repeated ones that of before', () => {
    const bodies = made({ batch: 2_000, badShare: 0.1, duplicateShare: 0.2 });
    const { bytes, serials: numbers } = bodies.next();
    const events = eventsOf(bytes);
    const bad = numbers.filter(number => number === none).length;
    const repeated = numbers.length - bad - bodies.made;
    expect(events.length).toBe(2_000);
    expect(bad).toBeWithin(140, 260);
    expect(repeated).toBeWithin(320, 480);
    const ids = runIds(now, 5);
    for (const [at, number] of numbers.entries())
      if (number !== none) expect(events[at]!.event_id).toBe(ids.idOf(number));
  });

  test('each shape is what its content type says', () => {
    const texts = (shape: BodiesOptions['shape']) => String(made({ shape, batch: 3 }).next().bytes);
    expect(JSON.parse(texts('single'))).toHaveProperty('event_type');
    expect(JSON.parse(texts('beacon'))).toHaveProperty('event_type');
    expect(
      texts('ndjson')
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toHaveLength(3);
    expect(JSON.parse(texts('segment')).batch).toHaveLength(3);
    const packed = made({ batch: 3, gzip: true }).next().bytes as Uint8Array<ArrayBuffer>;
    expect(JSON.parse(Buffer.from(Bun.gunzipSync(packed)).toString())).toHaveLength(3);
  });

  test('padding brings an event to its size in bytes, and reads like what people write', () => {
    for (const shape of ['batch', 'segment', 'ndjson'] as const) {
      const text = String(made({ shape, batch: 300, eventBytes: 4_096 }).next().bytes);
      const read = shape === 'ndjson' ? text.split('\n').map(line => JSON.parse(line)) : JSON.parse(text);
      const events: Record<string, unknown>[] = shape === 'segment' ? read.batch : read;
      for (const event of events) {
        expect(Buffer.byteLength(JSON.stringify(event))).toBe(4_096);
        expect((event.properties as { padding: string }).padding).toMatch(/^[a-z ]{3000,}$/);
      }
      expect(text.length / Bun.gzipSync(text).length).toBeWithin(2, 8); // neither noise nor one letter
    }
    const small = eventsOf(made({ eventBytes: 10 }).next().bytes);
    expect(small.every(({ properties }) => properties === undefined)).toBe(true);
  });

  test('a wrong clock says so with sent_at, within its bounds', () => {
    for (const event of eventsOf(made({ clockSkewMs: 30_000 }).next().bytes)) {
      expect(event.sent_at).toBe(event.timestamp);
      expect(Math.abs(Date.parse(String(event.timestamp)) - now)).toBeLessThanOrEqual(30_000);
    }
  });
});

describe('answers', () => {
  const answer = (status: number, body: string) => ({ status, body: Buffer.from(body), retryAfter: false });
  const read = (status: number, body: string, numbers: readonly number[]) => {
    const acked: number[] = [];
    return { ...verdictOf(answer(status, body), numbers, serial => acked.push(serial)), acked };
  };
  const id = '01a2249f-de32-782a-824d-000000000000';
  const nothing = {
    accepted: 0,
    wronglyRefused: 0,
    wronglyTaken: 0,
    refused: 0,
    dropped: 0,
    failed: 0,
    acked: [] as number[],
  };

  test('one event', () => {
    expect(read(200, `{"event_id":"${id}","outcome":"accepted","stored":"disk"}`, [4])).toEqual({
      ...nothing,
      accepted: 1,
      acked: [4],
    });
    expect(read(200, `{"event_id":"${id}","outcome":"dropped","rule":"r"}`, [4])).toEqual({ ...nothing, dropped: 1 });
    expect(read(422, '{}', [none])).toEqual({ ...nothing, refused: 1 });
    expect(read(422, '{}', [4])).toEqual({ ...nothing, refused: 1, wronglyRefused: 1 });
    for (const status of [0, 429, 500, 503]) expect(read(status, '', [4])).toEqual({ ...nothing, failed: 1 });
  });

  test('many: by their results, in order; what is told of nobody is not accepted', () => {
    const some = `{"accepted":1,"rejected":2,"results":[{"event_id":"${id}","outcome":"accepted"},{"outcome":"rejected"},{"outcome":"failed","retry":true}]}`;
    expect(read(207, some, [1, none, 2])).toEqual({ ...nothing, accepted: 1, refused: 1, failed: 1, acked: [1] });
    expect(read(207, some, [none, 1, 2, 3])).toEqual({
      ...nothing,
      accepted: 1,
      wronglyTaken: 1,
      refused: 1,
      wronglyRefused: 1,
      failed: 2,
    });
    expect(read(200, '{"success":true}', [1, 2])).toEqual({ ...nothing, accepted: 2, acked: [1, 2] });
    expect(read(200, '<html>', [1, 2])).toEqual({ ...nothing, failed: 2 });
    expect(read(200, '', [1])).toEqual({ ...nothing, failed: 1 });
  });

  test('the beginning that stands for all is that of the server’s own answer', () => {
    const taken = { ok: true, envelope: { id } } as unknown as Parameters<typeof answerMany>[0][number];
    const { body } = answerMany(
      [taken, taken],
      [
        { ok: true, stored: 'disk' },
        { ok: true, stored: 'disk' },
      ],
      200,
    );
    expect(read(200, String(body), [8, 9])).toEqual({ ...nothing, accepted: 2, acked: [8, 9] });
    expect(read(200, String(body), [8, 9, 10]).accepted).toBe(2);
  });

  test('have names: a problem by the last word of its type', () => {
    expect(nameOf(answer(200, ''))).toBe('200');
    expect(nameOf(answer(0, ''))).toBe('cut');
    expect(nameOf(answer(429, '{"type":"urn:ugc:problem:rate-limited","title":"x"}'))).toBe('429 rate-limited');
    expect(nameOf(answer(502, '<html>'))).toBe('502');
  });

  test('are read from the wire in any pieces', () => {
    const sized = 'HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nhello';
    const chunked =
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
    for (const text of [sized, chunked]) {
      for (let length = 0; length < text.length; length++)
        expect(answerIn(Buffer.from(text.slice(0, length)))).toBeNull();
      expect(answerIn(Buffer.from(text))!.body.toString()).toBe('hello');
    }
    expect(answerIn(Buffer.from(sized))).toMatchObject({ status: 503, retryAfter: true, isLast: false });
    expect(answerIn(Buffer.from(chunked))).toMatchObject({ status: 200, retryAfter: false, isLast: true });
  });
});
