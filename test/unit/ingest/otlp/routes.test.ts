// POST /v1/logs over a real port: what becomes of records, what their sender is told, and who is let in.

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { admitBy } from '../../../../src/door/admit.ts';
import { byKey } from '../../../../src/door/keys/by-key.ts';
import { hashOf, newKey } from '../../../../src/door/keys/key.ts';
import type { StoredKey } from '../../../../src/door/keys/keys-file.ts';
import { type ErrorCode, errorTable, PipelineError } from '../../../../src/errors.ts';
import { problem } from '../../../../src/http/answer.ts';
import { jsonAnswer } from '../../../../src/ingest/otlp/answer.ts';
import { startEdgeServer } from '../../../support/edge-server.ts';
import { type MemoryLog, memoryLog } from '../../../support/memory-log.ts';
import { type Attribute, logsRequest, type Record_, record } from '../../../support/otlp-logs.ts';

const logs: { current: MemoryLog } = { current: memoryLog() };
const log = {
  publish: (envelopes: Parameters<MemoryLog['publish']>[0]) => logs.current.publish(envelopes),
  close: async () => {},
};
const open = startEdgeServer({ log });
const roomy = startEdgeServer({
  log,
  limits: { bodyBytesMax: 2_000_000, bodyDecompressedBytesMax: 4_000_000 },
  logRecordsMax: 10_000,
});
const good = newKey('secret');
const narrow = newKey('secret');
const keyOf = (key: string, more: Partial<StoredKey>): StoredKey => ({
  id: 'a0000000',
  name: 'collector',
  kind: 'secret',
  sha256: hashOf(key),
  scopes: ['events:write'],
  created_at: '2026-01-01T00:00:00Z',
  ...more,
});
const keys = new Map([
  [good, keyOf(good, {})],
  [narrow, keyOf(narrow, { event_types: ['click'] })],
]);
const guarded = startEdgeServer({
  log,
  admit: admitBy({ byKey: byKey({ find: text => keys.get(text) ?? 'it is not known here' }) }),
});
beforeEach(() => {
  logs.current = memoryLog();
});
afterAll(() => Promise.all([open.stop(), roomy.stop(), guarded.stop()]));

/** What is received twice in one millisecond is published once. */
async function anotherMoment(): Promise<void> {
  for (const before = Date.now(); Date.now() === before; ) await Bun.sleep(1);
}

async function send(body: unknown, { headers = {}, port = open.port } = {}) {
  await anotherMoment();
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: sent as Bun.BodyInit,
  });
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: await response.json(), headers: response.headers };
}
const sendRecords = (...records: readonly unknown[]) => send(logsRequest(records as readonly Record_[]));
const stored = () => logs.current.published.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const ids = () => logs.current.published.map(({ id }) => id);
const success = { status: 200, type: 'application/json', body: {} };

