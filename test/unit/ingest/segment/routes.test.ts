// The routes of the Segment spec over a real port: what they answer, and who is let in by which key.

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { admitBy } from '../../../../src/door/admit.ts';
import { crossOriginOf } from '../../../../src/door/cross-origin.ts';
import { byKey } from '../../../../src/door/keys/by-key.ts';
import { hashOf, newKey } from '../../../../src/door/keys/key.ts';
import type { StoredKey } from '../../../../src/door/keys/keys-file.ts';
import { PipelineError } from '../../../../src/errors.ts';
import { startEdgeServer } from '../../../support/edge-server.ts';
import { type MemoryLog, memoryLog } from '../../../support/memory-log.ts';

const logs: { current: MemoryLog } = { current: memoryLog() };
const log = {
  publish: (envelopes: Parameters<MemoryLog['publish']>[0]) => logs.current.publish(envelopes),
  close: async () => {},
};
const open = startEdgeServer({ log });
const publicKey = newKey('public');
const secretKey = newKey('secret');
const storedKey = (key: string, name: string, kind: 'public' | 'secret'): StoredKey => ({
  id: `${name}0000`.slice(0, 8),
  name,
  kind,
  sha256: hashOf(key),
  scopes: ['events:write'],
  created_at: '2026-01-01T00:00:00Z',
  ...(kind === 'public' && { event_types: ['custom'] }),
});
const keys = new Map([
  [publicKey, storedKey(publicKey, 'site', 'public')],
  [secretKey, storedKey(secretKey, 'back', 'secret')],
]);
const guarded = startEdgeServer({
  log,
  crossOrigin: crossOriginOf({ origins: ['https://*.example'], credentials: false }),
  admit: admitBy({ byKey: byKey({ find: text => keys.get(text) ?? 'it is not known here' }) }),
});
beforeEach(() => {
  logs.current = memoryLog();
});
afterAll(() => Promise.all([open.stop(), guarded.stop()]));

const message = { event: 'Trailer Muted', userId: 'u' };

async function send(body: unknown, { path = '/v1/track', headers = {}, port = open.port } = {}) {
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers,
    body: sent as Bun.BodyInit,
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}
const stored = () => logs.current.published.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const success = { status: 200, body: { success: true } };

describe('a call', () => {
  test.each(['/v1/track', '/v1/t', '/segment/v1/track', '/segment/v1/t', '/v1/track/'])(
    'at %s is one event',
    async path => {
      expect(await send(message, { path })).toMatchObject(success);
      expect(stored()).toMatchObject([{ event_type: 'custom', name: 'Trailer Muted' }]);
    },
  );

  test('of each kind has its paths', async () => {
    const types: string[] = [];
    for (const path of ['page', 'p', 'screen', 's', 'identify', 'i', 'group', 'g', 'alias', 'a']) {
      const body = { userId: 'u', groupId: 'g', previousId: 'p', properties: { url: 'https://example.com' } };
      expect({ path, ...(await send(body, { path: `/v1/${path}` })) }).toMatchObject({ path, ...success });
      types.push(String(stored().at(-1)!.event_type));
    }
    expect(types).toEqual(
      ['page_view', 'page_view', 'user_identified', 'group_identified', 'user_aliased'].flatMap(type => [type, type]),
    );
  });

  test('is of its path’s kind, whatever it says', async () => {
    expect(await send({ ...message, type: 'identify' })).toMatchObject(success);
    expect(stored()[0]!.event_type).toBe('custom');
  });

  test('is JSON whatever its content type says, compressed or not', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', 'x'])
      expect(await send(message, { headers: { 'content-type': type } })).toMatchObject(success);
    const headers = { 'content-encoding': 'gzip', 'content-type': 'application/x-www-form-urlencoded' };
    expect(await send(gzipSync(JSON.stringify(message)), { headers })).toMatchObject(success);
  });
});

