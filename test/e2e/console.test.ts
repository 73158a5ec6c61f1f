// The console on the compiled binary, its server's side: the page and what it loads, what it may ask and who may, what is
// done to dead letters through it, and what a query cannot do.

import { afterAll, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type {
  ConsoleAggregates,
  ConsoleDead,
  ConsoleRejections,
  ConsoleTypes,
  DeadActed,
  EventStory,
  Overview,
  QueryAnswer,
} from '../../src/console/answers.ts';
import { readInstance } from '../../src/process/instance.ts';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { exampleClick } from '../support/events.ts';
import { readStream } from '../support/stream-reader.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const servers: ClickhouseServer[] = [];
afterAll(async () => {
  cleanUp();
  await Promise.all(servers.map(server => server.remove()));
});

const hostile = `"><script>alert(1)</script>\u2028${'́'.repeat(3)}`;
const click = (more: object = {}) => ({
  ...exampleClick,
  event_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  ...more,
});

function consoleOf(url: string, shown: Readonly<Record<string, string>> = {}) {
  const ask = (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${url}/v1/console${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...shown, ...headers },
    });
  const told = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await ask(path, body);
    const text = await response.text();
    expect({ path, status: response.status, said: response.ok ? '' : text }).toEqual({ path, status: 200, said: '' });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    return JSON.parse(text) as T;
  };
  return { ask, told };
}

const pageOf = (url: string) => fetch(`${url}/`, { headers: { accept: 'text/html,*/*;q=0.8' } });

