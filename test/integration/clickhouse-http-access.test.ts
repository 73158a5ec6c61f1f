// Who may ask the embedded ClickHouse over HTTP, and what nobody can: change it as a reader, reach this machine.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clickhousePorts, post, raw, refusal, rows, urlOf } from '../support/clickhouse-http.ts';

const ports = clickhousePorts();

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
      expect([query, await refusal(post(ports.readonly, query))]).toMatchObject([query, { status: 500, code: '164' }]);
      expect([query, await refusal(fetch(urlOf(ports.writable, { query })))]).toMatchObject([query, { code: '164' }]);
    }
    expect(await refusal(post(ports.readonly, 'SELECT 1 SETTINGS readonly = 0'))).toMatchObject({ code: '164' });
    expect(await refusal(post(ports.writable, 'DROP TABLE t', { readonly: '1' }))).toMatchObject({ code: '164' });
    expect(await rows(ports.readonly, 'SELECT count() FROM ugc.t')).toBe('10');
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
      expect([query, (await post(ports.readonly, query)).status]).toEqual([query, 200]);
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
      `SELECT * FROM url('http://127.0.0.1:${ports.readonly.port}/ping', 'LineAsString')`,
      `SELECT * FROM s3('http://127.0.0.1:${ports.readonly.port}/a/b', 'CSV')`,
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
      [ports.readonly, reaching],
      [ports.writable, [...reaching, ...writing]],
    ] as const)
      for (const query of queries) {
        const { status, text } = await refusal(post(http, query));
        expect([query, status >= 400]).toEqual([query, true]);
        expect([query, text.includes('swordfish')]).toEqual([query, false]);
      }
    expect(existsSync(out)).toBe(false);
  });

  test('a column may be called file', async () => {
    expect(await rows(ports.readonly, "SELECT s.file FROM (SELECT 'x' AS file) AS s")).toBe('x');
  });
});

describe('who may come', () => {
  test('a page under a foreign name is refused (DNS rebinding), an address and localhost are not', async () => {
    const status = async (host: string) =>
      (await raw(ports.readonly.port, { path: '/?query=SELECT+1', headers: { Host: host } })).status;
    expect(await status(`evil.example:${ports.readonly.port}`)).toBe(403);
    for (const host of ['localhost', `localhost:${ports.readonly.port}`, '127.0.0.1', '[::1]', '10.0.0.5'])
      expect([host, await status(host)]).toEqual([host, 200]);
  });

  test('a page of another origin may not post', async () => {
    const foreign = { headers: { Origin: 'http://evil.example' } };
    expect((await post(ports.writable, 'SELECT 1', {}, foreign)).status).toBe(403);
    expect((await post(ports.writable, 'SELECT 1', {}, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(
      403,
    );
    const own = { headers: { Origin: `http://127.0.0.1:${ports.writable.port}` } };
    expect((await post(ports.writable, 'SELECT 1', {}, own)).status).toBe(200);
  });
});