describe('a batch', () => {
  test.each(['/v1/batch', '/v1/import', '/v1/b', '/beacon/v1/batch', '/segment/v1/batch'])(
    'at %s is many',
    async path => {
      const batch = [
        { type: 'track', ...message },
        { type: 'identify', userId: 'u', traits: {} },
      ];
      expect(await send({ batch, sentAt: new Date().toISOString() }, { path })).toMatchObject(success);
      expect(stored().map(event => event.event_type)).toEqual(['custom', 'user_identified']);
    },
  );

  test('is a success also where some, or all, are rejected, which is told beside it', async () => {
    const bad = { type: 'delete' };
    const some = await send({ batch: [{ type: 'track', ...message }, bad, 5] }, { path: '/v1/batch' });
    expect(some).toMatchObject({ status: 200, body: { success: true, accepted: 1, rejected: 2 } });
    expect(some.body.results).toMatchObject([
      { outcome: 'accepted' },
      { errors: [{ path: '/type' }] },
      { outcome: 'rejected' },
    ]);
    expect(await send(bad)).toMatchObject({ status: 200, body: { success: true, accepted: 0, rejected: 1 } });
    expect(await send({ batch: [] }, { path: '/v1/batch' })).toEqual(expect.objectContaining(success));
  });

  test('is not a success while one of it could not be stored: it is to be sent again', async () => {
    let count = 0;
    logs.current.fail(() => (count++ === 1 ? new PipelineError('buffer_full') : null));
    const batch = ['a', 'b', 'c'].map(messageId => ({ type: 'track', messageId, ...message }));
    const refused = await send({ batch }, { path: '/v1/batch' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'buffer_failed', status: 503 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    // A text of a client's that spells the outcome is no outcome.
    logs.current.fail(() => null);
    const odd = { type: 'track', event: { a: 1 }, messageId: '"outcome":"failed"' };
    expect((await send({ batch: [odd, { type: '"outcome":"failed"' }] }, { path: '/v1/batch' })).status).toBe(200);
  });

  test('clocks that are wrong are put right by sentAt; a sentAt that is no time is none', async () => {
    const timestamp = new Date(Date.now() - 86_400_000).toISOString();
    await send({ batch: [{ type: 'track', timestamp, ...message }], sentAt: timestamp }, { path: '/v1/batch' });
    await send({ ...message, timestamp, sentAt: 'yesterday' });
    const [corrected, plain] = stored();
    expect(Date.now() - Date.parse(String(corrected!.timestamp))).toBeLessThan(60_000);
    expect([plain!.timestamp, plain!.sent_at]).toEqual([timestamp, null]);
  });
});

describe('a refusal has the code and the message that SDKs read', () => {
  test.each([
    ['', '/v1/track', 400, 'not_json'],
    ['{', '/v1/track', 400, 'not_json'],
    ['[]', '/v1/track', 400, 'bad_request'],
    ['null', '/v1/batch', 400, 'bad_request'],
    ['{}', '/v1/batch', 400, 'bad_request'],
    ['{"batch":{}}', '/v1/batch', 400, 'bad_request'],
    [JSON.stringify({ batch: [1, 2, 3, 4, 5, 6] }), '/v1/batch', 413, 'too_large'],
    ['x'.repeat(100_001), '/v1/batch', 413, 'too_large'],
  ])('%s', async (body, path, status, code) => {
    const refused = await send(body, { path });
    expect(refused).toMatchObject({ status, body: { status, code, message: expect.any(String) } });
    expect(refused.body.type).toBe(`urn:ugc:problem:${code.replaceAll('_', '-')}`);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('the write key', () => {
  const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` });
  const at = (more: object) => ({ port: guarded.port, ...more });

  test('is taken from Basic, the query or the body', async () => {
    expect(await send(message, at({ headers: basic(publicKey) }))).toMatchObject(success);
    expect(await send({ ...message, writeKey: publicKey }, at({}))).toMatchObject(success);
    expect(await send({ ...message, writeKey: secretKey }, at({}))).toMatchObject(success);
    expect(
      await send({ batch: [{ type: 'track', ...message }] }, at({ path: `/beacon/v1/batch?writeKey=${publicKey}` })),
    ).toMatchObject(success);
    expect(await send(message, at({ path: `/v1/t?key=${publicKey}` }))).toMatchObject(success);
    expect(stored().map(({ source }) => source)).toEqual(['site', 'site', 'back', 'site', 'site']);
    expect(stored().every(({ properties }) => !JSON.stringify(properties).includes('ugc_'))).toBe(true);
  });

  test('that does not count is 401, with nothing stored', async () => {
    const wrong = publicKey.replace(/.$/, last => (last === '0' ? '1' : '0'));
    for (const [body, more] of [
      [message, {}],
      [{ ...message, writeKey: '' }, {}],
      [{ ...message, writeKey: 5 }, {}],
      [{ ...message, writeKey: wrong }, {}],
      [message, { headers: basic(wrong) }],
      [message, { path: `/v1/track?writeKey=${secretKey}` }],
      [{ ...message, writeKey: publicKey }, { path: `/v1/track?writeKey=${wrong}` }],
    ] as const)
      expect(await send(body, at(more))).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(stored()).toEqual([]);
  });

  test('in the body opens no other route', async () => {
    const event = {
      event_type: 'custom',
      name: 'x',
      country: '',
      device: '',
      timestamp: new Date().toISOString(),
      writeKey: publicKey,
    };
    expect((await send(event, at({ path: '/v1/events' }))).status).toBe(401);
  });

  test('may send its types alone, and costs the others nothing', async () => {
    const batch = [
      { type: 'track', ...message },
      { type: 'identify', userId: 'u' },
    ];
    const answer = await send({ batch, writeKey: publicKey }, at({ path: '/v1/batch' }));
    expect(answer).toMatchObject({
      status: 200,
      body: { accepted: 1, rejected: 1, results: [{}, { reason: 'not_allowed' }] },
    });
  });

  test('of a browser is held to its origins, wherever it stands', async () => {
    const bound = newKey('public');
    keys.set(bound, { ...storedKey(bound, 'bound', 'public'), origins: ['https://shop.example'] });
    const headers = { origin: 'https://evil.example' };
    expect((await send({ ...message, writeKey: bound }, at({ headers }))).status).toBe(403);
    expect(
      (await send({ ...message, writeKey: bound }, at({ headers: { origin: 'https://shop.example' } }))).status,
    ).toBe(200);
  });
});

describe('the documents that browsers ask for', () => {
  const get = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`http://127.0.0.1:${guarded.port}${path}`, { headers })).json() as Promise<Record<string, object>>;

  test('lead back here, by the way the browser came', async () => {
    const host = `127.0.0.1:${guarded.port}`;
    for (const prefix of ['', '/segment']) {
      const { integrations } = await get(`${prefix}/v1/projects/some-key/settings`);
      expect(integrations).toMatchObject({
        'Segment.io': { apiKey: 'some-key', apiHost: `${host}/v1`, protocol: 'http' },
      });
    }
    const behind = await get('/v1/projects/k/settings', { 'x-forwarded-proto': 'https, http' });
    expect(behind.integrations).toMatchObject({ 'Segment.io': { protocol: 'https' } });
    expect(await get(`/v1/projects/${secretKey}/settings`)).toMatchObject({ status: 400 });
    expect(await get('/sourceConfig/?p=web&v=3')).toMatchObject({ source: { enabled: true, destinations: [] } });
  });
});