describe('a record', () => {
  test('is an event of the type log, with all that it says', async () => {
    const request = {
      resourceLogs: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'checkout' } },
              { key: 'service.instance.id', value: { stringValue: 'checkout-7d9f' } },
            ],
          },
          schemaUrl: 'https://opentelemetry.io/schemas/1.26.0',
          scopeLogs: [
            {
              scope: { name: 'cache', version: '2.1', attributes: [{ key: 'pool', value: { intValue: '4' } }] },
              logRecords: [
                {
                  timeUnixNano: '1727965800123456789',
                  observedTimeUnixNano: '1727965800124000000',
                  severityNumber: 13,
                  severityText: 'WARN',
                  eventName: 'cache.slow',
                  body: { stringValue: 'the cache\nanswers slowly' },
                  attributes: [{ key: 'cache.key', value: { stringValue: 'basket' } }],
                  droppedAttributesCount: 2,
                  flags: 1,
                  traceId: '5B8EFFF798038103D269B633813FC60C',
                  spanId: 'eee19b7ec3c1b174',
                  ofANewerProtocol: { x: 1 },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(await send(request)).toMatchObject(success);
    expect(stored()).toMatchObject([
      {
        event_type: 'log',
        timestamp: '2024-10-03T14:30:00.123Z',
        severity_number: 13,
        severity_text: 'WARN',
        body: 'the cache\nanswers slowly',
        event_name: 'cache.slow',
        service_name: 'checkout',
        service_instance_id: 'checkout-7d9f',
        scope_name: 'cache',
        scope_version: '2.1',
        trace_id: '5b8efff798038103d269b633813fc60c',
        span_id: 'eee19b7ec3c1b174',
        flags: 1,
        observed_at: '2024-10-03T14:30:00.124Z',
        dropped_attributes_count: 2,
        schema_url: 'https://opentelemetry.io/schemas/1.26.0',
        attributes: { 'cache.key': 'basket' },
        scope_attributes: { pool: 4 },
        resource_attributes: { 'service.name': 'checkout', 'service.instance.id': 'checkout-7d9f' },
        properties: {},
      },
    ]);
    expect(logs.current.published[0]!.body).toContain('"time_unix_nano":1727965800123456789,');
  });

  test.each([
    [{ stringValue: 'as it is' }, 'as it is'],
    [undefined, ''],
    [{}, ''],
    [{ boolValue: false }, 'false'],
    [{ intValue: '9223372036854775807' }, '9223372036854775807'],
    [{ intValue: 7 }, '7'],
    [{ doubleValue: 0.5 }, '0.5'],
    [{ doubleValue: 'NaN' }, 'NaN'],
    [{ bytesValue: 'AAEC' }, 'AAEC'],
    [{ arrayValue: { values: [{ intValue: '1' }, {}, { stringValue: 'b' }] } }, '[1,null,"b"]'],
    [
      { kvlistValue: { values: [{ key: '__proto__', value: { intValue: '9007199254740993' } }] } },
      '{"__proto__":9007199254740993}',
    ],
    [{ arrayValue: {} }, '[]'],
  ])('with the body %j has the text %j', async (body, text) => {
    expect(await sendRecords(record({ body }))).toMatchObject(success);
    expect(stored()[0]!.body).toBe(text);
  });

  test('keeps every digit of its attributes', async () => {
    const attributes: Attribute[] = [
      { key: 'large', value: { intValue: '-9223372036854775808' } },
      { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 1e300 }] } } },
    ];
    expect(await sendRecords(record({ attributes }))).toMatchObject(success);
    expect(logs.current.published[0]!.body).toContain(
      '"attributes":{"large":-9223372036854775808,"list":[true,1e+300]}',
    );
  });

  test('of a trace that is none is of no trace', async () => {
    const wrong = ['', '0'.repeat(32), 'x'.repeat(32), 'abc', 5];
    expect(await sendRecords(...wrong.map((traceId, at) => record({ traceId, spanId: traceId, at })))).toMatchObject(
      success,
    );
    expect(stored().map(({ trace_id: trace, span_id: span }) => [trace, span])).toEqual(wrong.map(() => ['', '']));
  });

  test('happened when it was observed, or now, where it does not say', async () => {
    const before = Date.now();
    const { timeUnixNano: _, ...observed } = record({ observedTimeUnixNano: '1727965800124000000' });
    expect(
      await sendRecords(observed, { body: { stringValue: 'no time' }, timeUnixNano: '0', observedTimeUnixNano: 0 }),
    ).toMatchObject(success);
    const [first, second] = stored();
    expect(first).toMatchObject({ timestamp: '2024-10-03T14:30:00.124Z', time_unix_nano: null });
    expect(second).toMatchObject({ time_unix_nano: null, observed_at: null });
    expect(Date.parse(String(second!.timestamp))).toBeGreaterThanOrEqual(before);
  });
});

