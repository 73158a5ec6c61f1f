// ClickHouse's HTTP interface as clients see it: queries, their answers, and many of them at once. What a reader cannot do:
// clickhouse-http-access.test.ts; inserts: clickhouse-http-insert.test.ts.

import { describe, expect, test } from 'bun:test';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { threadPoolSize } from '../../src/adapters/chdb/library.ts';
import { clickhousePorts, post, raw, refusal, rows, urlOf } from '../support/clickhouse-http.ts';
import { eventually } from '../support/until.ts';

const guestsWaitingMax = 8;
/** Half of the threads. */
const guestsMax = Math.max(1, Math.floor(threadPoolSize() / 2));

const ports = clickhousePorts({ guestsWaitingMax });

describe('the plain routes', () => {
  test('say that it is there', async () => {
    for (const path of ['/ping', '/', '/replicas_status']) {
      const response = await fetch(`http://127.0.0.1:${ports.readonly.port}${path}`);
      expect([path, response.status, await response.text()]).toEqual([path, 200, 'Ok.\n']);
    }
  });

  test('and nothing else is there', async () => {
    for (const path of ['/play', '/dashboard', '/x'])
      expect((await fetch(`http://127.0.0.1:${ports.readonly.port}${path}`)).status).toBe(404);
  });
});

describe('a query', () => {
  test('comes in the URL, in the body, or half in each', async () => {
    expect(await (await fetch(urlOf(ports.readonly, { query: 'SELECT 1' }))).text()).toBe('1\n');
    expect(await rows(ports.readonly, 'SELECT 2')).toBe('2');
    expect(await rows(ports.readonly, 'FROM ugc.t', { query: 'SELECT count()' })).toBe('10');
    const form = new FormData();
    form.set('query', 'SELECT {n:UInt8} + 1');
    form.set('param_n', '4');
    expect(await (await fetch(urlOf(ports.readonly), { method: 'POST', body: form })).text()).toBe('5\n');
  });

  test('is in the database that was said, else in ours', async () => {
    expect(await rows(ports.readonly, 'SELECT currentDatabase()')).toBe('ugc');
    expect(await rows(ports.readonly, 'SELECT currentDatabase()', { database: 'system' })).toBe('system');
    const headers = { 'X-ClickHouse-Database': 'default', 'X-ClickHouse-User': 'u', 'X-ClickHouse-Key': 'k' };
    expect(await (await post(ports.readonly, 'SELECT currentDatabase()', {}, { headers })).text()).toBe('default\n');
    expect(await refusal(post(ports.readonly, 'SELECT 1', { database: 'nope' }))).toMatchObject({
      status: 404,
      code: '81',
    });
  });

  test('takes parameters, and none is left for the next one', async () => {
    const value = "a'b\\c;\u00fc";
    const escaped = value.replaceAll('\\', '\\\\');
    expect(await rows(ports.readonly, 'SELECT {x:String} FORMAT TSVRaw', { param_x: escaped })).toBe(value);
    expect(await refusal(post(ports.readonly, 'SELECT {x:String}'))).toMatchObject({ code: '456' });
  });

  test('takes settings, and none is left for the next one', async () => {
    const sql = "SELECT getSetting('max_block_size')";
    const usual = await rows(ports.readonly, sql);
    expect(await rows(ports.readonly, sql, { max_block_size: '77' })).toBe('77');
    expect(await rows(ports.readonly, `${sql} SETTINGS max_block_size = 78`)).toBe('78');
    expect(await rows(ports.readonly, sql)).toBe(usual);
    expect(await refusal(post(ports.readonly, 'SELECT 1', { no_such_setting: '1' }))).toMatchObject({
      status: 404,
      code: '115',
    });
  });

  test('is answered in the format of the statement, the URL, the header, or as TSV', async () => {
    const formatOf = async (response: Promise<Response>) => {
      const { headers } = await response;
      return [headers.get('x-clickhouse-format'), headers.get('content-type')?.split(';')[0]];
    };
    expect(await formatOf(post(ports.readonly, 'SELECT 1'))).toEqual(['TabSeparated', 'text/tab-separated-values']);
    expect(await formatOf(post(ports.readonly, 'SELECT 1', { default_format: 'JSON' }))).toEqual([
      'JSON',
      'application/json',
    ]);
    expect(await formatOf(post(ports.readonly, 'SELECT 1', {}, { headers: { 'X-ClickHouse-Format': 'CSV' } }))).toEqual(
      ['CSV', 'text/csv'],
    );
    expect(await formatOf(post(ports.readonly, 'SELECT 1 FORMAT JSONEachRow', { default_format: 'JSON' }))).toEqual([
      'JSONEachRow',
      'application/x-ndjson',
    ]);
    const native = await post(ports.readonly, 'SELECT toUInt8(7) AS a FORMAT RowBinary');
    expect([...new Uint8Array(await native.arrayBuffer())]).toEqual([7]);
  });

  test('is answered with its id, a summary and who answered', async () => {
    const { headers } = await post(ports.readonly, 'SELECT * FROM ugc.t', { query_id: 'my-id' });
    expect(headers.get('x-clickhouse-query-id')).toBe('my-id');
    expect(JSON.parse(headers.get('x-clickhouse-summary')!)).toMatchObject({ result_rows: '10', written_rows: '0' });
    expect(headers.get('x-clickhouse-server-display-name')).toBe('ugc');
    expect(headers.get('x-clickhouse-timezone')).toBe((await rows(ports.readonly, 'SELECT timezone()')).trim());
  });

  test('is answered compressed when asked for', async () => {
    const plain = await rows(ports.readonly, 'SELECT number FROM numbers(1000)');
    const decoders = {
      gzip: gunzipSync,
      deflate: inflateSync,
      br: brotliDecompressSync,
      zstd: Bun.zstdDecompressSync,
    };
    for (const [encoding, decode] of Object.entries(decoders)) {
      const { headers, body } = await raw(ports.readonly.port, {
        path: `/?enable_http_compression=1&query=${encodeURIComponent('SELECT number FROM numbers(1000)')}`,
        headers: { 'Accept-Encoding': encoding },
      });
      expect(headers['content-encoding']).toBe(encoding);
      expect(decode(body).toString().trimEnd()).toBe(plain);
    }
    const { headers } = await raw(ports.readonly.port, {
      path: '/?query=SELECT+1',
      headers: { 'Accept-Encoding': 'gzip' },
    });
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
      const answer = await refusal(post(ports.readonly, query));
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
      expect([query, await refusal(post(ports.writable, query))]).toMatchObject([query, { status: 400, code: '62' }]);
    const inBody = await refusal(post(ports.writable, "(99, 'x'); DROP TABLE t", { query: 'INSERT INTO t VALUES' }));
    expect(inBody).toMatchObject({ status: 400, code: '62' });
    expect(await rows(ports.readonly, 'SELECT count() FROM t')).toBe('10');
  });

  test('are not seen where there is one', async () => {
    for (const query of ["SELECT ';'", 'SELECT 1;', 'SELECT 1 -- ; SELECT 2', 'SELECT 1 /* ; */', 'SELECT $a$;x$a$'])
      expect((await post(ports.readonly, query)).status).toBe(200);
  });
});

