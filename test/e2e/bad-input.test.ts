// Every sort of bad input against the compiled binary: its documented answer, the process healthy, nothing wrong stored.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { exampleClick as click } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { rawHttp } from '../support/raw-http.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

type BodyInit = string | Uint8Array | ReadableStream;

let ugc: Ugc;
let good = 0;

const clickText = JSON.stringify(click);
const withField = (name: string, json: string): string => clickText.replace(/\}$/, `,"${name}":${json}}`);
const withValue = (name: string, value: unknown): string => JSON.stringify({ ...click, [name]: value });

beforeAll(async () => {
  ugc = await startUgc({ dataDir: temporaryFolder() });
});
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly accepted?: number;
  readonly rejected?: number;
  readonly results?: readonly { readonly outcome: string; readonly reason?: string }[];
}

async function send(body: BodyInit, headers: Record<string, string> = {}, path = '/v1/events') {
  const response = await fetch(ugc.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, headers: response.headers, answer: (await response.json()) as Problem };
}

const expectProblem = async (status: number, body: BodyInit, headers?: Record<string, string>) => {
  const got = await send(body, headers);
  expect({ status: got.status, type: got.headers.get('content-type') }).toEqual({
    status,
    type: 'application/problem+json',
  });
  expect(got.answer.status).toBe(status);
  expect(got.answer.type).toStartWith('urn:ugc:problem:');
  return got.answer;
};

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const deepObject = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

test('a body that is no JSON is 400 and says where', async () => {
  for (const body of [
    '',
    '   ',
    '{',
    '{"event_type":"click",}',
    '[1,2,]',
    'nul',
    '{"a":NaN}',
    "{'a':1}",
    '{"a":01}',
    `${clickText}x`,
    '['.repeat(1_000_000),
  ])
    await expectProblem(400, body);
  const trailing = '{\n  "event": {\n    "event_type": "page_view",\n  }\n}';
  expect((await expectProblem(400, trailing)).detail).toContain('line 4');
});

test('JSON that is no event is 422', async () => {
  for (const body of [
    'null',
    '1',
    '"click"',
    'true',
    '{}',
    '[]',
    '{"events":[]}',
    '{"events":{}}',
    '{"event":null}',
    '{"event":[]}',
  ])
    expect((await send(body)).status).toBe(422);
  for (const body of ['[null]', '[[]]', deep(500), '[1,"a",{}]']) {
    const { status, answer } = await send(body);
    expect(status).toBe(422);
    expect(answer.accepted).toBe(0);
  }
});

test('nesting beyond the limit is 422, absurd nesting 400', async () => {
  for (const text of [
    deep(1_000_000),
    withField('properties', deepObject(150_000)),
    withField('properties', deep(900_000)),
  ])
    expect((await expectProblem(400, text)).detail).toContain('nested deeper than 1000');
  for (const levels of [17, 1_000, 5_000]) {
    const answer = await expectProblem(422, withField('properties', deepObject(levels)));
    expect(answer.errors?.[0]?.path).toMatch(/^\/properties(\/\w+){15}$/);
  }
});

test('a body too large is 413 before it is read, announced or not, compressed or not', async () => {
  await expectProblem(413, 'x'.repeat(3_000_000));
  const announced = await rawHttp(
    ugc.url,
    ['POST /v1/events HTTP/1.1', 'Host: localhost', 'Content-Length: 104857600'],
    '{',
  );
  await eventually(() => announced.received().includes('413'), { what: '413' });
  announced.drop();
  const unannounced = new ReadableStream({
    pull: controller => controller.enqueue(new Uint8Array(65_536).fill(32)),
  });
  expect((await send(unannounced)).status).toBe(413);
  const bomb = Buffer.alloc(50_000_000, ' ');
  for (const [encoding, body] of [
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb, { params: { 1: 1 } })],
    ['zstd', zstdCompressSync(bomb)],
  ] as const)
    await expectProblem(413, body, { 'content-encoding': encoding });
});

test('a hundred megabytes sent to the end is 413 and takes no memory', async () => {
  const before = await residentBytes(ugc.pid);
  // What is thrown away is collected now and then: what is kept would be four times as much.
  for (let count = 0; count < 4; count++) expect((await send(new Uint8Array(100_000_000).fill(32))).status).toBe(413);
  expect((await residentBytes(ugc.pid)) - before).toBeLessThan(150_000_000);
});

