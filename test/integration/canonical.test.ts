// The two readers of a body held together: whatever the edge accepts, ClickHouse's row equals it, in value and type.
// So a 200 can never become a dead letter. For every type of the catalogue, and for every kind of field.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { catalogue, catalogueOf } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { type Engine, openEngine } from '../../src/adapters/chdb/engine.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { type Judge, judgeOf } from '../../src/catalogue/judge.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { parseJson } from '../../src/record/json.ts';
import { anyEventOf, anyNumber, jsonOf, kept, storedOf } from '../support/any-event.ts';
import { everyKind } from '../support/every-kind.ts';
import { randomOf } from '../support/random.ts';
import { type Row, rowOf, rowsOf } from '../support/stored-row.ts';
import { temporaryFolder } from '../support/ugc.ts';

const folder = temporaryFolder();
const random = randomOf('canonical');
let engine: Engine;
let sink: SinkWithDeadLetters;
const all = catalogueOf([everyKind, ...catalogue.types]);
const nowMs = Date.parse('2026-11-21T12:00:00Z');
const judge: Judge = judgeOf({
  catalogue: all,
  topic: 'ugc.{event_type}',
  eventBytesMax: 1_048_576,
  jsonDepthMax: 16,
  eventAgeMaxDays: 1_825,
  eventFutureMaxHours: 24,
  unknownFields: 'reject',
});

