// The console's query on the real engine, and over HTTP on a server that lets this user do anything: what it gives, and what it
// refuses whoever asks.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { readingEngine } from '../../src/adapters/chdb/reading.ts';
import { freeQueryIn } from '../../src/adapters/clickhouse/ask/free-query.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import type { FreeQuery } from '../../src/ports/shown-tables.ts';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { engineInTest } from '../support/engine-in-test.ts';

const local = engineInTest();
const never = new AbortController().signal;
let server: ClickhouseServer;
beforeAll(async () => {
  server = await startClickhouseServer();
});
afterAll(() => server?.remove());

const queries: Readonly<Record<string, () => FreeQuery>> = {
  'the embedded engine, asked as a guest,'() {
    const engine = readingEngine(local.engine, { database: 'default', memoryBytesMax: 2 ** 30 });
    const client = clickhouseClient({ connection: chdbConnection(engine) });
    return freeQueryIn({ client: () => client, isServer: false });
  },
  'a server'() {
    const client = clickhouseClient({ url: server.url, user: 'default', password: '', timeoutMs: 60_000 });
    return freeQueryIn({ client: () => client, isServer: true });
  },
};

describe.each(Object.entries(queries))('%s', (name, queryOf) => {
  const ask = (sql: string, limit = 10_001, seconds = 10) => queryOf().ask(sql, { limit, seconds, signal: never });

  test('gives columns with their types, and rows: integers of 64 bits as text, instants in ISO 8601', async () => {
    expect(
      await ask(`WITH 1 AS one SELECT one, toUInt64(18446744073709551615) AS big, toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS at,
      [1, NULL] AS list, nan AS none, '<script>alert(1)</script>' AS words, toDecimal64(1.5, 2) AS price;  `),
    ).toEqual({
      columns: [
        { name: 'one', type: 'UInt8' },
        { name: 'big', type: 'UInt64' },
        { name: 'at', type: "DateTime64(3, 'UTC')" },
        { name: 'list', type: 'Array(Nullable(UInt8))' },
        { name: 'none', type: 'Float64' },
        { name: 'words', type: 'String' },
        { name: 'price', type: 'Decimal(18, 2)' },
      ],
      rows: [
        [1, '18446744073709551615', '2026-01-02T03:04:05.678Z', [1, null], 'nan', '<script>alert(1)</script>', '1.5'],
      ],
    });
    expect((await ask('SHOW DATABASES')).rows.flat()).toContain('default');
    expect((await ask('DESCRIBE (SELECT 1 AS one)')).rows[0]?.slice(0, 2)).toEqual(['one', 'UInt8']);
    expect((await ask('EXPLAIN SELECT 1')).rows.length).toBeGreaterThan(0);
    expect((await ask('SELECT 1 -- a word')).rows).toEqual([[1]]);
  });

  test('no more rows than asked for are given, however many there are', async () => {
    expect((await ask('SELECT number FROM system.numbers', 101)).rows).toHaveLength(101);
    expect((await ask('SELECT number FROM numbers(1000000000)', 101)).rows).toHaveLength(101);
  });

  describe('is refused', () => {
    const refused: readonly (readonly [sql: string, words: RegExp])[] = [
      ['SELEKT 1', /syntax error/i],
      ['SELECT 1; SELECT 2', /syntax|multi/i],
      ['SELECT 1 FORMAT CSV', /syntax|format/i],
      ['SELECT nothing', /nothing/],
      ['CREATE TABLE t (a Int8) ENGINE = Memory', /readonly/i],
      ['INSERT INTO t VALUES (1)', /readonly|syntax/i],
      ['DROP DATABASE default', /readonly/i],
      ['SET max_memory_usage = 0', /readonly|syntax/i],
      ['SYSTEM FLUSH LOGS', /readonly|privileges|syntax/i],
      ['KILL QUERY WHERE 1', /readonly|syntax/i],
      ['SELECT 1 SETTINGS max_execution_time = 0', /readonly/i],
      ['SELECT number FROM system.numbers SETTINGS limit = 0', /readonly/i],
      ["SELECT * FROM file('/etc/passwd', 'LineAsString')", /privileges|readonly/i],
      ["SELECT file('/etc/passwd')", /privileges/i],
      ["SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", /privileges|readonly/i],
      ["SELECT * FROM s3('http://127.0.0.1:1/bucket/b', 'LineAsString')", /privileges|readonly/i],
      ["SELECT * FROM remote('127.0.0.1:1', 'system.one')", /privileges|readonly/i],
      ["SELECT * FROM executable('x', 'TSV', 'a String')", /privileges|readonly|user scripts/i],
      ["SELECT 1 INTO OUTFILE '/tmp/of-a-query'", /privileges|syntax/i],
      ["SELECT * FROM '/etc/passwd'", /./],
      ['SELECT 1\0 FORMAT CSV', /NUL/],
      ["SELECT repeat('x', 1000000) FROM numbers(1000)", /limit/i],
      ['SELECT groupArray(number) FROM numbers(100000000000)', /memory|timeout/i], // whichever bound is met first
    ];
    /** The stand-in for a server takes them over its readonly = 1, which ClickHouse's documentation says a server does not. */
    const isOpenHere = (sql: string): boolean => name === 'a server' && sql.includes(' SETTINGS ');
    for (const [sql, words] of refused.filter(([sql]) => !isOpenHere(sql)))
      test(sql.replaceAll('\0', '␀').slice(0, 60), async () => {
        const error = await ask(sql).then(
          ({ rows }) => ({ code: 'answered', message: JSON.stringify(rows).slice(0, 100) }),
          error => error,
        );
        expect({ code: error.code, message: error.message }).toMatchObject({
          code: 'bad_request',
          message: expect.stringMatching(words),
        });
      });

    test('what takes longer than it may', async () => {
      await expect(ask('SELECT count() FROM system.numbers', 1, 1)).rejects.toMatchObject({ code: 'bad_request' });
    });
  });
});
