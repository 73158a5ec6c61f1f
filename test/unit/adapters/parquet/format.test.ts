// Parquet files of their own: row groups, pages, dictionaries and statistics, and what is no file of ours. That other readers
// read the same is shown with them (test/integration/archive-formats.test.ts, test/slow/hive.test.ts).

import { describe, expect, test } from 'bun:test';
import { parquetMetadata } from 'hyparquet';
import { parquetFormat } from '../../../../src/adapters/parquet/format.ts';
import type { TableDefinition } from '../../../../src/ports/tables.ts';

const column = (name: string, type: string) => ({ name, type, about: 'x' });
const definition: TableDefinition = {
  type: 'thing',
  version: 3,
  summary: 'A thing',
  columns: [
    column('id', 'UUID'),
    column('word', 'LowCardinality(String)'),
    column('n', 'Nullable(Int64)'),
    column('share', 'Float64'),
    column('at', "DateTime64(3, 'UTC')"),
    column('is', 'Bool'),
    column('list', 'Array(String)'),
  ],
};
const format = parquetFormat({ compression: 'snappy' });

interface Thing {
  readonly id: string;
  readonly word?: string;
  readonly n?: number | null;
  readonly list?: readonly string[];
}

const bodyOf = ({ id, word = 'a', n = null, list = [] }: Thing): string =>
  `{"id":"${id}","word":${JSON.stringify(word)},"n":${n},"share":-1.5,"at":"2026-11-28T12:00:00.001Z","is":true,"list":${JSON.stringify(list)}}\n`;
const idOf = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
const fileOf = (bodies: readonly string[], of = definition): Uint8Array =>
  format.encode(of, [Buffer.from(bodies.join(''))]);
const footerOf = (file: Uint8Array) => parquetMetadata(file.slice().buffer);

async function decoded(file: Uint8Array, of = definition): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of format.decode(of, file)) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('a Parquet file', () => {
  test('of more rows than a row group has several, each with the bounds of its columns', async () => {
    const bodies = Array.from({ length: 230_000 }, (_, at) =>
      bodyOf({ id: idOf(at), word: `w${at % 300}`, n: at % 7 === 0 ? null : at - 100, list: at % 2 ? ['x', 'é'] : [] }),
    );
    const file = fileOf(bodies);
    const { row_groups, num_rows, key_value_metadata } = footerOf(file);
    expect(num_rows).toBe(230_000n);
    expect(key_value_metadata).toEqual([{ key: 'ugc.version', value: '3' }]);
    expect(row_groups.map(group => group.num_rows)).toEqual([100_000n, 100_000n, 30_000n]);
    const boundsOf = (group: number, at: number) => row_groups[group]?.columns[at]?.meta_data?.statistics;
    expect(boundsOf(1, 2)).toMatchObject({ min_value: 99_900n, max_value: 199_899n, null_count: 14_286n });
    expect(boundsOf(0, 5)).toMatchObject({ min_value: true, max_value: true });
    expect(String(boundsOf(2, 0)?.min_value)).toBe(idOf(200_000).slice(0, 16));
    const encodings = row_groups[0]?.columns.map(({ meta_data }) => meta_data?.encodings.includes('RLE_DICTIONARY'));
    expect(encodings).toEqual([false, true, false, true, true, false, true]);
    expect(await decoded(file)).toBe(bodies.join(''));
  });

  test('of nothing is a file, and so is one of long texts alone, and of nulls alone', async () => {
    expect(await decoded(fileOf([]))).toBe('');
    expect(footerOf(fileOf([])).row_groups).toEqual([]);
    const long = [3, 2_000_000, 0, 1_500_000].map((length, at) => bodyOf({ id: idOf(at), word: 'é'.repeat(length) }));
    expect(await decoded(fileOf(long))).toBe(long.join(''));
    const nulls = Array.from({ length: 25_000 }, (_, at) => bodyOf({ id: idOf(at) }));
    expect(await decoded(fileOf(nulls))).toBe(nulls.join(''));
  });

  test('keeps every digit, and texts of any bytes, a byte order mark at their beginning too', async () => {
    const bodies = [
      `{"id":"${idOf(1)}","word":"\ufeffa\ufeff","n":9223372036854775807,"share":5e-324,"at":"1900-01-01T00:00:00.000Z","is":false,"list":["\\u0000",""]}\n`,
      `{"id":"${idOf(2)}","word":"\\"\\n\u2028","n":-9223372036854775808,"share":1e+21,"at":"2299-12-31T23:59:59.999Z","is":true,"list":[]}\n`,
    ];
    expect(await decoded(fileOf(bodies))).toBe(bodies.join(''));
  });

  test('has a time in any spelling as what it is, without a zone as UTC', async () => {
    const spelt = ['2026-11-28 12:00:00.001', '2026-11-28T14:00:00.001+02:00', '2026-11-28T12:00:00.001Z'];
    const wanted = bodyOf({ id: idOf(1) });
    for (const text of spelt)
      expect(await decoded(fileOf([wanted.replace('2026-11-28T12:00:00.001Z', text)]))).toBe(wanted);
  });

  test('of before the type has grown leaves the new columns out; a column that nobody knows is an error', async () => {
    const small = { ...definition, columns: definition.columns.filter(({ name }) => name !== 'n') };
    const body = bodyOf({ id: idOf(1) }).replace('"n":null,', '');
    const old = fileOf([body], small);
    expect(await decoded(old)).toBe(body);
    expect(decoded(fileOf([bodyOf({ id: idOf(1) })]), small)).rejects.toThrow('columns that its definition has not: n');
  });

  test('is not made of what its columns do not take', () => {
    const wrong = (changes: readonly [string, string]) => () =>
      fileOf([bodyOf({ id: idOf(1), n: 5 }).replace(...changes)]);
    expect(wrong(['"word":"a"', '"word":null'])).toThrow('null in the column word');
    expect(wrong(['"n":5', '"n":9223372036854775808'])).toThrow('not a whole number that its column holds');
    expect(wrong(['"n":5', '"n":1.5'])).toThrow('not a whole number: 1.5');
    expect(wrong(['"share":-1.5', '"share":"x"'])).toThrow('not a number: x');
    expect(wrong(['2026-11-28T12', '2026-13-28T12'])).toThrow('not a time');
    expect(wrong(['T12:00:00.001', 'T99:00:00.001'])).toThrow('not a time');
    expect(wrong(['"is":true', '"is":1'])).toThrow('not true or false');
    expect(() => fileOf([], { ...definition, columns: [column('x', 'Decimal(9, 2)')] })).toThrow('Decimal(9, 2)');
  });

  test('that is cut, or is none, is told', async () => {
    const file = fileOf([bodyOf({ id: idOf(1) })]);
    expect(decoded(file.subarray(0, file.length - 20))).rejects.toThrow();
    expect(decoded(new Uint8Array(0))).rejects.toThrow();
    expect(decoded(Buffer.from('{"id":1}\n'))).rejects.toThrow();
  });
});
