import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderColdStore } from '../../../src/adapters/cold-folder/store.ts';
import { assertSameStore } from '../../../src/archive/same-store.ts';
import { temporaryFolder } from '../../support/ugc.ts';

async function prepared(folder = temporaryFolder()) {
  const store = folderColdStore(folder);
  await store.prepare();
  return store;
}

const wordsOf = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'the same',
    error => `${error.code}: ${error.message}`,
  );

const newMemory = (): string => join(temporaryFolder(), 'archives.json');
const idIn = async (store: Awaited<ReturnType<typeof prepared>>) =>
  JSON.parse(Buffer.from((await store.read('_ugc/store.json'))!).toString()).id;

test('the first says which it is, and is remembered; the next finds it', async () => {
  const [store, memory] = [await prepared(), newMemory()];
  expect(await wordsOf(assertSameStore(store, memory))).toBe('the same');
  const id = await idIn(store);
  expect(JSON.parse(readFileSync(memory, 'utf8'))).toEqual({ [store.title]: id });
  expect(await wordsOf(assertSameStore(store, memory))).toBe('the same');
  expect(await idIn(store)).toBe(id);
});

test('many at once, each of a data folder of its own, make one of it', async () => {
  const store = await prepared();
  const memories = Array.from({ length: 8 }, newMemory);
  await Promise.all(memories.map(memory => assertSameStore(store, memory)));
  const ids = memories.map(memory => JSON.parse(readFileSync(memory, 'utf8'))[store.title]);
  expect(new Set(ids)).toEqual(new Set([await idIn(store)]));
});

describe('is not begun anew', () => {
  test('where it is empty now, and nothing is made there', async () => {
    const [store, memory] = [await prepared(), newMemory()];
    await assertSameStore(store, memory);
    await store.remove('_ugc/store.json');
    expect(await wordsOf(assertSameStore(store, memory))).toMatch(/^archive_halted: .* is empty, .*is it mounted/);
    expect(await store.read('_ugc/store.json')).toBeNull();
  });

  test('where another archive is now', async () => {
    const [store, memory] = [await prepared(), newMemory()];
    await assertSameStore(store, memory);
    await store.remove('_ugc/store.json');
    await assertSameStore(store, newMemory());
    expect(await wordsOf(assertSameStore(store, memory))).toContain('is another archive');
    writeFileSync(memory, '{}');
    expect(await wordsOf(assertSameStore(store, memory))).toBe('the same'); // as it was said
  });
});

test('one data folder remembers several', async () => {
  const [one, another, memory] = [await prepared(), await prepared(), newMemory()];
  for (const store of [one, another, one]) expect(await wordsOf(assertSameStore(store, memory))).toBe('the same');
  expect(Object.keys(JSON.parse(readFileSync(memory, 'utf8'))).toSorted()).toEqual(
    [one.title, another.title].toSorted(),
  );
});

test.each(['', 'null', '[1', '7', '"text"'])('a memory of %p is damaged', async text => {
  const [store, memory] = [await prepared(), newMemory()];
  writeFileSync(memory, text);
  expect(await wordsOf(assertSameStore(store, memory))).toMatch(/^archive_halted: .*remove it/);
});

test.each(['', '{}', '{"id":7}', '{"id":""}'])('a store that says %p is damaged', async text => {
  const [store, memory] = [await prepared(), newMemory()];
  await store.create('_ugc/store.json', Buffer.from(text));
  expect(await wordsOf(assertSameStore(store, memory))).toMatch(/^archive_halted: .*is damaged/);
  expect(existsSync(memory)).toBe(false);
});
