// The document says what is: every route the server has, every problem it answers, every type of the catalogue. That its
// examples are accepted as they are is shown here on the judge, and on the binary in test/e2e/openapi.test.ts.

import { afterAll, expect, test } from 'bun:test';
import { catalogue } from '../../../schemas/catalogue.ts';
import { errorTable } from '../../../src/errors.ts';
import type { ApiPart, Guard, OpenApi } from '../../../src/http/openapi.ts';
import { documentOf } from '../../../src/http/openapi.ts';
import { eventsApiOf } from '../../../src/ingest/openapi.ts';
import { judgeOptions, testApi } from '../../support/edge.ts';
import { startEdgeServer } from '../../support/edge-server.ts';

const started = [startEdgeServer(), startEdgeServer({ accept: null }), startEdgeServer({ adminPort: 0 })];
const [whole, withoutEvents, apart] = started as [(typeof started)[0], (typeof started)[0], (typeof started)[0]];
afterAll(() => Promise.all(started.map(server => server.stop())));

const documentAt = async (port: number): Promise<OpenApi> =>
  (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json() as Promise<OpenApi>;

/** Every value under any of the keys, wherever it stands. */
function under(key: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...under(key, inner)]);
}

test('every route of the server is in the document, and every operation of the document is a route', async () => {
  const { paths } = await documentAt(whole.port);
  const told = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
  );
  // One route for all types, one path for each; the files of the page are part of the page.
  const served = whole.routes
    .filter(route => route !== 'GET /' && !route.startsWith('GET /apidocs/'))
    .flatMap(route =>
      route.endsWith('/:event_type')
        ? catalogue.types.map(({ name }) => route.replace(':event_type', name))
        : [route.replace(/:([a-z_]+)/g, '{$1}')],
    );
  expect(told.toSorted()).toEqual(served.toSorted());
});

test('a port tells of its own routes alone', async () => {
  expect(Object.keys((await documentAt(withoutEvents.port)).paths)).toEqual([
    '/healthz/live',
    '/healthz/ready',
    '/metrics',
    '/openapi.json',
    '/apidocs',
  ]);
  expect(Object.keys((await documentAt(apart.adminPort)).paths)).toContain('/metrics');
  const main = Object.keys((await documentAt(apart.port)).paths);
  expect([main.includes('/metrics'), main.includes('/v1/events')]).toEqual([false, true]);
});

test('what need not be said is told as it is set', () => {
  const told = (more: object): string => String(eventsApiOf({ ...limits, ...more }).description);
  const limits = { ...judgeOptions, bodyBytesMax: 1, bodyDecompressedBytesMax: 1, bodyEventsMax: 1 };
  const both =
    'Events that do not say `country` or `device` get it from their client, unless it sends with a secret key.';
  expect(told({ userAgentParse: true, geoipPath: 'x.mmdb' })).toEndWith(` ${both}`);
  expect(told({ userAgentParse: true })).toContain('do not say `device` get');
  expect(told({ userAgentParse: false, geoipPath: '' })).toBe(told({}));
  expect(told({})).not.toContain('from their client');
});

test('every reference leads somewhere, and no name is used for two things', async () => {
  const testApi = await documentAt(whole.port);
  const schemas = new Set(Object.keys(testApi.components.schemas!));
  const responses = new Set(Object.keys(testApi.components.responses!));
  const refs = under('$ref', testApi) as string[];
  expect(refs.length).toBeGreaterThan(100);
  const broken = refs.filter(ref => {
    const [, , sort, name] = ref.split('/');
    return !(sort === 'schemas' ? schemas : responses).has(name!);
  });
  expect(broken).toEqual([]);
  const ids = under('operationId', testApi.paths);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { name, fields } of catalogue.types) {
    const schema = testApi.components.schemas![name] as { properties: object; title: string };
    expect(schema.title).toBe(name);
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(fields)));
  }
});

test('every problem of the table that can reach a client is in it, with its status and title', async () => {
  const testApi = await documentAt(whole.port);
  const told = new Map(
    Object.values(testApi.components.responses!).flatMap(response =>
      (under('value', response) as { type: string; title: string; status: number }[]).map(value => [value.type, value]),
    ),
  );
  for (const code of [
    'not_json',
    'invalid',
    'too_large',
    'body_timeout',
    'buffer_full',
    'shutting_down',
    'internal',
  ] as const) {
    const type = `urn:ugc:problem:${code.replaceAll('_', '-')}`;
    expect(told.get(type)).toEqual({ type, title: errorTable[code].title, status: errorTable[code].status });
  }
  expect([...told.keys()].filter(type => /sink|config|schema-incompatible/.test(type))).toEqual([]);
});

