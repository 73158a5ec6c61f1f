// ClickHouse's HTTP interface as clients see it: a readonly port and a writable one over the same engine.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type ClickhouseHttp, serveClickhouseHttp } from '../../src/adapters/chdb/http.ts';
import { threadPoolSize } from '../../src/adapters/chdb/library.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { eventually } from '../support/until.ts';

const guestsWaitingMax = 8;
/** Half of the threads. */
const guestsMax = Math.max(1, Math.floor(threadPoolSize() / 2));

let local: TemporaryEngine;
let readonly: ClickhouseHttp;
let writable: ClickhouseHttp;

beforeAll(async () => {
  local = temporaryEngine({ guestsWaitingMax });
  await local.engine.query('CREATE DATABASE ugc');
  await local.engine.query('CREATE TABLE ugc.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a');
  await local.engine.query("INSERT INTO ugc.t SELECT number, 'x' FROM numbers(10)");
  const serve = (isReadonly: boolean) =>
    serveClickhouseHttp({
      engine: local.engine,
      host: '127.0.0.1',
      port: 0,
      readonly: isReadonly,
      database: 'ugc',
    });
  readonly = serve(true);
  writable = serve(false);
});

afterAll(async () => {
  await readonly.stop();
  await writable.stop();
  await local[Symbol.asyncDispose]();
});

type Params = Readonly<Record<string, string>>;
const urlOf = ({ port }: ClickhouseHttp, params: Params = {}): string =>
  `http://127.0.0.1:${port}/?${new URLSearchParams(params)}`;

const post = (http: ClickhouseHttp, body: string | Uint8Array<ArrayBuffer>, params?: Params, init: RequestInit = {}) =>
  fetch(urlOf(http, params), { method: 'POST', body, ...init });

async function rows(http: ClickhouseHttp, query: string, params?: Params): Promise<string> {
  const response = await post(http, query, params);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text.trimEnd();
}

async function refusal(response: Promise<Response>): Promise<{ status: number; code: string | null; text: string }> {
  const { status, headers, text } = await response.then(async got => ({
    status: got.status,
    headers: got.headers,
    text: await got.text(),
  }));
  return { status, code: headers.get('x-clickhouse-exception-code'), text };
}

describe('the plain routes', () => {
  test('say that it is there', async () => {
    for (const path of ['/ping', '/', '/replicas_status']) {
      const response = await fetch(`http://127.0.0.1:${readonly.port}${path}`);
      expect([path, response.status, await response.text()]).toEqual([path, 200, 'Ok.\n']);
    }
  });

  test('and nothing else is there', async () => {
    for (const path of ['/play', '/dashboard', '/x'])
      expect((await fetch(`http://127.0.0.1:${readonly.port}${path}`)).status).toBe(404);
  });
});

