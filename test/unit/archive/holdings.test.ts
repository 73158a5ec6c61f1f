import { expect, test } from 'bun:test';
import { memoryColdStore } from '../../../src/adapters/memory/cold-store.ts';
import { readHoldings } from '../../../src/archive/holdings.ts';
import { compactionPath, entryPath } from '../../../src/archive/layout.ts';
import type { ArchivedFile, Compaction, Entry } from '../../../src/archive/manifest.ts';

const { signal } = new AbortController();
const chain = { topic: 'ugc.click', log: 'a', partition: 0 };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const file = (path: string): ArchivedFile => ({
  ...{ path, format: 'parquet', type: 'click', version: 1, day: '2026-11-28', rows: 10, bytes: 5, sha256: 'x' },
  ...{ receivedFromMs: 0, receivedToMs: 1 },
});

const entry = (first: number, last: number, ...paths: readonly string[]): Entry => ({
  ...{ ...chain, first, last, formats: ['parquet'], records: last - first + 1, dead: 0, missing: [] },
  ...{ files: paths.map(file), by: 'ugc', at: '2026-11-28T00:00:00Z' },
});

async function holdingsOf(entries: readonly Entry[], more: Readonly<Record<string, Uint8Array>> = {}) {
  const store = memoryColdStore();
  for (const each of entries) await store.create(entryPath(chain, each.first), bytesOf(each));
  for (const [path, bytes] of Object.entries(more)) await store.create(path, bytes);
  const { files, problems } = await readHoldings(store, signal);
  return { paths: files.map(({ path }) => path), problems };
}

test('a whole manifest has every file and nothing to complain of', async () => {
  expect(await holdingsOf([entry(0, 9, 'a'), entry(10, 19, 'b', 'c')])).toEqual({
    paths: ['a', 'b', 'c'],
    problems: [],
  });
  expect(await holdingsOf([])).toEqual({ paths: [], problems: [] });
});

test('an entry that is gone, and records in two of them, are named with their positions', async () => {
  const gone = await holdingsOf([entry(0, 9, 'a'), entry(20, 29, 'b')]);
  expect(gone.problems).toEqual(['the manifest of ugc.click/0 of log a lacks positions 10 to 19']);
  const twice = await holdingsOf([entry(0, 9, 'a'), entry(5, 19, 'b')]);
  expect(twice.problems).toEqual(['the manifest of ugc.click/0 of log a has positions 5 to 9 twice']);
});

test('what is damaged, or no entry at all, is said, and the others are read', async () => {
  const { paths, problems } = await holdingsOf([entry(0, 9, 'a')], {
    [entryPath(chain, 10)]: bytesOf({ half: 'an entry' }).subarray(0, 9),
    '_ugc/manifest/notes.txt': bytesOf('hello'),
  });
  expect(paths).toEqual(['a']);
  expect(problems).toEqual([
    expect.stringContaining('_ugc/manifest/notes.txt is no entry'),
    expect.stringContaining('is damaged'),
  ]);
});

test('a compaction takes files away and brings its own; one of files that never were is said', async () => {
  const made: Compaction = {
    ...{ format: 'parquet', type: 'click', day: '2026-11-28', generation: 1, at: '2026-11-29T00:00:00Z' },
    ...{ replaces: ['a', 'b'], files: [file('ab')] },
  };
  const entries = [entry(0, 9, 'a'), entry(10, 19, 'b'), entry(20, 29, 'c')];
  expect(await holdingsOf(entries, { [compactionPath(made)]: bytesOf(made) })).toEqual({
    ...{ paths: ['c', 'ab'], problems: [] },
  });
  const strange = { ...made, replaces: ['never'] };
  const { problems } = await holdingsOf(entries, { [compactionPath(strange)]: bytesOf(strange) });
  expect(problems).toEqual(['never was replaced and is in no manifest']);
});

test('a generation that a listing lacks is read all the same, and one that is gone is said', async () => {
  const first: Compaction = {
    ...{ format: 'parquet', type: 'click', day: '2026-11-28', generation: 1, at: '2026-11-29T00:00:00Z' },
    ...{ replaces: ['a', 'b'], files: [file('ab')] },
  };
  const second = { ...first, generation: 2, replaces: ['ab', 'c'], files: [file('abc')] };
  const store = memoryColdStore();
  for (const [at, path] of ['a', 'b', 'c'].entries())
    await store.create(entryPath(chain, at), bytesOf(entry(at, at, path)));
  for (const each of [first, second]) await store.create(compactionPath(each), bytesOf(each));
  const late = {
    ...store,
    list: async (folder: string) => (await store.list(folder)).filter(({ path }) => path !== compactionPath(first)),
  };
  const { files, problems } = await readHoldings(late, signal);
  expect({ paths: files.map(({ path }) => path), problems }).toEqual({ paths: ['abc'], problems: [] });
  await store.remove(compactionPath(first));
  expect((await readHoldings(store, signal)).problems).toContainEqual(
    expect.stringMatching(/000001\.json in memory: is not there, and a later one is/),
  );
});
