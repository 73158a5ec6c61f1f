// The routes over a real port. What a body means is judged in the tests beside this one; here it is HTTP that is tested.

import { afterEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { PipelineError } from '../../../src/errors.ts';
import { json, problem } from '../../../src/http/answer.ts';
import { type AddressPolicy, keptOf } from '../../../src/http/client-address.ts';
import type { Admit, Method, Route } from '../../../src/http/route.ts';
import type { Server } from '../../../src/http/server.ts';
import type { Health } from '../../../src/process/telemetry.ts';
import { click, film, filmExamples, fixtureText } from '../../support/edge.ts';
import { type EdgeServerOptions, startEdgeServer } from '../../support/edge-server.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { sharedMetrics as metrics, quietLogs } from '../../support/quiet.ts';
import { rawHttp } from '../../support/raw-http.ts';
import { soon, until } from '../../support/until.ts';

const event = { ...click, timestamp: new Date().toISOString() };
const text = JSON.stringify(event);

const started: Server[] = [];
afterEach(async () => {
  const servers = started.splice(0);
  await soon(Promise.all(servers.map(server => server.stop())), 'every server of the test to stop');
  for (const { port, adminPort } of servers)
    for (const open of [port, adminPort])
      expect(
        await fetch(`http://127.0.0.1:${open}/healthz/live`).then(
          () => 'still listening',
          () => 'gone',
        ),
      ).toBe('gone');
});

function start(options: EdgeServerOptions = {}) {
  const log = memoryLog();
  const logs = quietLogs();
  const health: { now: Health } = { now: { ready: true, detail: {} } };
  const server = startEdgeServer({ log, health: () => health.now, logs, ...options });
  started.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const post = async (body: Bun.BodyInit, headers: Record<string, string> = {}, path = '/v1/events') => {
    const response = await fetch(url + path, { method: 'POST', body, headers });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  return { log, logs, health, server, url, post };
}

/** A request by hand, and the connection it went over. */
const raw = (url: string, head: string, body = '') =>
  rawHttp(url, [head, 'host: test', `content-length: ${Buffer.byteLength(body)}`], body);

describe('POST /v1/events', () => {
  test('stores an event and answers with its id', async () => {
    const { post, log } = start();
    const { status, headers, body } = await post(text, { 'user-agent': 'tester/1' });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual({ event_id: log.published[0]!.id, outcome: 'accepted', stored: 'disk' });
    expect(JSON.parse(log.published[0]!.body)).toMatchObject({ user_agent: 'tester/1', ip: '127.0.0.1', source: '' });
  });

  test('takes each of the documents’ examples as it is written', async () => {
    const { post, log } = start();
    for (const name of filmExamples)
      expect((await post(await fixtureText(`film/${name}.json`), { 'content-type': 'application/json' })).status).toBe(
        200,
      );
    expect(log.published.map(({ type }) => type)).toEqual([
      'click',
      'page_view',
      'search_filter_use',
      'quality_change',
      'film_watched',
    ]);
  });

  test('refuses the documents’ trailing commas, and says where they are', async () => {
    const { post, log } = start();
    for (const name of ['page-view', 'search-filter-use', 'quality-change', 'film-watched']) {
      const { status, headers, body } = await post(await fixtureText(`film/${name}.trailing-comma.txt`));
      expect({ status, type: headers.get('content-type') }).toEqual({ status: 400, type: 'application/problem+json' });
      expect(body.detail).toMatch(/^line 1[02], column 3: /);
    }
    expect(log.published).toEqual([]);
  });

  test.each([
    ['an array', JSON.stringify([event, event]), 'application/json', 200],
    ['a list in an object', JSON.stringify({ events: [event, event] }), 'application/json', 200],
    ['lines', `${text}\r\n\r\n${text}\n`, 'application/x-ndjson', 200],
    ['a beacon', JSON.stringify([event, event]), 'text/plain;charset=UTF-8', 200],
    ['an array with a bad one', JSON.stringify([event, null, event]), 'application/json', 207],
    ['lines with a bad one', `${text}\n{"event_type":\n${text}`, 'application/jsonl', 207],
  ])('takes %s', async (_, body, type, status) => {
    const { post, log } = start();
    expect(await post(body, { 'content-type': type })).toMatchObject({ status, body: { accepted: 2 } });
    expect(log.published).toHaveLength(2);
  });

  test.each([
    ['an empty body', '', 400],
    ['white space', ' \n', 400],
    ['NaN', '{"a":NaN}', 400],
    ['a form', 'event_type=click', 400],
    ['null', 'null', 422],
    ['a number', '1e400', 422],
    ['an empty list', '[]', 422],
    ['an empty object', '{}', 422],
    ['a list of nulls', '[null,null]', 422],
    ['half a surrogate pair', text.replace('play', '\\ud800'), 422],
    ['__proto__', text.replace('{', '{"__proto__":{},'), 422],
    ['six events', JSON.stringify(Array(6).fill(event)), 413],
    ['100 001 bytes', ' '.repeat(100_001), 413],
    ['an event of 70 000 bytes', JSON.stringify({ ...event, properties: { a: 'x'.repeat(70_000) } }), 413],
  ])('refuses %s and stores nothing', async (_, body, status) => {
    const { post, log } = start();
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(log.published).toEqual([]);
    expect((await post(text)).status).toBe(200);
  });

  test('takes a body compressed in any known way, and refuses what is none', async () => {
    const { post, log } = start();
    const bodies = {
      gzip: gzipSync(text),
      deflate: deflateSync(text),
      br: brotliCompressSync(text),
      zstd: zstdCompressSync(text),
    };
    for (const [encoding, body] of Object.entries(bodies)) {
      expect((await post(body, { 'content-encoding': encoding })).status).toBe(200);
      expect(await post(body.subarray(0, -1), { 'content-encoding': encoding })).toMatchObject({
        status: 400,
        body: { type: 'urn:ugc:problem:bad-request' },
      });
      expect((await post('garbage', { 'content-encoding': encoding })).status).toBe(400);
    }
    expect((await post(deflateRawSync(text), { 'content-encoding': 'deflate' })).status).toBe(200);
    expect((await post(gzipSync(Buffer.alloc(10_000_000)), { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await post(text, { 'content-encoding': 'compress' })).status).toBe(415);
    expect((await post(text, { 'content-encoding': 'constructor' })).status).toBe(415);
    expect(log.published).toHaveLength(5);
  });

  test('refuses types it cannot read with 415', async () => {
    const { post } = start();
    for (const type of ['application/xml', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16'])
      expect(await post(text, { 'content-type': type })).toMatchObject({ status: 415, body: { status: 415 } });
  });

  test('tells every finding about an event with 422', async () => {
    const { post } = start();
    const { status, headers, body } = await post(JSON.stringify({ event_type: 'clik' }));
    expect({ status, type: headers.get('content-type'), reason: body.reason }).toEqual({
      status: 422,
      type: 'application/problem+json',
      reason: 'unknown_type',
    });
    expect((await post(JSON.stringify({ event_type: 'click' }))).body.errors).toHaveLength(5);
  });

  test('is 503 with Retry-After when the log cannot take it', async () => {
    const { post, log } = start();
    log.fail(() => new PipelineError('buffer_full'));
    const { status, headers, body } = await post(text);
    expect({ status, wait: headers.get('retry-after'), type: body.type }).toEqual({
      status: 503,
      wait: '5',
      type: 'urn:ugc:problem:buffer-full',
    });
    log.fail(() => null);
    expect((await post(text)).status).toBe(200);
  });

  test('is 500 without a word of why when there is a bug', async () => {
    const { post } = start({ accept: () => Promise.reject(new Error('secret detail')) });
    const { status, body } = await post(text);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
  });
});

describe('POST /v1/events/{event_type}', () => {
  test('takes the type from the path, by name or alias', async () => {
    const { post, log } = start();
    const { event_type: _, ...untyped } = { ...film, timestamp: event.timestamp };
    for (const path of ['/v1/events/film_watched', '/v1/events/video_complete', '/v1/events/film%5Fwatched'])
      expect((await post(JSON.stringify({ event: untyped }), {}, path)).status).toBe(200);
    expect(new Set(log.published.map(({ type }) => type))).toEqual(new Set(['film_watched']));
  });

  test.each(['clik', '__proto__', 'constructor', '%00', '%ff', '%F0%9F%98%80', 'x'.repeat(5_000), 'page_view'])(
    'of another or an unknown type is 422: %s',
    async type => {
      const { post, log } = start();
      const { status, body } = await post(text, {}, `/v1/events/${type}`);
      expect(status).toBe(422);
      expect(JSON.stringify(body).length).toBeLessThan(1_500);
      expect(log.published).toEqual([]);
    },
  );
});

test('a slash at the end of a path changes nothing, whatever the host is called', async () => {
  const { url, log } = start();
  for (const [path, host] of [
    ['/v1/events/', 'localhost'],
    ['/v1/events/click/', 'localhost'],
    ['/v1/events/', 'x'],
  ] as const) {
    const headers = { host };
    expect((await fetch(url + path, { method: 'POST', body: text, headers })).status).toBe(200);
    expect((await fetch(url + path, { headers })).status).toBe(405);
  }
  expect(log.published).toHaveLength(3);
});

test('/ says what this is and which routes there are: to a browser as a page, to everybody else as text', async () => {
  const { url } = start();
  const text = await fetch(url);
  expect(text.headers.get('content-type')).toStartWith('text/plain');
  expect(await text.text()).toMatch(/ {2}POST {3}\/v1\/events\n/);
  const page = await fetch(url, { headers: { accept: 'text/html,application/xhtml+xml' } });
  expect(page.headers.get('content-type')).toStartWith('text/html');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('<a href="/apidocs">');
});

describe('who may', () => {
  const admit: Admit = ({ request }, needs) =>
    request.headers.get('authorization') === 'Bearer good'
      ? { ok: true, caller: { name: `${needs} by good` } }
      : { ok: false, answer: problem(new PipelineError('bad_request', 'not you')) };

  test('is asked before the body is read, and the caller is the source of the events', async () => {
    const { url, post, log } = start({ admit });
    const { received, drop } = await rawHttp(
      url,
      ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100'],
      '{',
    );
    await until(() => received().includes('not you'), 'an answer, though the body never comes');
    drop();
    expect((await post(text)).status).toBe(400);
    expect(log.published).toEqual([]);
    expect((await post(text, { authorization: 'Bearer good' })).status).toBe(200);
    expect(JSON.parse(log.published[0]!.body)).toMatchObject({ source: 'events:write by good' });
  });

  test('may take its time, and is not asked of what everybody may', async () => {
    const { url, post } = start({ admit: async (...asked) => admit(...asked) });
    expect((await post(text)).status).toBe(400);
    expect((await post(text, { authorization: 'Bearer good' })).status).toBe(200);
    expect((await fetch(`${url}/healthz/live`)).status).toBe(200);
  });
});

describe('every method', () => {
  test('can be a route of a role', async () => {
    const ofMethod = (method: Method): Route => ({
      method,
      path: '/v1/x/:id',
      handler: ({ params }) => json(200, `"${method} ${params.id}"`),
    });
    const { url } = start({ routes: (['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const).map(ofMethod) });
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      expect(await (await fetch(`${url}/v1/x/7`, { method })).json()).toBe(`${method} 7`);
    const other = await fetch(`${url}/v1/x/7`, { method: 'POST' });
    expect({ status: other.status, allow: other.headers.get('allow') }).toEqual({
      status: 405,
      allow: 'GET, PUT, PATCH, DELETE, OPTIONS',
    });
  });
});

describe('a path or method that is none', () => {
  test.each(['/v1', '/v1/event', '/v1/events/click/x', '/V1/events', '/v1/events/../x', '/%', `/${'x'.repeat(5_000)}`])(
    'is 404: %s',
    async path => {
      const { url } = start();
      for (const method of ['GET', 'POST', 'DELETE']) {
        const response = await fetch(url + path, { method });
        expect({ method, status: response.status }).toEqual({ method, status: 404 });
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect((await response.text()).length).toBeLessThan(400);
      }
    },
  );

  test.each([
    ['/v1/events', 'POST, OPTIONS', ['GET', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']],
    ['/v1/events/click', 'POST, OPTIONS', ['GET', 'PUT', 'DELETE']],
    ['/healthz/live', 'GET, OPTIONS', ['POST', 'PUT', 'DELETE']],
    ['/metrics', 'GET, OPTIONS', ['POST']],
  ])('is 405 for %s with the methods there are: %s', async (path, allow, methods) => {
    const { url } = start();
    const options = await fetch(url + path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, allow, '']);
    for (const method of methods) {
      const response = await fetch(url + path, { method });
      expect({ method, status: response.status, allow: response.headers.get('allow') }).toEqual({
        method,
        status: 405,
        allow,
      });
    }
  });

  test('is 404 whatever the Host header says, or does not', async () => {
    const { url } = start();
    for (const head of [
      ['GET /nope HTTP/1.1', 'host: ['],
      ['GET /nope HTTP/1.1', 'host: a b'],
      ['GET /nope HTTP/1.1', 'host:'],
      ['GET /nope HTTP/1.0'],
    ]) {
      const { received, drop } = await rawHttp(url, head);
      await until(() => received().includes('\r\n\r\n'), `an answer to ${head.join(', ')}`);
      expect(received()).toStartWith('HTTP/1.1 404 ');
      drop();
    }
  });
});

describe('health and metrics', () => {
  test('live is 200 as long as there is a process', async () => {
    const { url, health } = start();
    health.now = { ready: false, detail: { buffer: 'full' } };
    expect((await fetch(`${url}/healthz/live`)).status).toBe(200);
  });

  test('ready is 200 while events can be stored, else 503 with the reason', async () => {
    const { url, health } = start();
    const ready = async () => {
      const response = await fetch(`${url}/healthz/ready`);
      return { status: response.status, body: (await response.json()) as unknown };
    };
    expect(await ready()).toEqual({ status: 200, body: { status: 'ready', detail: {} } });
    health.now = { ready: true, detail: { click: 'needs repair' } };
    expect(await ready()).toEqual({ status: 200, body: { status: 'ready', detail: { click: 'needs repair' } } });
    health.now = { ready: false, detail: { buffer: 'full' } };
    expect(await ready()).toEqual({ status: 503, body: { status: 'not ready', detail: { buffer: 'full' } } });
  });

  test('metrics are Prometheus text, brought up to date before they are read', async () => {
    const { url, post } = start({ scrape: async () => metrics.bufferEvents.set(42) });
    await post(text);
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toStartWith('text/plain; version=0.0.4');
    const exposition = await response.text();
    expect(exposition).toContain('\nugc_buffer_events 42\n');
    expect(exposition).toMatch(/\nugc_events_received_total\{event_type="click",outcome="accepted"\} \d+\n/);
    expect(exposition).toMatch(/\nugc_http_request_seconds_count\{route="\/v1\/events",status="200"\} \d+\n/);
    expect(exposition).toContain('\nprocess_cpu_seconds_total ');
  });

  test('have a port of their own when told to, and only there', async () => {
    const { url, server, post } = start({ adminPort: 0 });
    expect(server.adminPort).not.toBe(server.port);
    const admin = `http://127.0.0.1:${server.adminPort}`;
    for (const path of ['/healthz/live', '/healthz/ready', '/metrics']) {
      expect((await fetch(admin + path)).status).toBe(200);
      expect((await fetch(url + path)).status).toBe(404);
    }
    const astray = await fetch(`${admin}/v1/events`, { method: 'POST', body: text });
    expect([astray.status, ((await astray.json()) as { detail: string }).detail]).toEqual([
      404,
      `no route /v1/events; this is the port for health and metrics, events go to POST /v1/events on port ${server.port}`,
    ]);
    expect((await post(text)).status).toBe(200);
  });

  test('are there without events where the role takes none', async () => {
    const { url } = start({ accept: null });
    expect((await fetch(`${url}/healthz/ready`)).status).toBe(200);
    for (const path of ['/v1/events', '/v1/events/click', '/nope']) {
      const response = await fetch(url + path, { method: 'POST', body: text });
      expect(response.status).toBe(404);
      const { detail } = (await response.json()) as { detail: string };
      expect(detail).toContain('this process takes no events: it has no ingest role (UGC_ROLE)');
      expect(detail).not.toContain('events go to');
    }
  });
});

test('every request has one line in the log: route, status, bytes and address, never the client’s path', async () => {
  const { post, url, logs } = start();
  await post(text);
  await post(text, {}, '/v1/events/page_view');
  await fetch(`${url}/some"where`);
  await fetch(`${url}/v1/events`, { method: 'PROPFIND' });
  expect(logs.lines.map(({ durationMs: _, ...line }) => line)).toEqual([
    { method: 'POST', route: '/v1/events', status: 200, bytes: text.length, address: '127.0.0.1' },
    { method: 'POST', route: '/v1/events/:event_type', status: 422, bytes: text.length, address: '127.0.0.1' },
    { method: 'GET', route: 'none', status: 404, bytes: 0, address: '127.0.0.1' },
    { method: 'OTHER', route: 'none', status: 405, bytes: 0, address: '127.0.0.1' },
  ]);
});

test('of an address the log has as much as is wanted', async () => {
  const kept: readonly [AddressPolicy, string][] = [
    ['keep', '127.0.0.1'],
    ['truncate', '127.0.0.0'],
    ['drop', ''],
  ];
  for (const [policy, address] of kept) {
    const { post, logs } = start({ keptAddress: keptOf(policy) });
    await post(text);
    expect(logs.lines).toMatchObject([{ address }]);
  }
});

test.each(['::', '0.0.0.0'])('an IPv4 client has one address whatever is listened on: %s', async host => {
  const { server, log, logs } = start({ host });
  await fetch(`http://127.0.0.1:${server.port}/v1/events`, { method: 'POST', body: text });
  expect(JSON.parse(log.published[0]!.body)).toMatchObject({ ip: '127.0.0.1' });
  expect(logs.lines[0]).toMatchObject({ address: '127.0.0.1' });
});

describe('a server that stops', () => {
  test('answers what is in flight first', async () => {
    const { post, log, server } = start();
    const release = log.hold();
    const answering = post(text);
    await until(() => log.waiting() === 1, 'the request waits for the log');
    let isStopped = false;
    const stopping = server.stop().then(() => {
      isStopped = true;
    });
    await Bun.sleep(0);
    expect(isStopped).toBe(false);
    release();
    expect((await answering).status).toBe(200);
    await soon(stopping, 'the server to stop');
    expect(log.published).toHaveLength(1);
  });

  test('does not wait for connections that are idle, nor for ever for bodies that stall', async () => {
    const { url, server } = start();
    const idle = await raw(url, 'POST /v1/events HTTP/1.1', text);
    await until(() => idle.received().includes('"accepted"'), 'the connection is idle');
    const stalled = await rawHttp(url, ['POST /v1/events HTTP/1.1', 'host: test', 'content-length: 100'], '{');
    await soon(server.stop(), 'the server to stop');
    idle.drop();
    stalled.drop();
  });

  test('answers what a busy connection asked before, and neither takes nor stores what it asks after', async () => {
    const { url, server, log, logs } = start();
    const release = log.hold();
    const busy = await raw(url, 'POST /v1/events HTTP/1.1', text);
    await until(() => log.waiting() === 1, 'the first request waits for the log');
    const stopping = server.stop();
    busy.send(`POST /v1/events HTTP/1.1\r\nhost: test\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
    release();
    await soon(busy.closed, 'the connection to close');
    await soon(stopping, 'the server to stop');
    expect(busy.received().match(/HTTP\/1\.1 200 /g)).toHaveLength(1);
    expect(logs.lines).toHaveLength(1);
    expect(log.published).toHaveLength(1);
  });

  test('may be stopped twice', async () => {
    const { server } = start();
    await soon(Promise.all([server.stop(), server.stop()]), 'both stops');
    await soon(server.stop(), 'a third');
  });
});

test('a port that is taken is an error, not half of somebody else’s traffic', () => {
  const { server } = start();
  expect(() => start({ port: server.port })).toThrow();
});

test('a server that was stopped leaves nothing that keeps a process alive', async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '../../support/serves-and-ends.ts')], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  expect(await soon(child.exited, 'the process to end by itself').finally(() => child.kill())).toBe(0);
  expect(await new Response(child.stdout).text()).toBe('200 200 413 cut\n');
});
