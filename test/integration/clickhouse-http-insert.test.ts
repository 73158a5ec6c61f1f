// Inserts over ClickHouse's HTTP interface: every byte, every format, every compression, nothing taken for SQL.

import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { clickhousePorts, post, refusal, rows } from '../support/clickhouse-http.ts';

const ports = clickhousePorts();

describe('an insert on the writable port', () => {
  const inserted = async (name: string, send: () => Promise<Response>): Promise<string> => {
    await rows(ports.writable, `CREATE TABLE ${name} (a UInt32, b String) ENGINE = MergeTree ORDER BY a`);
    const response = await send();
    const text = await response.text();
    expect([response.status, text]).toEqual([200, '']);
    return rows(ports.readonly, `SELECT concat(toString(a), ' ', hex(b)) FROM ${name} ORDER BY a`);
  };

  test('keeps every byte of its data, after the query or in the body', async () => {
    const data = Buffer.from('INSERT INTO bytes1 FORMAT RowBinary\n\x01\0\0\0\x04\0\xff;\n', 'latin1');
    expect(await inserted('bytes1', () => post(ports.writable, data))).toBe('1 00FF3B0A');
    const body = Buffer.from('\x02\0\0\0\x02\n\xfe', 'latin1');
    expect(
      await inserted('bytes2', () => post(ports.writable, body, { query: 'INSERT INTO bytes2 FORMAT RowBinary' })),
    ).toBe('2 0AFE');
  });

  test('comes in any format, as VALUES, from a SELECT, and with settings', async () => {
    expect(
      await inserted('f1', () =>
        post(ports.writable, '{"a":1,"b":"é"}\n{"a":2}', { query: 'INSERT INTO f1 FORMAT JSONEachRow' }),
      ),
    ).toBe('1 C3A9\n2');
    expect(await inserted('f2', () => post(ports.writable, "INSERT INTO f2 (a, b) VALUES (1, ';'), (2, 'y')"))).toBe(
      '1 3B\n2 79',
    );
    expect(await inserted('f3', () => post(ports.writable, "INSERT INTO f3 SELECT 3, 'z'"))).toBe('3 7A');
    expect(
      await inserted('f4', () =>
        post(ports.writable, '1;x', { query: 'INSERT INTO f4 FORMAT CSV', format_csv_delimiter: ';' }),
      ),
    ).toBe('1 78');
    expect(await inserted('f5', () => post(ports.writable, '', { query: 'INSERT INTO f5 FORMAT JSONEachRow' }))).toBe(
      '',
    );
    const parquet = new Uint8Array(
      await (await post(ports.readonly, "SELECT toUInt32(5) AS a, 'p' AS b FORMAT Parquet")).arrayBuffer(),
    );
    expect(await inserted('f6', () => post(ports.writable, parquet, { query: 'INSERT INTO f6 FORMAT Parquet' }))).toBe(
      '5 70',
    );
  });

  test('ends where it ends: an empty line or a semicolon in it is data, never the begin of SQL', async () => {
    const drop = 'DROP TABLE ugc.t';
    const json = Buffer.from(`{"a":1,"b":"x"}\n\n{"a":2,"b":"y"}\n\n`);
    expect(await inserted('e1', () => post(ports.writable, json, { query: 'INSERT INTO e1 FORMAT JSONEachRow' }))).toBe(
      '1 78\n2 79',
    );
    const numbers = await post(
      ports.readonly,
      'SELECT toUInt32(number) AS a, toString(number) AS b FROM numbers(5000) FORMAT Native',
    );
    const native = new Uint8Array(await numbers.arrayBuffer()); // holds 0A 0A: row 2570
    const stored = await inserted('e2', () => post(ports.writable, native, { query: 'INSERT INTO e2 FORMAT Native' }));
    expect(stored.split('\n')).toHaveLength(5_000);
    expect(
      await inserted('e3', () =>
        post(ports.writable, "(1, 'x'),\n\n(2, 'y')", { query: 'INSERT INTO e3 SETTINGS max_threads = 1 VALUES' }),
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
      await post(ports.writable, body, { query: `INSERT INTO e3 FORMAT ${format}` });
    expect(await rows(ports.readonly, 'EXISTS ugc.t')).toBe('1');
    expect(await rows(ports.readonly, 'SELECT count() FROM e3')).toBe('2');
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
          ports.writable,
          new Uint8Array(body),
          { query: `INSERT INTO z_${encoding} FORMAT JSONEachRow` },
          { headers: { 'Content-Encoding': encoding } },
        );
      expect(await inserted(`z_${encoding}`, send)).toBe('1 78');
    }
    const headers = { 'Content-Encoding': 'snappy' };
    expect(await refusal(post(ports.writable, 'x', {}, { headers }))).toMatchObject({ status: 501, code: '48' });
    const broken = await refusal(post(ports.writable, 'x', {}, { headers: { 'Content-Encoding': 'gzip' } }));
    expect(broken.code).toBe('354');
  });

  test('says what it wrote, and is refused as a whole', async () => {
    const query = 'INSERT INTO ugc.t FORMAT JSONEachRow';
    const response = await post(ports.writable, '{"a":100,"b":"x"}\n{"a":"no"}', { query });
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([400, '27']);
    expect(await rows(ports.readonly, 'SELECT count() FROM t')).toBe('10');
    await rows(ports.writable, 'CREATE TABLE said (a UInt32) ENGINE = Memory');
    const { headers } = await post(ports.writable, '1\n2\n', { query: 'INSERT INTO said FORMAT TSV' });
    expect(JSON.parse(headers.get('x-clickhouse-summary')!).written_rows).toBe('2');
  });

  test('from input() is refused, as the engine would store nothing', async () => {
    const query = "INSERT INTO t SELECT a, 'x' FROM input('a UInt32') FORMAT TSV";
    expect(await refusal(post(ports.writable, '1\n', { query }))).toMatchObject({ status: 501, code: '48' });
  });
});