describe('a query', () => {
  test('comes in the URL, in the body, or half in each', async () => {
    expect(await (await fetch(urlOf(readonly, { query: 'SELECT 1' }))).text()).toBe('1\n');
    expect(await rows(readonly, 'SELECT 2')).toBe('2');
    expect(await rows(readonly, 'FROM ugc.t', { query: 'SELECT count()' })).toBe('10');
    const form = new FormData();
    form.set('query', 'SELECT {n:UInt8} + 1');
    form.set('param_n', '4');
    expect(await (await fetch(urlOf(readonly), { method: 'POST', body: form })).text()).toBe('5\n');
  });

  test('is in the database that was said, else in ours', async () => {
    expect(await rows(readonly, 'SELECT currentDatabase()')).toBe('ugc');
    expect(await rows(readonly, 'SELECT currentDatabase()', { database: 'system' })).toBe('system');
    const headers = { 'X-ClickHouse-Database': 'default', 'X-ClickHouse-User': 'u', 'X-ClickHouse-Key': 'k' };
    expect(await (await post(readonly, 'SELECT currentDatabase()', {}, { headers })).text()).toBe('default\n');
    expect(await refusal(post(readonly, 'SELECT 1', { database: 'nope' }))).toMatchObject({ status: 404, code: '81' });
  });

  test('takes parameters, and none is left for the next one', async () => {
    const value = "a'b\\c;\u00fc";
    const escaped = value.replaceAll('\\', '\\\\');
    expect(await rows(readonly, 'SELECT {x:String} FORMAT TSVRaw', { param_x: escaped })).toBe(value);
    expect(await refusal(post(readonly, 'SELECT {x:String}'))).toMatchObject({ code: '456' });
  });

  test('takes settings, and none is left for the next one', async () => {
    const sql = "SELECT getSetting('max_block_size')";
    const usual = await rows(readonly, sql);
    expect(await rows(readonly, sql, { max_block_size: '77' })).toBe('77');
    expect(await rows(readonly, `${sql} SETTINGS max_block_size = 78`)).toBe('78');
    expect(await rows(readonly, sql)).toBe(usual);
    expect(await refusal(post(readonly, 'SELECT 1', { no_such_setting: '1' }))).toMatchObject({
      status: 404,
      code: '115',
    });
  });

  test('is answered in the format of the statement, the URL, the header, or as TSV', async () => {
    const formatOf = async (response: Promise<Response>) => {
      const { headers } = await response;
      return [headers.get('x-clickhouse-format'), headers.get('content-type')?.split(';')[0]];
    };
    expect(await formatOf(post(readonly, 'SELECT 1'))).toEqual(['TabSeparated', 'text/tab-separated-values']);
    expect(await formatOf(post(readonly, 'SELECT 1', { default_format: 'JSON' }))).toEqual([
      'JSON',
      'application/json',
    ]);
    expect(await formatOf(post(readonly, 'SELECT 1', {}, { headers: { 'X-ClickHouse-Format': 'CSV' } }))).toEqual([
      'CSV',
      'text/csv',
    ]);
    expect(await formatOf(post(readonly, 'SELECT 1 FORMAT JSONEachRow', { default_format: 'JSON' }))).toEqual([
      'JSONEachRow',
      'application/x-ndjson',
    ]);
    const native = await post(readonly, 'SELECT toUInt8(7) AS a FORMAT RowBinary');
    expect([...new Uint8Array(await native.arrayBuffer())]).toEqual([7]);
  });

  test('is answered with its id, a summary and who answered', async () => {
    const { headers } = await post(readonly, 'SELECT * FROM ugc.t', { query_id: 'my-id' });
    expect(headers.get('x-clickhouse-query-id')).toBe('my-id');
    expect(JSON.parse(headers.get('x-clickhouse-summary')!)).toMatchObject({ result_rows: '10', written_rows: '0' });
    expect(headers.get('x-clickhouse-server-display-name')).toBe('ugc');
    expect(headers.get('x-clickhouse-timezone')).toBe((await rows(readonly, 'SELECT timezone()')).trim());
  });

  test('is answered compressed when asked for', async () => {
    const plain = await rows(readonly, 'SELECT number FROM numbers(1000)');
    const decoders = {
      gzip: gunzipSync,
      deflate: inflateSync,
      br: brotliDecompressSync,
      zstd: Bun.zstdDecompressSync,
    };
    for (const [encoding, decode] of Object.entries(decoders)) {
      const { headers, body } = await raw(readonly.port, {
        path: `/?enable_http_compression=1&query=${encodeURIComponent('SELECT number FROM numbers(1000)')}`,
        headers: { 'Accept-Encoding': encoding },
      });
      expect(headers['content-encoding']).toBe(encoding);
      expect(decode(body).toString().trimEnd()).toBe(plain);
    }
    const { headers } = await raw(readonly.port, { path: '/?query=SELECT+1', headers: { 'Accept-Encoding': 'gzip' } });
    expect(headers['content-encoding']).toBeUndefined();
  });

  test('that is wrong is answered with ClickHouse’s code, words and status', async () => {
    const wrong: [string, number, string, string][] = [
      ['SELECT', 400, '62', 'SYNTAX_ERROR'],
      ['', 400, '62', 'Empty query'],
      ['SELECT nope', 404, '47', 'UNKNOWN_IDENTIFIER'],
      ['SELECT * FROM nope', 404, '60', 'UNKNOWN_TABLE'],
      ["SELECT toUInt8('x')", 400, '6', 'CANNOT_PARSE_TEXT'],
      [
        'SELECT sleepEachRow(0.2) FROM numbers(50) SETTINGS max_execution_time = 1, max_block_size = 1',
        408,
        '159',
        'TIMEOUT_EXCEEDED',
      ],
      [
        'SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000',
        500,
        '241',
        'MEMORY_LIMIT_EXCEEDED',
      ],
    ];
    for (const [query, status, code, words] of wrong) {
      const answer = await refusal(post(readonly, query));
      expect([query, answer.status, answer.code]).toEqual([query, status, code]);
      expect(answer.text).toMatch(/^Code: \d+\. DB::Exception: [\s\S]*\([A-Z_]+\) \(version [\d.]+\)\n$/);
      expect(answer.text).toContain(words);
    }
  });
});

