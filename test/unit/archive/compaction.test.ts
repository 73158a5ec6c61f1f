// What a compaction makes of files, and when it makes none.

import { expect, test } from 'bun:test';
import { csvFormat } from '../../../src/adapters/csv/format.ts';
import { memoryColdStore } from '../../../src/adapters/memory/cold-store.ts';
import { parquetFormat } from '../../../src/adapters/parquet/format.ts';
import { type CompactingOptions, compactArchive } from '../../../src/archive/compactor.ts';
import { readHoldings } from '../../../src/archive/holdings.ts';
import { filePath } from '../../../src/archive/layout.ts';
import { hashOf } from '../../../src/archive/read-file.ts';
import { settleEntry } from '../../../src/archive/records.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { RowFormatName } from '../../../src/ports/row-format.ts';
import type { TableDefinition } from '../../../src/ports/tables.ts';

const { signal } = new AbortController();
const formats = { parquet: parquetFormat({ compression: 'snappy' }), csv: csvFormat() };
const day = '2026-11-01';
const column = (name: string, type: string) => ({ name, type, about: name });
const small: TableDefinition = {
  ...{ type: 'seen', summary: '', version: 1 },
  columns: [column('event_id', 'UUID'), column('received_at', "DateTime64(3, 'UTC')"), column('page', 'String')],
};
const grown = { ...small, columns: [...small.columns, column('title', 'String')] };
const idOf = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;

function archive() {
  const store = memoryColdStore();
  let first = 0;
  return {
    store,
    async enter(
      definition: TableDefinition,
      more: Readonly<Record<string, unknown>> = {},
      name: RowFormatName = 'parquet',
    ) {
      const received_at = `${day}T00:00:${String(first % 60).padStart(2, '0')}.000Z`;
      const body = JSON.stringify({ event_id: idOf(first), received_at, page: 'ä\n"', ...more });
      const content = formats[name].encode(definition, [Buffer.from(`${body}\n`)]);
      const [chain, sha256] = [{ topic: 't', log: 'a', partition: 0, first, last: first }, hashOf(content)];
      const path = filePath({ ...chain, format: formats[name], type: 'seen', day, sha256 });
      await store.create(path, content);
      const of = { path, format: name, type: 'seen', version: definition.version ?? 1, day, rows: 1, sha256 };
      const file = { ...of, bytes: content.length, receivedFromMs: Date.parse(received_at) };
      const files = [{ ...file, receivedToMs: file.receivedFromMs }];
      const counts = { records: 1, dead: 0, missing: [], by: 'test', at: received_at };
      await settleEntry(store, { ...chain, formats: [name], ...counts, files }, signal);
      first++;
      return path;
    },
    compact: (more: Partial<CompactingOptions> = {}) =>
      compactArchive({
        ...{ store, formats, signal, now: Date.now, graceMs: 0, isWanted: () => true, filesMin: 2, tell: null },
        ...{ definitionOf: () => grown, fileBytes: 2 ** 20, isDry: false, ...more },
      }),
    holdings: () => readHoldings(store, signal),
    async rows(): Promise<string> {
      let lines = '';
      for (const { path, format } of (await readHoldings(store, signal)).files)
        for await (const chunk of formats[format].decode(grown, (await store.read(path))!))
          lines += Buffer.from(chunk).toString();
      return lines;
    },
  };
}

for (const name of ['parquet', 'csv'] as const)
  test(`files of before a type has grown stay what they are, in files of their own: ${name}`, async () => {
    const { enter, compact, holdings, rows } = archive();
    for (let times = 0; times < 3; times++) await enter(small, {}, name);
    for (let times = 0; times < 2; times++) await enter(grown, { title: 't' }, name);
    const before = await rows();
    const { days, problems } = await compact();
    expect({ problems, into: days.map(({ into }) => into?.files) }).toEqual({ problems: [], into: [2] });
    expect((await holdings()).files.map(({ rows: of }) => of)).toEqual([3, 2]);
    expect(await rows()).toBe(before);
  });

test('rows that would be read as others, or are of no known type, or of a newer ugc, are left, and it is said', async () => {
  const { enter, compact, holdings } = archive();
  for (let times = 0; times < 2; times++) await enter(small);
  const strict = { ...small, columns: small.columns.slice(0, 2) };
  const why = async (more: Partial<CompactingOptions>) => (await compact(more)).days[0]?.left;
  expect(await why({ definitionOf: () => strict })).toContain('columns that its definition has not: page');
  expect(await why({ definitionOf: () => undefined })).toContain('no definition of seen');
  const { files } = await holdings();
  expect(files).toHaveLength(2);
  await enter({ ...small, version: 2 });
  expect(await why({})).toBe('a newer ugc has written it');
  const strange = {
    ...formats,
    parquet: { ...formats.parquet, encode: () => formats.parquet.encode(small, []) },
  };
  expect(await why({ definitionOf: () => ({ ...grown, version: 2 }), formats: strange })).toContain(
    'its rows would be read as others',
  );
  expect((await holdings()).compactions).toEqual([]);
});

test('a file that is damaged is named, and nothing is made of its day', async () => {
  const { store, enter, compact, holdings } = archive();
  await enter(small);
  const path = await enter(small);
  await store.remove(path);
  await store.create(path, Buffer.from('half'));
  expect((await compact()).problems).toEqual([`${path} in memory: has other bytes than the manifest says`]);
  expect((await holdings()).compactions).toEqual([]);
});

test('nothing is taken away while Hive does not know, or what stands in its place is not there', async () => {
  const { store, enter, compact, holdings } = archive();
  const old = await enter(small);
  await enter(small);
  const away = async () => {
    throw new PipelineError('archive_unavailable', 'Hive is away');
  };
  const told: string[][] = [];
  const tell: CompactingOptions['tell'] = async places => {
    told.push(places.map(({ generation }) => String(generation)));
  };
  expect((await compact({ tell: away })).problems).toEqual([expect.stringContaining('Hive is away')]);
  const again = await compact({ tell: away });
  expect({ removed: again.removed.files, problems: again.problems.length }).toEqual({ removed: 0, problems: 1 });
  const [made] = (await holdings()).files;
  const content = (await store.read(made!.path))!;
  await store.remove(made!.path);
  expect((await compact({ tell })).problems).toEqual([expect.stringContaining('what it replaces is kept')]);
  expect(await store.read(old)).not.toBeNull();
  await store.create(made!.path, content);
  const { removed, problems } = await compact({ tell });
  expect({ removed: removed.files > 0, problems, told }).toEqual({ removed: true, problems: [], told: [['1']] });
  expect(await store.read(old)).toBeNull();
});

test('one late file is taken along where Hive reads, and files of their size are let be', async () => {
  const { enter, compact } = archive();
  for (let times = 0; times < 2; times++) await enter(small);
  expect((await compact({ fileBytes: 8 })).days).toEqual([]);
  expect((await compact()).days).toHaveLength(1);
  await enter(small);
  expect((await compact()).days).toEqual([]);
  expect((await compact({ tell: async () => {} })).days[0]).toMatchObject({ files: 2, into: { files: 1 } });
  expect((await compact({ tell: async () => {} })).days).toEqual([]);
});