test('more events than allowed in one body is 413', async () => {
  await expectProblem(413, `[${'1,'.repeat(5_000)}1]`);
  await expectProblem(413, '1\n'.repeat(5_001), { 'content-type': 'application/x-ndjson' });
});

test('an event larger than allowed is 413 alone and rejected in company', async () => {
  await expectProblem(413, withValue('properties', { text: 'x'.repeat(70_000) }));
  const { status, answer } = await send(`[${withValue('properties', { text: 'é'.repeat(40_000) })},${clickText}]`);
  good++;
  expect({ status, accepted: answer.accepted, reason: answer.results?.[0]?.reason }).toEqual({
    status: 207,
    accepted: 1,
    reason: 'too_large',
  });
});

test('compressed bodies that are cut, wrong or of an unknown kind are refused', async () => {
  for (const [encoding, body] of [
    ['gzip', gzipSync(clickText)],
    ['deflate', deflateSync(clickText)],
    ['br', brotliCompressSync(clickText)],
    ['zstd', zstdCompressSync(clickText)],
  ] as const) {
    await expectProblem(400, body.subarray(0, body.length - 3), { 'content-encoding': encoding });
    await expectProblem(400, 'no such thing', { 'content-encoding': encoding });
    const { status } = await send(body, { 'content-encoding': encoding });
    good++;
    expect({ encoding, status }).toEqual({ encoding, status: 200 });
  }
  await expectProblem(415, clickText, { 'content-encoding': 'compress' });
  await expectProblem(415, clickText, { 'content-encoding': 'gzip, gzip' });
});

test('content types that are not understood are 415', async () => {
  await expectProblem(415, clickText, { 'content-type': 'application/xml' });
  await expectProblem(415, clickText, { 'content-type': 'application/json; charset=utf-16' });
});

test('text that is not valid Unicode is refused', async () => {
  await expectProblem(400, Buffer.concat([Buffer.from(clickText.slice(0, -1)), Buffer.from([0x2c, 0xff, 0xfe, 0x7d])]));
  const lone = await expectProblem(422, clickText.replace('"play"', '"\\ud800"'));
  expect(lone.errors?.[0]?.path).toBe('/element');
  await expectProblem(422, withField('properties', '{"\\udfff":1}'));
  await expectProblem(422, withField('properties', '{"a":["\\ud83d"]}'));
});

test('numbers that are none, or out of range, are 422', async () => {
  const quality = {
    ...click,
    element: undefined,
    page_url: undefined,
    event_type: 'quality_change',
    video_id: 'v',
    from_quality: 'a',
    to_quality: 'b',
  };
  const text = JSON.stringify(quality).slice(0, -1);
  for (const value of ['1e400', '-1', '1.5', '4294967296', '"12"', 'true', 'null', '[]', '9007199254740993'])
    expect((await expectProblem(422, `${text},"current_time":${value}}`)).errors?.[0]?.path).toBe('/current_time');
  for (const value of ['36e2', '3600.0', '-0', '4294967295']) {
    expect((await send(`${text},"current_time":${value}}`)).status).toBe(200);
  }
  await expectProblem(422, withField('properties', '{"a":1e400}'));
});

test('a wrong type of each field is 422 and names the field', async () => {
  for (const name of [
    'user_id',
    'anonymous_id',
    'country',
    'device',
    'element',
    'page_url',
    'properties',
    'event_type',
    'event_id',
    'timestamp',
    'sent_at',
  ])
    for (const value of [5.5e300, true, ['a'], name === 'properties' ? 'text' : { a: 1 }]) {
      const answer = await expectProblem(422, withValue(name, value));
      expect(answer.errors?.map(error => error.path)).toContain(`/${name}`);
    }
  for (const name of ['country', 'device', 'element', 'page_url', 'event_type', 'timestamp']) {
    const { [name]: _, ...rest } = click as Record<string, unknown>;
    const answer = await expectProblem(422, JSON.stringify(rest));
    expect(answer.errors?.map(error => error.path)).toContain(`/${name}`);
  }
});