describe('several statements in one request', () => {
  test('are refused, wherever the second one hides', async () => {
    const hidden = [
      'SELECT 1; SELECT 2',
      'SELECT 1;/* */SELECT 2',
      "INSERT INTO t VALUES (99, 'x'); DROP TABLE t",
      "INSERT INTO t FORMAT Values (99, 'x'); DROP TABLE t",
      "INSERT INTO t VALUES (99, '\\\\'); DROP TABLE t -- ')",
      "SELECT /* /* */ ' */ 1; SELECT '2'",
    ];
    for (const query of hidden)
      expect([query, await refusal(post(writable, query))]).toMatchObject([query, { status: 400, code: '62' }]);
    const inBody = await refusal(post(writable, "(99, 'x'); DROP TABLE t", { query: 'INSERT INTO t VALUES' }));
    expect(inBody).toMatchObject({ status: 400, code: '62' });
    expect(await rows(readonly, 'SELECT count() FROM t')).toBe('10');
  });

  test('are not seen where there is one', async () => {
    for (const query of ["SELECT ';'", 'SELECT 1;', 'SELECT 1 -- ; SELECT 2', 'SELECT 1 /* ; */', 'SELECT $a$;x$a$'])
      expect((await post(readonly, query)).status).toBe(200);
  });
});

describe('a reader', () => {
  test('changes nothing, on the readonly port by any method, on the writable one by GET', async () => {
    const changing = [
      "INSERT INTO t VALUES (1, 'x')",
      'CREATE TABLE u (a Int8) ENGINE = Memory',
      'DROP TABLE t',
      'TRUNCATE TABLE t',
      'ALTER TABLE t DELETE WHERE 1',
      'SET readonly = 0',
      'KILL QUERY WHERE 1',
      'SYSTEM STOP MERGES',
      'CREATE TEMPORARY TABLE u (a Int8)',
      'OPTIMIZE TABLE t FINAL',
    ];
    for (const query of changing) {
      expect([query, await refusal(post(readonly, query))]).toMatchObject([query, { status: 500, code: '164' }]);
      expect([query, await refusal(fetch(urlOf(writable, { query })))]).toMatchObject([query, { code: '164' }]);
    }
    expect(await refusal(post(readonly, 'SELECT 1 SETTINGS readonly = 0'))).toMatchObject({ code: '164' });
    expect(await refusal(post(writable, 'DROP TABLE t', { readonly: '1' }))).toMatchObject({ code: '164' });
    expect(await rows(readonly, 'SELECT count() FROM ugc.t')).toBe('10');
  });

  test('asks with all the statements that only read', async () => {
    for (const query of [
      'WITH 1 AS x SELECT x',
      '(SELECT 1)',
      'SHOW TABLES',
      'DESCRIBE t',
      'EXPLAIN SELECT 1',
      'EXISTS t',
    ])
      expect([query, (await post(readonly, query)).status]).toEqual([query, 200]);
  });
});