test('what the settings allow is what it says', () => {
  const dropping = eventsApiOf({
    ...judgeOptions,
    unknownFields: 'drop',
    bodyBytesMax: 1,
    bodyDecompressedBytesMax: 1,
    bodyEventsMax: 7,
  });
  const additional = (api: ApiPart) => (api.schemas!.click as { additionalProperties: boolean }).additionalProperties;
  expect([additional(testApi), additional(dropping)]).toEqual([false, true]);
  expect(dropping.description).toContain('up to 7 events');
});

test('the text of a 64-bit integer is every one of them and none beyond', () => {
  const { anyOf } = testApi.schemas!.Integer64 as { anyOf: { pattern?: string }[] };
  const pattern = new RegExp(anyOf[1]!.pattern!);
  const most = 2n ** 63n - 1n;
  const good = [
    0n,
    1n,
    -1n,
    most,
    -most - 1n,
    10n ** 18n,
    999_999_999_999_999_999n,
    most - 7n,
    922_337_203_685_477_581n,
  ];
  for (let step = 1n; step < 10n ** 18n; step *= 10n) good.push(most - step, -most + step);
  for (const value of good) expect([value, pattern.test(String(value))]).toEqual([value, true]);
  const bad = [
    `${most + 1n}`,
    `${-most - 2n}`,
    '00',
    '-0',
    '1e3',
    '+1',
    '',
    '9999999999999999999',
    '10000000000000000000',
  ];
  for (let step = 1n; step < 10n ** 18n; step *= 10n) bad.push(`${most + step}`, `${-most - 1n - step}`);
  for (const text of bad) expect([text, pattern.test(text)]).toEqual([text, false]);
});

test('a document for nothing is one of nothing', () => {
  const { paths, tags } = documentOf({ version: '0.0.0', parts: [testApi], routes: [] });
  expect([paths, tags]).toEqual([{}, []]);
});

test('every example of the document that is served happens now, in whatever form it is', async () => {
  const document = await documentAt(whole.port);
  const text = JSON.stringify(document);
  const times = [...text.matchAll(/timestamp\\?":\\?"([^"\\]+)/g)].map(([, time]) => Date.parse(time!));
  expect(times.length).toBeGreaterThan(catalogue.types.length * 7);
  const oldestMs = Math.min(...times);
  expect(Date.now() - oldestMs).toBeLessThan(60_000);
  expect(text).not.toContain('2024-10-03T14:30:00Z"}');
});

test('the first example of a refusal is of one event, as it is answered; those of several come after', async () => {
  const { paths } = await documentAt(whole.port);
  for (const [path, { post }] of Object.entries(paths)) {
    if (post === undefined) continue;
    expect(post.description).toMatch(/[Ss]ending.* stores for good/);
    if (!path.startsWith('/v1/events')) continue;
    expect(post.description).toContain('stores for good');
    const { content } = post.responses[422] as { content: Record<string, { examples: Record<string, unknown> }> };
    const [[type, { examples }]] = Object.entries(content) as [[string, { examples: Record<string, unknown> }]];
    const [first] = Object.values(examples) as [{ value: object }];
    expect({ path, type, value: first.value }).toMatchObject({
      type: 'application/problem+json',
      value: { type: 'urn:ugc:problem:invalid', status: 422, reason: 'invalid', errors: [{ path: '/device' }] },
    });
  }
  const { post } = paths['/v1/events/click']!;
  const response = await fetch(`http://127.0.0.1:${whole.port}/v1/events/click`, {
    method: 'POST',
    body: JSON.stringify({ ...catalogue.find('click')!.example, timestamp: Date.now(), device: undefined }),
  });
  const { content } = post!.responses[422] as {
    content: Record<string, { examples: Record<string, { value: object }> }>;
  };
  expect(await response.json()).toEqual(content['application/problem+json']!.examples.example_1!.value);
});

test('what a route has to be shown is what the door lets in by', () => {
  const routes = [
    {
      method: 'POST',
      path: '/v1/events',
      needs: 'events:write',
      handler: () => ({ status: 200, headers: {}, body: '' }),
    },
  ] as const;
  const shownTo = (...guards: Guard[]) => {
    const { components, paths } = documentOf({ version: '0.0.0', parts: [testApi], routes, guards });
    return { schemes: components.securitySchemes, security: paths['/v1/events']!.post!.security };
  };
  expect(shownTo()).toEqual({ schemes: undefined, security: undefined });
  expect(shownTo('jwt')).toEqual({
    schemes: { token: expect.objectContaining({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }) },
    security: [{ token: [] }],
  });
  const { schemes, security } = shownTo('keys', 'jwt');
  expect(Object.keys(schemes!)).toEqual(['bearer', 'header', 'basic', 'query', 'token']);
  expect(security).toEqual(Object.keys(schemes!).map(name => ({ [name]: [] })));
});