beforeAll(async () => {
  engine = openEngine({ path: folder, memoryBytesMax: 2 ** 30 });
  sink = clickhouseSink({
    client: clickhouseClient({ connection: chdbConnection(engine) }),
    database: 'ugc',
    tables: all.types.map(tableOf),
    migrate: 'auto',
    timeoutMs: 60_000,
    embedded: true,
  });
  await sink.prepare();
});
afterAll(async () => {
  await sink.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const never = new AbortController().signal;
const origin = {
  receivedAtMs: nowMs,
  source: 'key "1"',
  ip: '::1',
  userAgent: 'a\\b"\u{1f600}',
  pathType: null,
  sentAt: undefined,
};

const rowsIn = async (table: string): Promise<Row[]> =>
  rowsOf((await engine.query(`SELECT * FROM ugc.${table} FORMAT JSONEachRow`)).bytes.toString());

for (const type of all.types)
  test(`every ${type.name} the edge accepts is a row equal to it`, async () => {
    const numRuns = type === everyKind ? 1_000 : 100;
    const events = fc.sample(anyEventOf(type, nowMs), { numRuns, seed: random.between(0, 2 ** 31 - 1) });
    const wanted = new Map<string, Row>();
    let lines = '';
    for (const event of [type.example, ...events]) {
      const given = parseJson(jsonOf(event)) as Row;
      const verdict = judge(given, origin);
      if (!verdict.ok) throw new Error(`${jsonOf(event)} is rejected: ${jsonOf(verdict)}`);
      lines += `${verdict.envelope.body}\n`;
      const body = parseJson(verdict.envelope.body) as Row;
      for (const field of type.allFields) expect(body[field.name]).toEqual(storedOf(field, given[field.name]) as never);
      wanted.set(verdict.envelope.id, rowOf(type, body));
    }
    const block = { type: type.name, rows: wanted.size, chunks: [Buffer.from(lines)] };
    expect(await sink.check(block, never)).toBeNull();
    await sink.insert(block, `canonical-${type.name}`, never);
    const rows = await rowsIn(type.name);
    expect(rows).toHaveLength(wanted.size);
    for (const row of rows) expect(row).toEqual(wanted.get(String(row.event_id)) as Row);
  });

const askedOf = async (select: string): Promise<Row[]> =>
  rowsOf((await engine.query(`${select} FORMAT JSONEachRow`)).bytes.toString());

/** What an object says at `n`, and in a list within, by each of ClickHouse's readers of JSON. */
const readersOf = (column: string): Readonly<Record<string, string>> => ({
  isValid: `isValidJSON(${column})`,
  after: `JSONExtractInt(${column}, 'z')`,
  float: `JSONExtractFloat(${column}, 'n')`,
  typed: `JSONExtract(${column}, 'n', 'Float64')`,
  within: `JSONExtract(${column}, 'in', 'list', 2, 'Float64')`,
  text: `JSONExtractRaw(${column}, 'n')`,
  value: `JSON_VALUE(${column}, '$.n')`,
  json: `CAST(${column}::JSON.n, 'Float64')`,
});
const readSql = (column: string): string =>
  Object.entries(readersOf(column))
    .map(([name, sql]) => `${sql} AS ${name}`)
    .join(', ');

/** What all of them say of an object with that number. */
const readAs = (double: number) => ({
  ...{ isValid: 1, after: 7, float: double, typed: double, within: double },
  ...{ text: double, value: double, json: double },
});

test('every number of free JSON is one double to JSON.parse, isValidJSON, JSONExtract and ::JSON', async () => {
  const numbers = fc.sample(anyNumber, { numRuns: 2_000, seed: random.between(0, 2 ** 31 - 1) });
  const wanted = new Map<string, number>();
  let lines = '';
  for (const number of numbers) {
    const properties = { n: number, in: { list: ['a', number] }, z: 7 };
    const verdict = judge(parseJson(jsonOf({ ...everyKind.example, timestamp: nowMs, properties })), origin);
    if (!verdict.ok) throw new Error(`${number} is rejected: ${jsonOf(verdict)}`);
    lines += `${verdict.envelope.body}\n`;
    const read = (JSON.parse(verdict.envelope.body) as { properties: { n: number } }).properties.n;
    expect(read).toBe(Number(kept(number)));
    wanted.set(verdict.envelope.id, read);
  }
  await sink.insert({ type: everyKind.name, rows: wanted.size, chunks: [Buffer.from(lines)] }, 'numbers', never);
  const rows = await askedOf(
    `SELECT event_id, ${readSql('properties')} FROM ugc.every_kind WHERE JSONExtractInt(properties, 'z') = 7`,
  );
  expect(rows).toHaveLength(wanted.size);
  for (const { event_id: id, ...row } of rows) {
    const found = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
    expect(found).toEqual(readAs(wanted.get(String(id))!));
  }
});

test('fields of events is JSON whatever doubles its columns hold, and says what they do', async () => {
  const doubles = [2 ** 63, 2 ** 64, 1e20, 123456789012345680000, 1e21 - 2 ** 17, 1e21, 1e300, 0, 0.1, 5e-324];
  const lines = doubles.map(an_amount => {
    const verdict = judge({ ...everyKind.example, timestamp: nowMs, an_amount, a_list: ['doubles'] }, origin);
    if (!verdict.ok) throw new Error(`${an_amount} is rejected: ${jsonOf(verdict)}`);
    return `${verdict.envelope.body}\n`;
  });
  const block = { type: everyKind.name, rows: doubles.length, chunks: [Buffer.from(lines.join(''))] };
  await sink.insert(block, 'doubles', never);
  const rows = await askedOf(
    `SELECT isValidJSON(fields) AS isValid, JSONExtractFloat(fields, 'an_amount') AS float,
       CAST(fields::JSON.an_amount, 'Float64') AS json, JSONExtractInt(fields, 'a_byte') AS other,
       JSONExtractRaw(fields, 'an_amount_or_null') AS nothing
     FROM ugc.events WHERE event_type = 'every_kind' AND JSONExtractString(fields, 'a_list', 1) = 'doubles'`,
  );
  const found = rows.map(row => ({ ...row, float: Number(row.float), json: Number(row.json) }));
  const ascending = doubles.toSorted((a, b) => a - b);
  expect(found.toSorted((a, b) => a.float - b.float)).toEqual(
    ascending.map(double => ({ isValid: 1, float: double, json: double, other: 1, nothing: 'null' })),
  );
  expect(await askedOf('SELECT count() AS broken FROM ugc.events WHERE NOT isValidJSON(fields)')).toEqual([
    { broken: 0 },
  ]);
});

/** For rows of before: as the documentation has it. Digits alone outside of texts, when the whole cannot be read. */
const mendedSql = (column: string): string => `if(isValidJSON(${column}), ${column}, arrayStringConcat(arrayMap(
  part -> if(startsWith(part, '"'), part, replaceRegexpAll(part, '([:\\\\[,]-?[0-9]{19,})', '\\\\1e0')),
  extractAll(${column}, '"(?:[^"\\\\\\\\]|\\\\\\\\.)*"|[^"]+'))))`;

test('rows that were stored with digits beyond 64 bits can be read, and mended for good', async () => {
  const spellings = ['18446744073709551616', '-9223372036854775809', '1234567890'.repeat(4)];
  const texts = spellings.map(digits => {
    const odd = JSON.stringify(`\\",:[${digits},"${digits}`);
    return `{"n":${digits},"in":{"list":[${odd},${digits},${digits}]},${odd}:0.${'0'.repeat(5)}${'1234567890'.repeat(2)},"z":8}`;
  });
  const values = texts.map(text => `('${text.replaceAll('\\', '\\\\')}')`).join(', ');
  await engine.query('CREATE TABLE ugc.of_before (properties String) ENGINE = MergeTree ORDER BY tuple()');
  await engine.query(`INSERT INTO ugc.of_before VALUES ${values}, ('{"n":18446744073709551615,"z":8}')`);
  const ofRow = (row: Row, text: string) => {
    const double = (JSON.parse(text) as { n: number }).n;
    const found = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
    expect(found).toEqual({ ...readAs(double), after: 8 });
  };
  const mended = mendedSql('properties');
  const rows = await askedOf(`SELECT mended, ${readSql('mended')} FROM
    (SELECT ${mended} AS mended, properties FROM ugc.of_before WHERE NOT isValidJSON(properties)) ORDER BY properties`);
  expect(rows).toHaveLength(3);
  for (const { mended: text, ...row } of rows) {
    ofRow(row, String(text));
    const before = texts.find(before => jsonOf(JSON.parse(before)) === jsonOf(JSON.parse(String(text))));
    expect(before).toBeDefined();
  }
  await engine.query(
    `ALTER TABLE ugc.of_before UPDATE properties = ${mended} WHERE NOT isValidJSON(properties) SETTINGS mutations_sync = 2`,
  );
  const after = await askedOf('SELECT properties FROM ugc.of_before ORDER BY isValidJSON(properties), properties');
  expect(after.map(({ properties }) => properties).toSorted()).toEqual(
    [...rows.map(({ mended: text }) => text), '{"n":18446744073709551615,"z":8}'].toSorted(),
  );
});

test('a number that stands for a word can be queried as both', async () => {
  const { bytes } = await engine.query(
    'SELECT login_type, login_type_name, count() > 0 AS is_there FROM ugc.logging_in GROUP BY ALL ORDER BY 1 FORMAT JSONEachRow',
  );
  expect(rowsOf(bytes.toString())).toEqual([
    { login_type: 0, login_type_name: 'email_password', is_there: 1 },
    { login_type: 1, login_type_name: 'phone_code', is_there: 1 },
    { login_type: 2, login_type_name: 'external_service', is_there: 1 },
  ]);
});

test('ClickHouse’s JSON type would not keep every properties object: the reason why they are text', async () => {
  await engine.query('CREATE TABLE ugc.json_kept (id UInt8, kept JSON) ENGINE = MergeTree ORDER BY id');
  const keep = (id: number, object: string) =>
    engine.query(`INSERT INTO ugc.json_kept FORMAT JSONEachRow {"id":${id},"kept":${object}}`);
  await keep(1, '{"b":1,"a":2,"c":null}');
  const { bytes } = await engine.query('SELECT toString(kept) FROM ugc.json_kept WHERE id = 1 FORMAT TSVRaw');
  expect(bytes.toString().trim()).toBe('{"a":2,"b":1}');
  await expect(keep(2, '{"a.b":1,"a":{"b":2}}')).rejects.toThrow('Duplicate path');
  await expect(keep(3, '{"a":12345678901234567890123}')).rejects.toThrow('Cannot parse JSON object');
  const { bytes: asked } = await engine.query(
    `SELECT toString('{"a":{"b":5}}'::JSON.a.b) AS b, toTypeName(properties::JSON) AS type FROM ugc.custom LIMIT 1 FORMAT TSVRaw`,
  );
  expect(asked.toString()).toBe('5\tJSON\n');
});

test('events has a row of each, users as text whatever they are in their family, words among the fields', async () => {
  const { bytes } = await engine.query(
    `SELECT event_type, toTypeName(user_id) AS type, max(user_id) AS user, any(fields) AS fields FROM ugc.events
     WHERE event_type IN ('click', 'logging_in') GROUP BY ALL ORDER BY 1 FORMAT JSONEachRow`,
  );
  const [click, login] = rowsOf(bytes.toString());
  expect(click).toMatchObject({ type: 'Nullable(String)' });
  expect(login).toMatchObject({ type: 'Nullable(String)', user: expect.stringMatching(/^-?\d+$/) });
  expect(Object.keys(JSON.parse(String(login?.fields)) as object)).toEqual(['login_type', 'login_type_name']);
  const { bytes: counted } = await engine.query('SELECT uniqExact(event_type) AS n FROM ugc.events FORMAT JSONEachRow');
  expect(rowsOf(counted.toString())).toEqual([{ n: all.types.length }]);
});