describe('files, addresses and commands of this machine', () => {
  const secret = join(tmpdir(), `ugc-secret-${process.pid}`);
  const out = join(tmpdir(), `ugc-out-${process.pid}`);
  beforeAll(() => writeFileSync(secret, 'swordfish'));
  afterAll(() => rmSync(secret));

  test('are out of reach, on the writable port too', async () => {
    const reaching = [
      `SELECT * FROM file('${secret}', 'LineAsString')`,
      `SELECT file('${secret}')`,
      `SELECT \`file\`('${secret}')`,
      `SELECT \`fil\\x65\`('${secret}')`,
      `SELECT * APPLY file FROM (SELECT '${secret}')`,
      `SELECT arrayMap(file, ['${secret}'])`,
      `SELECT /* /* */ ' */ file('${secret}') -- '`,
      `SELECT * FROM '${secret}'`,
      `SELECT * FROM \`${secret}\``,
      `SELECT * FROM default.\`${secret}\``,
      `SELECT 1 WHERE NOT ignore((SELECT file('${secret}')))`,
      `SELECT 1 SETTINGS additional_result_filter = 'throwIf(notEmpty(file(\\'${secret}\\')))'`,
      `SELECT 1 FORMAT Template SETTINGS format_template_row = '${secret}'`,
      `SELECT 1 FORMAT Protobuf SETTINGS format_schema = '${secret}:x'`,
      `SELECT 1 INTO OUTFILE '${out}'`,
      `DESCRIBE TABLE file('${secret}')`,
      `EXPLAIN SELECT * FROM file('${secret}')`,
      `SELECT * FROM filesystem('${tmpdir()}')`,
      `SELECT * FROM url('http://127.0.0.1:${readonly.port}/ping', 'LineAsString')`,
      `SELECT * FROM s3('http://127.0.0.1:${readonly.port}/a/b', 'CSV')`,
      `SELECT * FROM remote('127.0.0.1', system.one)`,
      `SELECT * FROM mysql('127.0.0.1:3306', 'a', 'b', 'c', 'd')`,
      `SELECT * FROM executable('id', 'TSV', 'a String')`,
      `SELECT * FROM sqlite('${secret}', 't')`,
      'SELECT addressToLine(toUInt64(1))',
      `file('${secret}')`,
    ];
    const writing = [
      `INSERT INTO FUNCTION file('${out}', 'TSV', 'a Int8') VALUES (1)`,
      `INSERT INTO ugc.t FROM INFILE '${secret}' FORMAT TSV`,
      `CREATE TABLE ugc.f (a String) ENGINE = File(TSV)`,
      `CREATE TABLE ugc.f (a String) ENGINE = URL('http://127.0.0.1/')`,
      `CREATE VIEW ugc.f AS SELECT file('${secret}')`,
      `CREATE DICTIONARY ugc.f (a String) PRIMARY KEY a SOURCE(FILE(path '${secret}' format 'TSV')) LIFETIME(1) LAYOUT(FLAT())`,
      `CREATE FUNCTION f AS x -> file(x)`,
      `BACKUP TABLE ugc.t TO File('${out}')`,
      'SYSTEM SHUTDOWN',
    ];
    for (const [http, queries] of [
      [readonly, reaching],
      [writable, [...reaching, ...writing]],
    ] as const)
      for (const query of queries) {
        const { status, text } = await refusal(post(http, query));
        expect([query, status >= 400]).toEqual([query, true]);
        expect([query, text.includes('swordfish')]).toEqual([query, false]);
      }
    expect(existsSync(out)).toBe(false);
  });

  test('a column may be called file', async () => {
    expect(await rows(readonly, "SELECT s.file FROM (SELECT 'x' AS file) AS s")).toBe('x');
  });
});

