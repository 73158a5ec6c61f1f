// What pages of other origins are answered, over a real port: told what a browser asks, or refused before anything is stored.

import { afterAll, describe, expect, test } from 'bun:test';
import { crossOriginOf } from '../../../src/door/cross-origin.ts';
import type { Server } from '../../../src/http/server.ts';
import { click } from '../../support/edge.ts';
import { startEdgeServer } from '../../support/edge-server.ts';
import { memoryLog } from '../../support/memory-log.ts';

const body = JSON.stringify({ ...click, timestamp: new Date().toISOString() });
const shop = 'https://shop.example';

const started: Server[] = [];
afterAll(() => Promise.all(started.map(server => server.stop())));

function start(origins: readonly string[] = [shop], credentials = false) {
  const log = memoryLog();
  const server = startEdgeServer({ log, crossOrigin: crossOriginOf({ origins, credentials }) });
  started.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const ask = (method: string, headers: Record<string, string>, path = '/v1/events') =>
    fetch(url + path, { method, headers, ...(method === 'POST' && { body }) });
  return { log, url, ask };
}

/** What a browser reads of the headers. */
const corsOf = ({ headers }: Response): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));

describe('a page of an origin that may', () => {
  test('is told before what it may send, for as long as a browser keeps it, without a key and before anything else', async () => {
    const { ask, log } = start();
    const response = await ask('OPTIONS', {
      origin: shop,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, x-retry-count',
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(corsOf(response)).toEqual({
      'access-control-allow-origin': shop,
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'authorization, content-type, x-retry-count',
      'access-control-max-age': '7200',
      vary: 'origin',
    });
    expect(log.published).toEqual([]);
  });

  test.each([
    ['taken', '/v1/events', 200],
    ['refused', '/v1/events/nothing', 422],
  ])('reads the answer, whether its event is %s', async (_, path, status) => {
    const { ask } = start();
    const response = await ask('POST', { origin: shop }, path);
    expect([response.status, corsOf(response)]).toEqual([
      status,
      {
        'access-control-allow-origin': shop,
      },
    ]);
  });

  test('reads that there is no such path, too', async () => {
    const { ask } = start();
    const response = await ask('POST', { origin: shop }, '/v1/nothing');
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, shop]);
  });

  test('reads the headers that say when to try again', async () => {
    const { url } = start();
    const headers = { origin: shop };
    const server = startEdgeServer({
      crossOrigin: crossOriginOf({ origins: [shop], credentials: false }),
      admit: () => ({ ok: false, answer: { status: 429, headers: { 'retry-after': '7' }, body: '' } }),
    });
    started.push(server);
    const refused = await fetch(`http://127.0.0.1:${server.port}/v1/events`, { method: 'POST', headers, body });
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After');
    const taken = await fetch(`${url}/v1/events`, { method: 'POST', headers, body });
    expect(taken.headers.has('access-control-expose-headers')).toBe(false);
  });

  test('sends cookies only where that is asked for', async () => {
    const { ask } = start([shop], true);
    const response = await ask('POST', { origin: shop });
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  });

  test('is named in the answer, never a star, with * as well', async () => {
    const { ask } = start(['*']);
    for (const origin of ['https://any.example', 'null'])
      expect((await ask('POST', { origin })).headers.get('access-control-allow-origin')).toBe(origin);
  });
});

describe('a page of another origin', () => {
  test.each([
    'https://evil.example',
    'http://shop.example',
    'https://shop.example.evil.example',
    'https://shop.example:8443',
    'null',
    '',
    'x'.repeat(8_000),
  ])('is refused before anything is stored: %p', async origin => {
    const { ask, log } = start();
    const response = await ask('POST', { origin });
    expect([response.status, corsOf(response)]).toEqual([403, {}]);
    const text = await response.text();
    expect(text).toContain('UGC_CORS_ORIGINS');
    expect(text.length).toBeLessThan(500);
    const before = await ask('OPTIONS', { origin, 'access-control-request-method': 'POST' });
    expect([before.status, corsOf(before)]).toEqual([403, { vary: 'origin' }]);
    expect(log.published).toEqual([]);
  });

  test('may read what changes nothing as little as any other page may', async () => {
    const { ask } = start();
    const response = await ask('GET', { origin: 'https://evil.example' }, '/healthz/live');
    expect([response.status, corsOf(response)]).toEqual([200, { vary: 'origin' }]);
  });

  test('puts nothing of its own into the headers of an answer', async () => {
    const { ask } = start();
    const response = await ask('OPTIONS', {
      origin: shop,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'a b; <script>',
    });
    expect([response.status, response.headers.has('access-control-allow-headers')]).toEqual([204, false]);
  });
});

describe('a page of this server’s own origin', () => {
  test.each([
    ['by its host', (url: string) => ({ origin: url })],
    [
      'as the browser says, whatever a proxy made of the host',
      () => ({ origin: shop, 'sec-fetch-site': 'same-origin' }),
    ],
  ])('sends as before: %s', async (_, headersOf) => {
    const { ask, url, log } = start([]);
    expect((await ask('POST', headersOf(url))).status).toBe(200);
    expect(log.published).toHaveLength(1);
  });

  test('is not one that merely has the same host behind another port', async () => {
    const { ask, url } = start([]);
    const origin = `${url}1`;
    expect((await ask('POST', { origin })).status).toBe(403);
    expect((await ask('POST', { origin, 'sec-fetch-site': 'same-site' })).status).toBe(403);
  });
});

test('origins of keys count as well, as they are just now', () => {
  let ofKeys: readonly string[] = [];
  const { headersFor } = crossOriginOf({ origins: [shop], ofKeys: () => ofKeys, credentials: false });
  const page = 'https://a.keys.example';
  expect(headersFor(page)).toBeNull();
  ofKeys = ['https://*.keys.example'];
  expect(headersFor(page)).toMatchObject({ 'access-control-allow-origin': page });
  ofKeys = [];
  expect([headersFor(page), headersFor(shop)]).toEqual([null, { 'access-control-allow-origin': shop }]);
});