test('an unknown event type suggests the nearest, an unknown field is named', async () => {
  expect((await expectProblem(422, withValue('event_type', 'clik'))).detail).toContain('did you mean click?');
  expect((await expectProblem(422, withValue('__proto__x', 1))).errors?.[0]?.path).toBe('/__proto__x');
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    expect((await expectProblem(422, withField(name, '{"isAdmin":true}'))).errors?.[0]?.path).toBe(`/${name}`);
});

test('of a key given twice the last counts, as in JSON.parse', async () => {
  const id = Bun.randomUUIDv7();
  const { status } = await send(
    withField('event_id', `"${id}"`).replace('"element":"play"', '"element":"first","element":"last"'),
  );
  expect(status).toBe(200);
  await drained(ugc);
  expect(await ugc.query(`SELECT element FROM ugc.click WHERE event_id = '${id}'`)).toEqual([{ element: 'last' }]);
});

test('timestamps of every wrong sort are 422', async () => {
  const wrong = [
    '',
    'yesterday',
    '2026-10-03',
    '2026-10-03T14:30:00',
    '2026-10-03 14:30:00Z',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-10-03T24:00:00Z',
    '2026-10-03T14:60:00Z',
    '2026-10-03T14:30:61Z',
    '20261003T143000Z',
    '+012026-10-03T14:30:00Z',
    '2026-10-03T14:30:00+25:00',
    '２026-10-03T14:30:00Z',
    1e20,
    -1e20,
    0,
    1759501800,
    null,
    '1759501800000',
    '1999-01-01T00:00:00Z',
    new Date(Date.now() + 25 * 3_600_000).toISOString(),
    `${'9'.repeat(60_000)}`,
  ];
  for (const timestamp of wrong)
    expect((await expectProblem(422, withValue('timestamp', timestamp))).errors?.map(error => error.path)).toContain(
      '/timestamp',
    );
});

test('ids that are none, or everybody’s, are 422', async () => {
  for (const id of [
    '',
    'x',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '956939f6-7a98-4bf1-9949-500e5dd20fa',
  ])
    expect((await expectProblem(422, withValue('event_id', id))).errors?.[0]?.path).toBe('/event_id');
});

test('a body that stalls is 408, one that is dropped harms nobody', async () => {
  const head = ['POST /v1/events HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  // Of its own: on a busy machine a good body may come this slowly, too.
  const hasty = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', '--body-timeout-ms=300'] });
  for (const length of ['Content-Length: 400', 'Content-Length: 400000', 'Transfer-Encoding: chunked']) {
    const stalled = await rawHttp(hasty.url, [...head, length], length.startsWith('T') ? '5\r\n{"eve\r\n' : '{"eve');
    await eventually(() => stalled.received().includes('urn:ugc:problem:body-timeout'), {
      what: `408 after ${length}`,
    });
    expect(stalled.received()).toStartWith('HTTP/1.1 408 ');
    stalled.drop();
    const dropped = await rawHttp(hasty.url, [...head, length], '{"eve');
    dropped.drop();
  }
  expect(await hasty.stop()).toBe(0);
});

test('routes and methods that are not there say what is', async () => {
  expect((await fetch(`${ugc.url}/v1/evnts`, { method: 'POST' })).status).toBe(404);
  const wrong = await fetch(`${ugc.url}/v1/events`);
  expect({ status: wrong.status, allow: wrong.headers.get('allow') }).toEqual({ status: 405, allow: 'POST, OPTIONS' });
  expect((await send(clickText, {}, '/v1/events/page_view')).status).toBe(422);
  expect((await send(clickText, {}, '/v1/events/nothing')).status).toBe(422);
});

test('after all of it the process is well and holds exactly the good events', async () => {
  expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
  const { status } = await send(clickText);
  good++;
  expect(status).toBe(200);
  await drained(ugc);
  // 1 duplicate-key event and 4 spellings of whole numbers beside the counted ones
  expect(await ugc.query('SELECT count() AS n FROM ugc.events')).toEqual([{ n: good + 1 + 4 }]);
  expect(await ugc.query('SELECT count() AS n FROM ugc.dead_letters')).toEqual([{ n: 0 }]);
  expect(ugc.output()).not.toContain('nobody foresaw');
});

async function residentBytes(pid: number): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