describe('an insert on the writable port', () => {
  const inserted = async (name: string, send: () => Promise<Response>): Promise<string> => {
    await rows(writable, `CREATE TABLE ${name} (a UInt32, b String) ENGINE = MergeTree ORDER BY a`);
    const response = await send();
    const text = await response.text();
    expect([response.status, text]).toEqual([200, '']);
    return rows(readonly, `SELECT concat(toString(a), ' ', hex(b)) FROM ${name} ORDER BY a`);
  };

  test('keeps every byte of its data, after the query or in the body', async () => {
    const data = Buffer.from('INSERT INTO bytes1 FORMAT RowBinary\n\x01\0\0\0\x04\0\xff;\n', 'latin1');
    expect(await inserted('bytes1', () => post(writable, data))).toBe('1 00FF3B0A');
    const body = Buffer.from('\x02\0\0\0\x02\n\xfe', 'latin1');
    expect(await inserted('bytes2', () => post(writable, body, { query: 'INSERT INTO bytes2 FORMAT RowBinary' }))).toBe(
      '2 0AFE',
    );
  });

  test('comes in any format, as VALUES, from a SELECT, and with settings', async () => {
    expect(
      await inserted('f1', () =>
        post(writable, '{"a":1,"b":"é"}\n{"a":2}', { query: 'INSERT INTO f1 FORMAT JSONEachRow' }),
      ),
    ).toBe('1 C3A9\n2');
    expect(await inserted('f2', () => post(writable, "INSERT INTO f2 (a, b) VALUES (1, ';'), (2, 'y')"))).toBe(
      '1 3B\n2 79',
    );
    expect(await inserted('f3', () => post(writable, "INSERT INTO f3 SELECT 3, 'z'"))).toBe('3 7A');
    expect(
      await inserted('f4', () =>
        post(writable, '1;x', { query: 'INSERT INTO f4 FORMAT CSV', format_csv_delimiter: ';' }),
      ),
    ).toBe('1 78');
    expect(await inserted('f5', () => post(writable, '', { query: 'INSERT INTO f5 FORMAT JSONEachRow' }))).toBe('');
    const parquet = new Uint8Array(
      await (await post(readonly, "SELECT toUInt32(5) AS a, 'p' AS b FORMAT Parquet")).arrayBuffer(),
    );
    expect(await inserted('f6', () => post(writable, parquet, { query: 'INSERT INTO f6 FORMAT Parquet' }))).toBe(
      '5 70',
    );
  });

  test('ends where it ends: an empty line or a semicolon in it is data, never the begin of SQL', async () => {
    const drop = 'DROP TABLE ugc.t';
    const json = Buffer.from(`{"a":1,"b":"x"}\n\n{"a":2,"b":"y"}\n\n`);
    expect(await inserted('e1', () => post(writable, json, { query: 'INSERT INTO e1 FORMAT JSONEachRow' }))).toBe(
      '1 78\n2 79',
    );
    const numbers = await post(
      readonly,
      'SELECT toUInt32(number) AS a, toString(number) AS b FROM numbers(5000) FORMAT Native',
    );
    const native = new Uint8Array(await numbers.arrayBuffer()); // holds 0A 0A: row 2570
    const stored = await inserted('e2', () => post(writable, native, { query: 'INSERT INTO e2 FORMAT Native' }));
    expect(stored.split('\n')).toHaveLength(5_000);
    expect(
      await inserted('e3', () =>
        post(writable, "(1, 'x'),\n\n(2, 'y')", { query: 'INSERT INTO e3 SETTINGS max_threads = 1 VALUES' }),
      ),
    ).toBe('1 78\n2 79');
    for (const [format, body] of [
      ['JSONEachRow', `{"a":1,"b":"x"}\n\n${drop}`],
      ['TSV', `1\tx\n\n${drop}`],
      ['CSV', `1,x\n\n${drop}\n\n`],
      ['RawBLOB', `x\n\n${drop}`],
      ['JSONCompactEachRow', `[1,"x"]\n\n${drop}`],
      ['JSONEachRow', `{"a":1,"b":"x"};\n${drop}`],
      ['`CSV`', `1,x\n\n${drop}`],
    ] as const)
      await post(writable, body, { query: `INSERT INTO e3 FORMAT ${format}` });
    expect(await rows(readonly, 'EXISTS ugc.t')).toBe('1');
    expect(await rows(readonly, 'SELECT count() FROM e3')).toBe('2');
  });

  test('comes compressed', async () => {
    const row = Buffer.from('{"a":1,"b":"x"}\n');
    const bodies = {
      gzip: gzipSync(row),
      deflate: deflateSync(row),
      br: brotliCompressSync(row),
      zstd: Bun.zstdCompressSync(row),
    };
    for (const [encoding, body] of Object.entries(bodies)) {
      const send = () =>
        post(
          writable,
          new Uint8Array(body),
          { query: `INSERT INTO z_${encoding} FORMAT JSONEachRow` },
          { headers: { 'Content-Encoding': encoding } },
        );
      expect(await inserted(`z_${encoding}`, send)).toBe('1 78');
    }
    const headers = { 'Content-Encoding': 'snappy' };
    expect(await refusal(post(writable, 'x', {}, { headers }))).toMatchObject({ status: 501, code: '48' });
    const broken = await refusal(post(writable, 'x', {}, { headers: { 'Content-Encoding': 'gzip' } }));
    expect(broken.code).toBe('354');
  });

  test('says what it wrote, and is refused as a whole', async () => {
    const query = 'INSERT INTO ugc.t FORMAT JSONEachRow';
    const response = await post(writable, '{"a":100,"b":"x"}\n{"a":"no"}', { query });
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([400, '27']);
    expect(await rows(readonly, 'SELECT count() FROM t')).toBe('10');
    await rows(writable, 'CREATE TABLE said (a UInt32) ENGINE = Memory');
    const { headers } = await post(writable, '1\n2\n', { query: 'INSERT INTO said FORMAT TSV' });
    expect(JSON.parse(headers.get('x-clickhouse-summary')!).written_rows).toBe('2');
  });

  test('from input() is refused, as the engine would store nothing', async () => {
    const query = "INSERT INTO t SELECT a, 'x' FROM input('a UInt32') FORMAT TSV";
    expect(await refusal(post(writable, '1\n', { query }))).toMatchObject({ status: 501, code: '48' });
  });
});