describe('@clickhouse/client', () => {
  test('queries with parameters and settings, inserts, and gets errors', async () => {
    const client = createClient({
      url: `http://127.0.0.1:${ports.writable.port}`,
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
    await rows(ports.writable, 'CREATE TABLE busy (a UInt32) ENGINE = MergeTree ORDER BY a');
    const asked = Array.from({ length: 6 }, (_, i) => i);
    const answers = asked.map(i =>
      rows(ports.readonly, "SELECT {x:UInt32}, getSetting('max_block_size'), sleep(0.02)", {
        param_x: `${i}`,
        max_block_size: `${1000 + i}`,
      }),
    );
    const inserts = asked.map(i =>
      ports.engine.insert({ into: 'INSERT INTO ugc.busy', format: 'TSV' }, Buffer.from(`${i}\n`)),
    );
    expect(await Promise.all(answers)).toEqual(asked.map(i => `${i}\t${1000 + i}\t0`));
    await Promise.all(inserts);
    expect(await rows(ports.readonly, 'SELECT count() FROM busy')).toBe('6');
  });

  test('those beyond the bound are told to come later', async () => {
    // Those that have a place keep it until they hang up.
    const gone = new AbortController();
    const slow = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1';
    const refused: unknown[] = [];
    const asked = Array.from({ length: 40 }, () =>
      refusal(post(ports.readonly, slow, {}, { signal: gone.signal })).then(
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
    const ask = () =>
      post(ports.readonly, slow, { param_mark: 'hang-up' }, { signal: gone.signal }).catch(() => 'gone');
    // Of the many before some may still be on their way out, and hold the places there are.
    const asking = async (): Promise<unknown> => {
      for (;;) {
        const answer = await ask();
        if (!(answer instanceof Response) || answer.status !== 503) return answer;
        await answer.text();
      }
    };
    const asked = asking();
    const running = async () =>
      Number(await sql("SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow(1), ')"));
    await eventually(async () => (await running()) > 0, { what: 'the query runs' });
    gone.abort();
    expect(await asked).toBe('gone');
    await eventually(async () => (await running()) === 0, { what: 'the query is killed' });
  });

  const sql = async (query: string) => (await ports.engine.query(query)).bytes.toString();
});
