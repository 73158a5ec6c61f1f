// The pixel over a real port: the image whatever happens, and in words what happened.

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import { problem } from '../../../src/http/answer.ts';
import type { Admit } from '../../../src/http/route.ts';
import { startEdgeServer } from '../../support/edge-server.ts';
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts';
import { until } from '../../support/until.ts';

const logs: { current: MemoryLog } = { current: memoryLog() };
let admit: Admit = () => ({ ok: true, caller: { name: 'shop' } });
const server = startEdgeServer({
  log: { publish: envelopes => logs.current.publish(envelopes), close: async () => {} },
  admit: (call, needs) => admit(call, needs),
});
beforeEach(() => {
  logs.current = memoryLog();
  admit = () => ({ ok: true, caller: { name: 'shop' } });
});
afterAll(() => server.stop());

const good = 'event_type=film_watched&country=US&device=mobile&video_id=v1&duration=3660&properties.a.b=c';

async function ask(query: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/pixel.gif?${query}`, init);
  const bytes = await response.bytes();
  const { status, headers } = response;
  return { status, type: headers.get('content-type'), outcome: headers.get('x-ugc-outcome'), bytes, headers };
}

/** The image, and nothing that keeps it. */
async function outcomeOf(query: string, init?: RequestInit): Promise<string | null> {
  const { status, type, outcome, bytes, headers } = await ask(query, init);
  expect({ status, type, cached: headers.get('cache-control') }).toEqual({
    status: 200,
    type: 'image/gif',
    cached: 'no-store',
  });
  if (init?.method !== 'HEAD') {
    expect(bytes).toHaveLength(43);
    expect(Buffer.from(bytes).toString('latin1')).toMatch(/^GIF89a\x01\x00\x01\x00.*;$/s);
  }
  expect(headers.get('www-authenticate')).toBeNull();
  return outcome;
}

const stored = () => logs.current.published.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

test('says what looks wrong with an event that was taken', async () => {
  const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
  expect(await outcomeOf(`${good}&sent_at=${anHourAgo}`)).toBe('accepted;warning=clock_corrected');
  expect(await outcomeOf(good)).toBe('accepted');
});

test('brings one event, typed by its definition, at the time it comes', async () => {
  const before = Date.now();
  expect(await outcomeOf(good)).toBe('accepted');
  const [event] = stored();
  expect(event).toMatchObject({
    event_type: 'film_watched',
    source: 'shop',
    duration: 3660,
    video_id: 'v1',
    properties: { a: { b: 'c' } },
  });
  const atMs = Date.parse(String(event!.timestamp));
  expect(atMs).toBeGreaterThanOrEqual(before);
  expect(atMs).toBeLessThanOrEqual(Date.now());
});

test('has a time of its own where it brings one', async () => {
  const timestamp = new Date(Date.now() - 3_600_000).toISOString();
  expect(await outcomeOf(`${good}&timestamp=${timestamp}`)).toBe('accepted');
  expect(await outcomeOf(`${good}&timestamp=${Date.parse(timestamp)}`)).toBe('accepted');
  expect(await outcomeOf(`${good}&sent_at=${Date.now()}`)).toBe('accepted');
  expect(stored().map(event => event.timestamp)).toEqual([timestamp, timestamp, expect.any(String)]);
});

test('takes data as JSON or base64url of it; key, ack and _ are no fields', async () => {
  const json = JSON.stringify({
    event_type: 'page_view',
    country: 'US',
    device: 'tv',
    page_url: 'https://é.example/?a=b&c',
  });
  const ways = [
    encodeURIComponent(json),
    Buffer.from(json).toString('base64url'),
    encodeURIComponent(`{"event":${json}}`),
  ];
  for (const data of ways)
    expect(await outcomeOf(`key=x&data=${data}&_=${Math.random()}&ack=durable`)).toBe('accepted');
  expect(stored().map(event => event.page_url)).toEqual(ways.map(() => 'https://é.example/?a=b&c'));
});

describe('stores nothing and says why', () => {
  test.each([
    ['', 'rejected;reason=invalid'],
    ['event_type=clik', 'rejected;reason=unknown_type'],
    ['event_type=click', 'rejected;reason=invalid'],
    [`${good}&duration=7`, 'rejected;reason=invalid'],
    [`${good}&timestamp=2001-01-01T00:00:00Z`, 'rejected;reason=too_old'],
    [`${good}&video_id2=1`, 'rejected;reason=invalid'],
    ['event_type=%ff', 'rejected;reason=bad_request'],
    ['data=%5B%5D', 'rejected;reason=bad_request'],
    ['data=null', 'rejected;reason=not_json'],
    ['data=%7B', 'rejected;reason=not_json'],
    [`${good}&ack=perhaps`, 'rejected;reason=bad_request'],
  ])('%s', async (query, outcome) => {
    expect(await outcomeOf(query)).toBe(outcome);
    expect(stored()).toEqual([]);
  });

  test('HEAD, and what is fetched in advance, is ignored', async () => {
    expect(await outcomeOf(good, { method: 'HEAD' })).toBe('ignored');
    const hints = ['Sec-Purpose: prefetch', 'Sec-Purpose: prefetch;prerender', 'Purpose: prefetch', 'X-Moz: prefetch'];
    for (const hint of hints) {
      const [name, value] = hint.split(': ') as [string, string];
      expect([hint, await outcomeOf(good, { headers: { [name]: value } })]).toEqual([hint, 'ignored']);
    }
    expect(stored()).toEqual([]);
    expect(await outcomeOf(good, { headers: { 'Sec-Purpose': 'image' } })).toBe('accepted');
  });

  test('who may not', async () => {
    for (const code of ['unauthorized', 'forbidden'] as const) {
      admit = () => ({
        ok: false,
        answer: problem(new PipelineError(code), { headers: { 'www-authenticate': 'Bearer' } }),
      });
      expect(await outcomeOf(good)).toBe('unauthorized');
    }
    admit = () => ({ ok: true, caller: { name: 'shop', eventTypes: new Set(['click']) } });
    expect(await outcomeOf(good)).toBe('rejected;reason=not_allowed');
    expect(stored()).toEqual([]);
  });

  test('what cannot be stored, or is thrown by nobody’s plan', async () => {
    logs.current.fail(() => new PipelineError('buffer_full'));
    expect(await outcomeOf(good)).toBe('failed');
    admit = () => {
      throw new Error('a bug');
    };
    expect(await outcomeOf(good)).toBe('failed');
  });
});

test('waits until the event is durable', async () => {
  const release = logs.current.hold();
  let isAnswered = false;
  const answer = outcomeOf(good).finally(() => {
    isAnswered = true;
  });
  await until(() => logs.current.waiting() === 1, 'the request waits for the log');
  expect(isAnswered).toBe(false);
  release();
  expect(await answer).toBe('accepted');
});