describe('who may come', () => {
  test('a page under a foreign name is refused (DNS rebinding), an address and localhost are not', async () => {
    const status = async (host: string) =>
      (await raw(readonly.port, { path: '/?query=SELECT+1', headers: { Host: host } })).status;
    expect(await status(`evil.example:${readonly.port}`)).toBe(403);
    for (const host of ['localhost', `localhost:${readonly.port}`, '127.0.0.1', '[::1]', '10.0.0.5'])
      expect([host, await status(host)]).toEqual([host, 200]);
  });

  test('a page of another origin may not post', async () => {
    const foreign = { headers: { Origin: 'http://evil.example' } };
    expect((await post(writable, 'SELECT 1', {}, foreign)).status).toBe(403);
    expect((await post(writable, 'SELECT 1', {}, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(403);
    const own = { headers: { Origin: `http://127.0.0.1:${writable.port}` } };
    expect((await post(writable, 'SELECT 1', {}, own)).status).toBe(200);
  });
});

describe('@clickhouse/client', () => {
  test('queries with parameters and settings, inserts, and gets errors', async () => {
    const client = createClient({
      url: `http://127.0.0.1:${writable.port}`,
      database: 'ugc',
      log: { level: ClickHouseLogLevel.OFF },
      compression: { request: true, response: true },
    });
    expect((await client.ping()).success).toBe(true);
    await client.command({ query: 'CREATE TABLE c (a UInt32, b String) ENGINE = MergeTree ORDER BY a' });
    const written = await client.insert({
      table: 'c',
      values: [
        { a: 1, b: 'ü' },
        { a: 2, b: "'" },
      ],
      format: 'JSONEachRow',
    });
    expect(written.summary?.written_rows).toBe('2');
    const result = await client.query({
      query: 'SELECT * FROM c WHERE b = {b:String} AND a IN {ids:Array(UInt32)}',
      query_params: { b: "'", ids: [1, 2] },
      format: 'JSONEachRow',
      clickhouse_settings: { max_threads: 1 },
    });
    expect(await result.json<unknown>()).toEqual([{ a: 2, b: "'" }]);
    const failed = await client.query({ query: 'SELECT nope' }).catch(error => error);
    expect([failed.code, failed.type]).toEqual(['47', 'UNKNOWN_IDENTIFIER']);
    await client.close();
  });
});

describe('many at once', () => {
  test('all get their own answer, while inserts go on', async () => {
    await rows(writable, 'CREATE TABLE busy (a UInt32) ENGINE = MergeTree ORDER BY a');
    const asked = Array.from({ length: 6 }, (_, i) => i);
    const answers = asked.map(i =>
      rows(readonly, "SELECT {x:UInt32}, getSetting('max_block_size'), sleep(0.02)", {
        param_x: `${i}`,
        max_block_size: `${1000 + i}`,
      }),
    );
    const inserts = asked.map(i =>
      local.engine.insert({ into: 'INSERT INTO ugc.busy', format: 'TSV' }, Buffer.from(`${i}\n`)),
    );
    expect(await Promise.all(answers)).toEqual(asked.map(i => `${i}\t${1000 + i}\t0`));
    await Promise.all(inserts);
    expect(await rows(readonly, 'SELECT count() FROM busy')).toBe('6');
  });

  test('those beyond the bound are told to come later', async () => {
    // Those that have a place keep it until they hang up.
    const gone = new AbortController();
    const slow = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1';
    const refused: unknown[] = [];
    const asked = Array.from({ length: 40 }, () =>
      refusal(post(readonly, slow, {}, { signal: gone.signal })).then(
        ({ status, code }) => refused.push([status, code]),
        () => 'hung up',
      ),
    );
    const places = guestsMax + guestsWaitingMax;
    await eventually(() => refused.length === 40 - places, { what: 'all without a place are told' });
    gone.abort();
    await Promise.all(asked);
    expect(refused).toEqual(Array(40 - places).fill([503, '202']));
  });

  test('a reader who hangs up frees the engine', async () => {
    const gone = new AbortController();
    const slow = 'SELECT sleepEachRow(1), {mark:String} FROM numbers(30) SETTINGS max_block_size = 1';
    const asked = post(readonly, slow, { param_mark: 'hang-up' }, { signal: gone.signal }).catch(() => 'gone');
    const running = async () =>
      Number(await sql("SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow(1), ')"));
    await eventually(async () => (await running()) > 0, { what: 'the query runs' });
    gone.abort();
    expect(await asked).toBe('gone');
    await eventually(async () => (await running()) === 0, { what: 'the query is killed' });
  });

  const sql = async (query: string) => (await local.engine.query(query)).bytes.toString();
});

interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Without fetch's own ideas of headers and encodings. */
function raw(port: number, options: { path: string; headers: Record<string, string> }): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const sent = request({ host: '127.0.0.1', port, ...options }, response => {
    const chunks: Buffer[] = [];
    response.on('data', chunk => chunks.push(chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
    );
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}