describe('which records are one', () => {
  test('those of a batch that is sent again, whole, in parts or in another order', async () => {
    const records = [record({ at: 1 }), record({ at: 2 }), record({ at: 3 })];
    await sendRecords(...records);
    const first = ids();
    expect(new Set(first).size).toBe(3);
    logs.current = memoryLog();
    await sendRecords(records[2]);
    await sendRecords(records[1], records[0]);
    expect(ids()).toEqual([first[2]!, first[1]!, first[0]!]);
  });

  test('of lines that are alike in a batch each is one, the same when it is sent again', async () => {
    const line = record({});
    await sendRecords(line, line, record({ at: 1 }), line);
    const first = ids();
    expect(new Set(first).size).toBe(4);
    logs.current = memoryLog();
    await sendRecords(line, line, record({ at: 1 }), line);
    expect(ids()).toEqual(first);
  });

  test.each([
    { timeUnixNano: '1727965800123456790' },
    { observedTimeUnixNano: '1727965800124000001' },
    { body: { stringValue: 'another' } },
    { severityNumber: 17 },
    { severityText: 'x' },
    { eventName: 'x' },
    { attributes: [{ key: 'a', value: { intValue: '2' } }] },
    { spanId: 'eee19b7ec3c1b175' },
    { traceId: '5b8efff798038103d269b633813fc60d' },
    { flags: 1 },
    { droppedAttributesCount: 1 },
  ])('another is one that says %j', async change => {
    await sendRecords(record({}));
    await sendRecords(record(change));
    expect(new Set(ids()).size).toBe(2);
  });

  test('another is one of another resource or scope', async () => {
    await send(logsRequest([record({})]));
    await send(logsRequest([record({})], { resource: [{ key: 'host.name', value: { stringValue: 'b' } }] }));
    await send(logsRequest([record({})], { scope: { name: 'other' } }));
    expect(new Set(ids()).size).toBe(3);
  });

  test('a line without any time is another one each time', async () => {
    const line = { body: { stringValue: 'tick' } };
    await sendRecords(line, line);
    await sendRecords(line);
    expect(new Set(ids()).size).toBe(3);
  });

  test('log.record.uid says it, whatever else the record says', async () => {
    const of = (uid: string, at: number) =>
      record({ at, attributes: [{ key: 'log.record.uid', value: { stringValue: uid } }] });
    const uuid = '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e';
    await sendRecords(of(uuid, 1));
    await sendRecords(of(uuid.toUpperCase(), 2));
    await sendRecords(of('01ARZ3NDEKTSV4RRFFQ69G5FAV', 3));
    await sendRecords(of('01ARZ3NDEKTSV4RRFFQ69G5FAV', 4));
    await sendRecords(of('01ARZ3NDEKTSV4RRFFQ69G5FAW', 4));
    const [first, second, third, fourth, fifth] = ids();
    expect([first, second]).toEqual([uuid, uuid]);
    expect(fourth).toBe(third!);
    expect(new Set([first, third, fifth]).size).toBe(3);
  });
});