test('without keys: who is at this machine sees all of it, and changes nothing', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--rejections-seconds=1', '--etl-interval-ms=20'] });
  const { ask, told } = consoleOf(ugc.url);

  const page = await pageOf(ugc.url);
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const html = await page.text();
  expect(html).not.toMatch(/\bstyle=|<style|<script(?![^>]*src=)|\bon\w+=|https?:/);
  const paths = [...html.matchAll(/(?:src|href)="(\/console\/[0-9a-f]{16}\.(?:js|css))"/g)].map(([, path]) => path!);
  expect(paths.map(path => path.split('.')[1])).toEqual(['css', 'js']);
  let bytes = gzipSync(html).length;
  for (const path of paths) {
    const file = await fetch(ugc.url + path);
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(file.headers.get('content-encoding')).toBe('gzip');
    const text = await file.text();
    expect(await (await fetch(ugc.url + path, { headers: { 'accept-encoding': 'identity' } })).text()).toBe(text);
    bytes += gzipSync(text).length;
  }
  expect(bytes).toBeLessThan(60 * 1024);
  expect(await (await fetch(ugc.url)).text()).toStartWith('ugc ');
  expect(await (await fetch(`${ugc.url}/openapi.json`)).text()).not.toContain('/console');

  expect(await told<Overview>('/overview')).toMatchObject({
    auth: 'none',
    may_act: false,
    is_empty: true,
    events_url: `${ugc.url}/v1/events`,
    roles: ['etl', 'ingest'],
  });
  const { flow } = await told<Overview>('/overview');
  expect(Object.fromEntries(flow.map(({ id, state }) => [id, state]))).toEqual({
    in: 'ok',
    log: 'ok',
    buffer: 'absent',
    tables: 'ok',
    archive: 'absent',
    content: 'absent',
  });
  const { types } = await told<ConsoleTypes>('/types');
  for (const { example } of types)
    expect({ example, status: (await ugc.post(example)).status }).toEqual({ example, status: 200 });

  const sent = click({ page_url: hostile, properties: { review: hostile } });
  const never = await told<EventStory>(`/events/${sent.event_id}`);
  expect({ steps: never.steps.map(({ done }) => done), unasked: never.unasked }).toEqual({
    steps: [false, false, false],
    unasked: {},
  });
  await fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    body: JSON.stringify(sent),
    headers: { 'user-agent': '<b>me</b>' },
  });
  const story = await eventually(
    async () => {
      const now = await told<EventStory>(`/events/${sent.event_id}`);
      return now.row === null ? null : now;
    },
    { what: 'its row' },
  );
  expect(story).toMatchObject({
    table: 'ugc.click',
    copies: 1,
    unasked: {},
    row: { page_url: hostile, user_agent: '<b>me</b>' },
  });
  expect(story.steps.map(({ step, done }) => ({ step, done }))).toEqual([
    { step: 'accepted', done: true },
    { step: 'log', done: true },
    { step: 'row', done: true },
  ]);
  expect((await told<Overview>('/overview')).is_empty).toBe(false);
  expect((await ask('/events/not-an-id')).status).toBe(400);

  expect((await ugc.post({ ...click(), element: 5, [hostile]: 1 })).status).toBe(422);
  const { groups } = await eventually(
    async () => {
      const now = await told<ConsoleRejections>('/rejections?hours=1');
      return now.groups.length > 0 ? now : null;
    },
    { what: 'what was rejected' },
  );
  expect(groups[0]).toMatchObject({
    type: 'click',
    reason: 'invalid',
    field: '/element',
    count: 1,
    mend: expect.stringContaining('Send as element text'),
  });
  expect(groups[0]!.example).not.toContain('script');
  for (const query of ['?hours=0', '?hours=721', '?hours=x', '?hours=1e1'])
    expect({ query, status: (await ask(`/rejections${query}`)).status }).toEqual({ query, status: 400 });

  const found = await told<ConsoleAggregates>('/aggregates?days=1');
  expect(Object.keys(found)).toEqual([
    'events_per_minute',
    'film_views_daily',
    'active_users_daily',
    'quality_changes_daily',
  ]);

  const refused: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a name that leads here', { host: 'evil.example' }],
    ['a page of another origin, as browsers say it', { 'sec-fetch-site': 'cross-site' }],
    ['one of another port', { 'sec-fetch-site': 'same-site' }],
    ['one that an older browser names', { origin: 'http://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['through a proxy', { 'x-forwarded-for': '127.0.0.1' }],
    ['through another proxy', { forwarded: 'for=127.0.0.1' }],
  ];
  for (const [who, headers] of refused) {
    const answers = [await ask('/overview', undefined, headers), await ask('/query', { sql: 'SELECT 1' }, headers)];
    expect({ who, statuses: answers.map(({ status }) => status) }).toEqual({ who, statuses: [403, 403] });
  }
  const own = { origin: ugc.url, 'sec-fetch-site': 'same-origin' };
  expect((await ask('/query', { sql: 'SELECT 1' }, own)).status).toBe(200);
  expect((await ask('/query', { sql: 'SELECT 1' }, { 'content-type': 'text/plain' })).status).toBe(415);
  for (const action of ['/dead/replay', '/dead/dismiss'])
    expect((await ask(action, { places: ['a/0/1'] }, own)).status).toBe(403);
  expect((await ask('/dead/replay')).status).toBe(405);
  // The page reads the stream by fetch: without an origin, as a GET of its own has none.
  expect((await readStream(ugc.url, '?kinds=events', { 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  expect(
    (await fetch(`${ugc.url}/v1/stream?kinds=events`, { headers: { 'sec-fetch-site': 'cross-site' } })).status,
  ).toBe(403);
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('a query reads what it may, is cut to what a page can show, and holds nobody up', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--etl-interval-ms=20'] });
  const { ask, told } = consoleOf(ugc.url);
  expect(
    await told<QueryAnswer>('/query', { sql: `SELECT toUInt64(9007199254740993) AS big, '${hostile}' AS words` }),
  ).toMatchObject({
    columns: [
      { name: 'big', type: 'UInt64' },
      { name: 'words', type: 'String' },
    ],
    rows: [['9007199254740993', hostile]],
    cut: false,
  });
  const many = await told<QueryAnswer>('/query', { sql: 'SELECT number FROM system.numbers' });
  expect({ rows: many.rows.length, cut: many.cut }).toEqual({ rows: 10_000, cut: true });
  const wrong = [
    'DROP TABLE ugc.click_rows',
    '/* SELECT */ INSERT INTO ugc.click_rows SELECT * FROM ugc.click_rows',
    'SELECT 1; DROP TABLE ugc.click_rows',
    'SELECT * FROM nowhere',
    'SELECT 1 SETTINGS max_execution_time = 0',
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    `SELECT * FROM url('${ugc.url}/metrics', 'LineAsString')`,
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/b', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
    "SELECT 1 INTO OUTFILE '/tmp/of-the-console'",
    '',
    ' ; ',
    'x'.repeat(70_000),
  ];
  for (const sql of wrong) {
    const response = await ask('/query', { sql });
    const { detail } = (await response.json()) as { detail: string };
    expect({ sql, status: response.status, hasWords: detail.length > 10 }).toEqual({
      sql,
      status: 400,
      hasWords: true,
    });
  }
  for (const body of [[], 'SELECT 1', null, {}, { sql: 1 }, { sql: null }])
    expect((await ask('/query', body)).status).toBe(400);

  const slow = { sql: 'SELECT count() FROM system.numbers' };
  const gone = new AbortController();
  const running = [1, 2].map(() =>
    fetch(`${ugc.url}/v1/console/query`, {
      method: 'POST',
      body: JSON.stringify(slow),
      headers: { 'content-type': 'application/json' },
      signal: gone.signal,
    }).catch(() => null),
  );
  await eventually(async () => (await ask('/query', { sql: 'SELECT 1' })).status === 503, { what: 'two are enough' });
  const sent = click();
  await ugc.post(sent);
  await eventually(async () => (await told<EventStory>(`/events/${sent.event_id}`)).row !== null, {
    what: 'events become rows beside two queries that never end',
  });
  gone.abort();
  await Promise.all(running);
  await eventually(async () => (await ask('/query', { sql: 'SELECT 1' })).status === 200, {
    what: 'those whose reader has gone leave room',
  });
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('with keys: the scope admin is needed, and dead letters are replayed and dismissed', async () => {
  const dataDir = temporaryFolder();
  const add = async (name: string, scopes: string): Promise<string> =>
    (await runUgc(['keys', 'add', name, '--kind=secret', `--scopes=${scopes}`, `--data-dir=${dataDir}`])).stdout.trim();
  const [admin, sender] = [await add('admin', 'admin'), await add('shop', 'events:write')];
  const ugc = await startUgc({ dataDir, flags: ['--auth=keys', '--cors-origins=https://shop.example'] });
  const { ask, told } = consoleOf(ugc.url, { authorization: `Bearer ${admin}` });
  expect((await pageOf(ugc.url)).status).toBe(200);
  for (const [path, body] of [
    ['/overview'],
    ['/types'],
    ['/dead'],
    ['/query', { sql: 'SELECT 1' }],
    ['/dead/replay', { places: ['a/0/1'] }],
  ] as const) {
    expect((await consoleOf(ugc.url).ask(path, body)).status).toBe(401);
    expect((await consoleOf(ugc.url, { authorization: `Bearer ${sender}` }).ask(path, body)).status).toBe(403);
    // Whatever its page shows: it may send events, no more.
    expect((await ask(path, body, { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' })).status).toBe(
      403,
    );
    expect((await ask(path, body, { origin: 'https://shop.example' })).status).toBe(403);
  }
  expect(await told<Overview>('/overview')).toMatchObject({ auth: 'keys', may_act: true });
  // Behind a proxy, too: the key says who it is.
  expect((await ask('/overview', undefined, { 'x-forwarded-for': '192.0.2.1', host: 'ugc.example' })).status).toBe(200);

  const id = crypto.randomUUID();
  const raws = [
    JSON.stringify(click({ event_id: id, element: hostile })),
    '{"event_type":"click"',
    `{"page":"${'x'.repeat(100_000)}`,
  ];
  const { clickhouseKey } = await eventually(() => readInstance(dataDir), { what: 'the instance’s note' });
  const insert = await fetch(ugc.clickhouseUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`ugc:${clickhouseKey}`)}` },
    body: `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ${raws
      .map(
        (raw, at) =>
          `('first', 0, ${at + 40}, 0, 'invalid', '<b>it did not fit</b>', '${raw.replaceAll('\\', '\\\\')}', now64(), now64())`,
      )
      .join(',')}`,
  });
  expect({ ok: insert.ok, said: await insert.text() }).toEqual({ ok: true, said: '' });
  const dead = await told<ConsoleDead>('/dead');
  expect(dead.reasons).toEqual([{ reason: 'invalid', topic: 'first', count: 3 }]);
  expect(dead.letters.map(({ place, bytes }) => [place, bytes.length])).toEqual([
    ['first/0/40', raws[0]!.length],
    ['first/0/41', raws[1]!.length],
    ['first/0/42', 65_536],
  ]);
  expect(dead.letters[0]).toMatchObject({ bytes: raws[0], error: '<b>it did not fit</b>', reason: 'invalid' });
  expect((await told<ConsoleDead>('/dead?topic=second')).letters).toEqual([]);
  expect((await told<ConsoleDead>('/dead?limit=1&reason=invalid')).letters).toHaveLength(1);
  const before = await told<EventStory>(`/events/${id}`);
  expect({ bytes: before.bytes, last: before.steps.at(-1) }).toMatchObject({
    bytes: raws[0],
    last: { step: 'dead_letter', done: true },
  });

  for (const body of [
    {},
    { places: [] },
    { places: 'first/0/40' },
    { places: [1] },
    { places: ['first'] },
    { places: Array(1_001).fill('first/0/40') },
  ]) {
    expect((await ask('/dead/replay', body)).status).toBe(400);
    expect((await ask('/dead/dismiss', body)).status).toBe(400);
  }
  const replayed = await told<DeadActed>('/dead/replay', {
    places: ['first/0/40', 'first/0/40', 'first/0/41', 'none/0/1'],
  });
  expect(replayed).toEqual({ done: 1, left: { 'first/0/41': 'still not_json', 'none/0/1': 'no dead letter' } });
  expect(await told<EventStory>(`/events/${id}`)).toMatchObject({ row: { element: hostile }, copies: 1 });
  const dismissed = await told<DeadActed>('/dead/dismiss', { places: ['first/0/40', 'first/0/41'], why: hostile });
  expect(dismissed).toEqual({ done: 1, left: { 'first/0/40': expect.stringContaining('a row since') } });
  expect((await ask('/dead/dismiss', { places: ['first/0/42'], why: 'x'.repeat(1_001) })).status).toBe(400);
  expect((await told<ConsoleDead>('/dead')).letters.map(({ place }) => place)).toEqual(['first/0/42']);
  expect(await ugc.stop()).toBe(0);
  const deeds = ugc
    .output()
    .split('\n')
    .filter(line => line.includes('"event.action":"dead-'))
    .map(line => JSON.parse(line))
    .map(line => [line['user.name'], line['event.action'], line['event.outcome'], line['event.dataset']]);
  const deed = (action: string, outcome: string) => ['admin', action, outcome, 'ugc.audit'];
  const refused = Array.from({ length: 6 }, () => [deed('dead-replay', 'failure'), deed('dead-dismiss', 'failure')]);
  expect(deeds.toSorted()).toEqual(
    [
      ...refused.flat(),
      deed('dead-replay', 'success'),
      deed('dead-dismiss', 'success'),
      deed('dead-dismiss', 'failure'),
    ].toSorted(),
  );
}, 60_000);

test('is on the port for operators where there is one, nowhere when it is not wanted, and says what it cannot ask', async () => {
  const apart = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', '--admin-port=0'] });
  const adminUrl = String(/"admin":"([^"]+)"/.exec(apart.output())?.[1]);
  expect(await (await pageOf(adminUrl)).text()).toContain('/console/');
  expect(await (await pageOf(apart.url)).text()).not.toContain('/console/');
  expect((await consoleOf(apart.url).ask('/overview')).status).toBe(404);
  const { ask, told } = consoleOf(adminUrl);
  expect(await told<Overview>('/overview')).toMatchObject({
    roles: ['ingest'],
    events_url: `${apart.url}/v1/events`,
    is_empty: false,
  });
  const blind = await ask('/query', { sql: 'SELECT 1' });
  expect({ status: blind.status, body: await blind.json() }).toMatchObject({
    status: 503,
    body: { type: 'urn:ugc:problem:lookup-failed', detail: expect.stringContaining('UGC_CLICKHOUSE_URL') },
  });
  const story = await told<EventStory>(`/events/${crypto.randomUUID()}`);
  expect(story.unasked.clickhouse).toContain('UGC_CLICKHOUSE_URL');
  expect(await apart.stop()).toBe(0);

  const without = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', '--console=false'] });
  expect(await (await pageOf(without.url)).text()).not.toContain('/console/');
  expect((await consoleOf(without.url).ask('/overview')).status).toBe(404);
  expect(await without.stop()).toBe(0);
}, 60_000);

test('asks the tables wherever they are: of another process on the folder, and of a server', async () => {
  const dataDir = temporaryFolder();
  const admin = (
    await runUgc(['keys', 'add', 'admin', '--kind=secret', '--scopes=admin,events:write', `--data-dir=${dataDir}`])
  ).stdout.trim();
  const shown = { authorization: `Bearer ${admin}` };
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest', '--auth=keys'] });
  const { ask, told } = consoleOf(ingest.url, shown);
  expect((await ask('/dead/replay', { places: ['a/0/1'] })).status).toBe(503);
  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  expect(await told<DeadActed>('/dead/dismiss', { places: ['a/0/1'] })).toEqual({
    done: 0,
    left: { 'a/0/1': 'no dead letter' },
  });
  expect(await told<QueryAnswer>('/query', { sql: 'SELECT count() AS n FROM click' })).toMatchObject({ rows: [['0']] });
  expect((await ask('/query', { sql: 'DROP TABLE click_rows' })).status).toBe(400);
  const { flow } = await told<Overview>('/overview');
  expect(flow.find(({ id }) => id === 'tables')?.state).toBe('absent');
  expect((await fetch(`${etl.url}/v1/console/overview`)).status).toBe(404);
  for (const ugc of [ingest, etl]) expect(await ugc.stop()).toBe(0);

  const server = await startClickhouseServer();
  servers.push(server);
  const behind = await startUgc({ dataDir: temporaryFolder(), flags: [`--clickhouse-url=${server.url}`] });
  const there = consoleOf(behind.url);
  await eventually(async () => (await there.ask('/rejections')).status === 200, { what: 'every table is there' });
  expect(await there.told<QueryAnswer>('/query', { sql: 'SELECT count() FROM click' })).toMatchObject({
    rows: [['0']],
  });
  expect((await there.ask('/query', { sql: 'INSERT INTO click_rows SELECT * FROM click_rows' })).status).toBe(400);
  expect(await there.told<ConsoleRejections>('/rejections')).toEqual({ groups: [] });
  await server.kill();
  const away = await there.ask('/query', { sql: 'SELECT 1' });
  expect({ status: away.status, body: await away.json() }).toMatchObject({
    status: 503,
    body: { type: 'urn:ugc:problem:lookup-failed' },
  });
  expect((await there.ask('/overview')).status).toBe(200);
  expect(await behind.stop()).toBe(0);
}, 60_000);
