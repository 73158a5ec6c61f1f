// Who may ask the console, over requests as they come from browsers, proxies and other pages.

import { describe, expect, test } from 'bun:test';
import { type Asks, consoleRoutes, wholeIn } from '../../../src/console/routes.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { Answer } from '../../../src/http/answer.ts';
import { arrivalOf } from '../../../src/http/arrival.ts';
import { heldOf } from '../../../src/http/held.ts';
import { paceOf } from '../../../src/http/pace.ts';
import { anybody, type Route } from '../../../src/http/route.ts';

const asks: Asks = {
  gets: {
    '/told': ({ query }) => ({ hours: wholeIn(query, 'hours', [1, 24, 720]) }),
    '/failing': () => {
      throw new PipelineError('sink_halted', 'set UGC_CLICKHOUSE_URL');
    },
  },
  posts: { '/asked': ({ body }) => ({ body }) },
  acts: { '/done': async () => ({ done: 1 }) },
};

interface Sent {
  readonly path?: string;
  readonly query?: string;
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isOpen?: boolean;
}

const local = { host: 'localhost:8080' };
const posted = { ...local, 'content-type': 'application/json' };

async function answerTo({
  path = '/told',
  query = '',
  address = '127.0.0.1',
  headers = local,
  body,
  isOpen = true,
}: Sent): Promise<Answer> {
  const routes = consoleRoutes(asks, { isOpen });
  const route = routes.find(one => one.path === `/v1/console${path}`) as Route;
  const request = new Request(`http://localhost:8080${route.path}${query}`, {
    method: route.method,
    headers,
    ...(body !== undefined && { body }),
  });
  const arrival = arrivalOf(request, heldOf(1_000_000, paceOf()));
  return route.handler({ request, params: {}, arrival, address, caller: anybody });
}

const statusOf = async (sent: Sent): Promise<number> => (await answerTo(sent)).status;

test('with keys every route needs the scope admin, and where one stands in no list of addresses', () => {
  expect(consoleRoutes(asks, { isOpen: false }).map(({ method, path, needs }) => [method, path, needs])).toEqual([
    ['GET', '/v1/console/told', 'admin'],
    ['GET', '/v1/console/failing', 'admin'],
    ['POST', '/v1/console/asked', 'admin'],
    ['POST', '/v1/console/done', 'admin'],
  ]);
  expect(consoleRoutes(asks, { isOpen: true }).some(({ needs }) => needs !== undefined)).toBe(false);
});

describe('where nobody is asked for a key', () => {
  const there: readonly (readonly [string, Sent])[] = [
    ['curl', {}],
    ['by address', { headers: { host: '127.0.0.1:8080' } }],
    ['by the address of six', { address: '::1', headers: { host: '[::1]:8080' } }],
    ['an address of four in six', { address: '::ffff:127.0.0.1' }],
    [
      'a page of this server',
      { headers: { ...local, 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8080' } },
    ],
    ['somebody who types the address', { headers: { ...local, 'sec-fetch-site': 'none' } }],
    ['an older browser’s page of this server', { headers: { ...local, origin: 'http://localhost:8080' } }],
  ];
  for (const [who, sent] of there)
    test(`it is for this machine: ${who}`, async () => {
      expect(await statusOf(sent)).toBe(200);
    });

  const elsewhere: readonly (readonly [string, Sent])[] = [
    ['another machine', { address: '192.0.2.1' }],
    ['another machine of six', { address: '2001:db8::1' }],
    ['a name that was made to lead here', { headers: { host: 'evil.example:8080' } }],
    ['a name that begins like this one', { headers: { host: 'localhost.evil.example' } }],
    ['an address that begins like this one', { headers: { host: '127.0.0.1.evil.example' } }],
    ['no name', { headers: {} }],
    ['a proxy', { headers: { ...local, 'x-forwarded-for': '127.0.0.1' } }],
    ['a proxy of the standard', { headers: { ...local, forwarded: 'for=127.0.0.1' } }],
  ];
  for (const [who, sent] of elsewhere)
    test(`and not for ${who}, who is told what to do`, async () => {
      const { status, body } = await answerTo(sent);
      expect(status).toBe(403);
      expect(JSON.parse(body).detail).toContain('UGC_AUTH=keys');
    });

  test('nothing is changed', async () => {
    expect(await statusOf({ path: '/done', headers: posted, body: '{}' })).toBe(403);
    expect(await statusOf({ path: '/done', headers: posted, body: '{}', isOpen: false })).toBe(200);
  });
});

test('a page of another origin asks nothing, whatever it shows', async () => {
  const pages: readonly Readonly<Record<string, string>>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8080' },
    { origin: 'http://localhost:9090' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ];
  for (const isOpen of [true, false])
    for (const page of pages)
      for (const path of ['/told', '/asked', '/done'])
        expect({
          page,
          path,
          status: await statusOf({
            path,
            isOpen,
            headers: { ...posted, ...page },
            ...(path !== '/told' && { body: '{}' }),
          }),
        }).toEqual({ page, path, status: 403 });
});

test('a body is JSON, says so, and is an object', async () => {
  const ask = (body: string, type: string | null = 'application/json') =>
    statusOf({ path: '/asked', body, headers: { ...local, ...(type !== null && { 'content-type': type }) } });
  expect(await ask('{}', 'application/json; charset=utf-8')).toBe(200);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp'])
    expect({ type, status: await ask('{}', type) }).toEqual({ type, status: 415 });
  for (const body of ['', '[]', 'null', '1', '"a"', '{', `${'['.repeat(100_000)}`])
    expect({ body: body.slice(0, 9), status: await ask(body) }).toEqual({ body: body.slice(0, 9), status: 400 });
  expect(await ask(JSON.stringify({ sql: 'x'.repeat(300_000) }))).toBe(413);
});

test('numbers of a query have bounds, and what fails at the tables is told as what was asked', async () => {
  expect(JSON.parse((await answerTo({})).body)).toEqual({ hours: 24 });
  expect(JSON.parse((await answerTo({ query: '?hours=720' })).body)).toEqual({ hours: 720 });
  for (const hours of ['0', '721', '-1', '1.5', '1e2', 'NaN', '99999999999', '%00'])
    expect({ hours, status: await statusOf({ query: `?hours=${hours}` }) }).toEqual({ hours, status: 400 });
  const { status, headers, body } = await answerTo({ path: '/failing' });
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    body: { type: 'urn:ugc:problem:lookup-failed', detail: 'set UGC_CLICKHOUSE_URL' },
  });
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});