describe('what is wrong', () => {
  test('with some records costs those alone, and is told', async () => {
    const answer = await sendRecords(
      record({ at: 1 }),
      record({ severityNumber: 'SEVERITY_NUMBER_WARN' }),
      record({ timeUnixNano: '4102444800000000000' }),
      7,
    );
    expect(answer).toMatchObject({ status: 200, type: 'application/json' });
    const { partialSuccess } = answer.body as { partialSuccess: { rejectedLogRecords: string; errorMessage: string } };
    expect(partialSuccess.rejectedLogRecords).toBe('3');
    for (const said of ['1 accepted', 'record 1: /severity_number', 'record 2: /timestamp', 'record 3: '])
      expect(partialSuccess.errorMessage).toContain(said);
    expect(stored()).toHaveLength(1);
  });

  test('with a resource costs its records, not those of others', async () => {
    const [bad] = logsRequest([record({ at: 1 })], {
      resource: [{ key: 'a', value: 'not a value' }],
    } as never).resourceLogs;
    const [fine] = logsRequest([record({ at: 2 })]).resourceLogs;
    const answer = await send({ resourceLogs: [bad, fine] });
    expect(answer).toMatchObject({ status: 200, body: { partialSuccess: { rejectedLogRecords: '1' } } });
    expect(stored()).toHaveLength(1);
  });

  test('with all of them is 400, which nobody sends again', async () => {
    const answer = await sendRecords(record({ severityNumber: 99 }));
    expect(answer).toMatchObject({ status: 400, type: 'application/json', body: { code: 3 } });
    expect(answer.body).toMatchObject({ message: expect.stringContaining('/severity_number') });
  });

  test.each([
    ['{', 'column'],
    ['[]', 'the body'],
    ['{"resourceLogs":{}}', '/resourceLogs'],
    ['null', 'the body'],
    ['{"resourceLogs":[{"scopeLogs":[3]}]}', '/scopeLogs'],
    ['{"resourceLogs":[{"scopeLogs":[{"logRecords":"x"}]}]}', '/logRecords'],
  ])('with the request %s is 400, and says where', async (body, where) => {
    expect(await send(body)).toMatchObject({ status: 400, body: { code: 3, message: expect.stringContaining(where) } });
  });

  test.each(['{}', '{"resourceLogs":[]}', '{"resourceLogs":[{"scopeLogs":[{"logRecords":null}]}]}'])(
    'nothing is, where there is no record: %s',
    async body => {
      expect(await send(body)).toMatchObject(success);
      expect(stored()).toEqual([]);
    },
  );

  test('with a value that is nested too deep costs its record', async () => {
    const nested = (levels: number): string =>
      `${'{"kvlistValue":{"values":[{"key":"a","value":'.repeat(levels)}{}${'}]}}'.repeat(levels)}`;
    const sendNested = (levels: number) =>
      send(
        JSON.stringify(logsRequest([record({ body: 'here' }), record({ at: 1 })])).replace('"here"', nested(levels)),
      );
    const some = await sendNested(100);
    expect(some).toMatchObject({ status: 200, body: { partialSuccess: { rejectedLogRecords: '1' } } });
    expect((await sendNested(1_900)).status).toBe(400); // of such a body nothing is read at all
    expect(JSON.stringify(some.body)).toContain('UGC_JSON_DEPTH_MAX');
  });

  test('a value has no more levels than a field of any event, and no fewer', async () => {
    const nested = (levels: number): unknown =>
      levels === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nested(levels - 1)] } };
    const of = (levels: number) => [{ key: 'a', value: nested(levels) }];
    expect(await sendRecords(record({ attributes: of(14) as never }))).toMatchObject(success);
    expect(await sendRecords(record({ attributes: of(15) as never }))).toMatchObject({ status: 400 });
  });

  test('too many records, and a resource that would be beside each of too many, are too much', async () => {
    const many = await sendRecords(...Array.from({ length: 6 }, (_, at) => record({ at })));
    expect(many).toMatchObject({ status: 413, body: { message: expect.stringContaining('UGC_BODY_LOG_RECORDS_MAX') } });
    const wide = [{ key: 'a', value: { stringValue: 'x'.repeat(60_000) } }];
    const beside = await send(
      logsRequest(
        [1, 2, 3, 4].map(at => record({ at })),
        { resource: wide },
      ),
    );
    expect(beside).toMatchObject({ status: 413, body: { message: expect.stringContaining('resource') } });
    expect(stored()).toEqual([]);
  });

  test('of another type, or of an encoding nobody knows, is 415', async () => {
    const headers = { 'content-type': 'text/csv' };
    expect(await send('a', { headers })).toMatchObject({ status: 415, body: { code: 3 } });
  });
});

describe('its sender', () => {
  test('may compress', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await send(gzipSync(JSON.stringify(logsRequest([record({})]))), { headers })).toMatchObject(success);
    expect(stored()).toHaveLength(1);
  });

  test('is told to come again where not all could be stored, with the same ids', async () => {
    const error = new PipelineError('log_unavailable');
    logs.current.fail(({ body }) => (body.includes('"time_unix_nano":1727965800123456791') ? error : null));
    const answer = await sendRecords(record({ at: 1 }), record({ at: 2 }));
    expect(answer).toMatchObject({ status: 503, body: { code: 14 } });
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    const [first] = ids();
    logs.current = memoryLog();
    await sendRecords(record({ at: 1 }), record({ at: 2 }));
    expect(ids()).toEqual([first!, expect.any(String)]);
  });

  test('is told to come again where the body did not arrive in time, as by no other status', async () => {
    const body = (code: ErrorCode) => jsonAnswer(problem(new PipelineError(code)));
    expect(body('body_timeout')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(body('log_unavailable')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(body('clock_wrong')).toMatchObject({ status: 503, headers: { 'retry-after': '60' } });
    expect(body('rate_limited')).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    const statuses = (Object.keys(errorTable) as ErrorCode[]).map(code => body(code).status);
    expect(statuses.filter(status => [408, 422, 502, 504].includes(status))).toEqual([]);
  });

  test('tells nothing of whom the records are of: it sends for others', async () => {
    const callers: unknown[] = [];
    const server = startEdgeServer({
      log,
      clients: ({ caller }, origin) => {
        callers.push(caller);
        return origin;
      },
    });
    expect(await send(logsRequest([record({})]), { port: server.port })).toMatchObject(success);
    expect(callers).toEqual([{ name: '', isServer: true }]);
    await server.stop();
  });

  test('needs a key, and one that may send logs', async () => {
    const { port } = guarded;
    const body = logsRequest([record({})]);
    const nobody = await send(body, { port });
    expect(nobody).toMatchObject({ status: 401, type: 'application/json', body: { code: 16 } });
    const other = await send(body, { port, headers: { authorization: `Bearer ${narrow}` } });
    expect(other).toMatchObject({ status: 400, body: { message: expect.stringContaining('may not be sent') } });
    expect(await send(body, { port, headers: { authorization: `Bearer ${good}` } })).toMatchObject(success);
    expect(await send(body, { port, headers: { 'x-api-key': good } })).toMatchObject(success);
    expect(stored()).toMatchObject([{ source: 'collector' }, { source: 'collector' }]);
  });
});

describe('as many as a collector sends that is told nothing', () => {
  const count = 8_192;
  const lines = Array.from({ length: count }, (_, at) => record({ at: at % (count / 2) }));
  const sendMany = (records: readonly unknown[]) =>
    send(logsRequest(records as readonly Record_[]), { port: roomy.port });

  test('are all stored, each line of those that are alike a row of its own, the same when they come again', async () => {
    expect(await sendMany(lines)).toMatchObject(success);
    const first = ids();
    expect(new Set(first).size).toBe(count);
    logs.current = memoryLog();
    expect(await sendMany(lines)).toMatchObject(success);
    expect(ids()).toEqual(first);
  });

  test('are answered while others are served', async () => {
    const release = logs.current.hold();
    const many = sendMany(lines);
    while (logs.current.waiting() === 0) await Bun.sleep(1);
    const other = sendRecords(record({ at: -1 }));
    while (logs.current.waiting() < 2) await Bun.sleep(1);
    release();
    expect(await other).toMatchObject(success);
    expect(await many).toMatchObject(success);
    const place = logs.current.published.findIndex(({ body }) => body.includes('1727965800123456788'));
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThan(count / 2);
  });

  test('with some that are wrong cost those alone, wherever they stand', async () => {
    const bad = new Map([
      [1_500, record({ severityNumber: 99 })],
      [8_191, record({ timeUnixNano: '4102444800000000000' })],
    ]);
    const answer = await sendMany(lines.map((line, at) => bad.get(at) ?? line));
    const { partialSuccess } = answer.body as { partialSuccess: { rejectedLogRecords: string; errorMessage: string } };
    expect(partialSuccess.rejectedLogRecords).toBe('2');
    for (const said of ['8190 accepted', 'record 1500: /severity_number', 'record 8191: /timestamp'])
      expect(partialSuccess.errorMessage).toContain(said);
    expect(stored()).toHaveLength(count - 2);
  });

  test('all of them wrong are 400', async () => {
    const answer = await sendMany(lines.map(() => record({ severityNumber: 99 })));
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('8192 rejected for good') } });
  });

  test('are to come again where a part could not be stored, with the same ids', async () => {
    const error = new PipelineError('log_unavailable');
    logs.current.fail(() => (logs.current.published.length >= 3_000 ? error : null));
    expect(await sendMany(lines)).toMatchObject({ status: 503, body: { code: 14 } });
    const before = ids();
    expect(before).toHaveLength(3_000);
    logs.current = memoryLog();
    expect(await sendMany(lines)).toMatchObject(success);
    expect(ids().slice(0, 3_000)).toEqual(before);
  });
});
