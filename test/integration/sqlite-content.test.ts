// The content store's file where it has no room, may not be written, is damaged or not ours, and where two processes have it.

import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteContent } from '../../src/adapters/sqlite-content/content.ts';
import { PipelineError } from '../../src/errors.ts';
import type { ContentStore } from '../../src/ports/content.ts';
import { by, drained, leadOf, rules } from '../support/content.ts';
import { smallDisk } from '../support/small-disk.ts';
import { eventually } from '../support/until.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-content-'));
  path = join(folder, 'content.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (at = path): ContentStore => sqliteContent({ path: at, viewing: rules });

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    error => (error instanceof PipelineError ? error.code : `${error}`),
  );

test('what is committed is there when it is opened again, and nothing else', async () => {
  const store = open();
  await Promise.all(Array.from({ length: 200 }, (_, at) => store.vote('f', 1, by(`u${at}`))));
  const late = store.vote('f', 1, by('late'));
  await store.close(); // waits for what is under way
  expect(await codeOf(late)).toBe('done');
  expect(await codeOf(store.vote('f', 1, by('after')))).toBe('store_unavailable');
  expect(await codeOf(store.counts('f'))).toBe('store_unavailable');
  const again = open();
  expect((await again.counts('f')).likes).toBe(201);
  await again.close();
});

test('of another program: refused in words and left as it is', async () => {
  const other = new Database(path);
  other.run('CREATE TABLE theirs (a)');
  other.close();
  const before = readFileSync(path);
  const store = open();
  expect(await codeOf(store.vote('f', 1, by('ann')))).toBe('store_halted');
  expect(await codeOf(store.counts('f'))).toBe('store_halted');
  expect(store.problem()).toContain('another program');
  await store.close();
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('of a newer ugc, or with another migration: refused in words', async () => {
  const store = open();
  await store.vote('f', 1, by('ann'));
  await store.close();
  const change = (sql: string): void => {
    const db = new Database(path);
    db.run(sql);
    db.close();
  };
  change("INSERT INTO migrations VALUES (99, 'later', '', 0)");
  const older = open();
  expect(await codeOf(older.vote('f', -1, by('ann')))).toBe('store_halted');
  expect(older.problem()).toContain('newer ugc');
  change('DELETE FROM migrations WHERE version = 99');
  await eventually(() => older.problem() === null, { what: 'it is tried again by itself' });
  expect(await older.voteOf('f', 'ann')).toBe(1);
  await older.close();
  change("UPDATE migrations SET checksum = 'x' WHERE version = 1");
  const strange = open();
  expect(await codeOf(strange.counts('f'))).toBe('store_halted');
  expect(strange.problem()).toContain('migration 1');
  await strange.close();
});

test('no database at all, or one that was overwritten: said, and well once a copy lies there', async () => {
  const store = open();
  await store.vote('f', 1, by('ann'));
  await store.close();
  const copy = readFileSync(path);
  writeFileSync(path, 'nothing of a database, for more than a hundred bytes: '.repeat(100));
  const damaged = open();
  expect(await codeOf(damaged.vote('f', 1, by('bob')))).toBe('store_halted');
  expect(damaged.problem()).toContain('damaged');
  writeFileSync(path, copy);
  await eventually(() => damaged.problem() === null, { what: 'the copy is taken' });
  expect(await damaged.vote('f', 1, by('bob'))).toMatchObject({ vote: 1 });
  expect((await damaged.counts('f')).likes).toBe(2);
  await damaged.close();
});

test('without room nothing is done by half; with room again all goes on by itself', async () => {
  const disk = smallDisk(4);
  if (disk === null) return;
  const at = join(disk.path, 'content.sqlite');
  const store = open(at);
  const text = 'x'.repeat(20_000);
  let posted = 0;
  let code = 'done';
  while (code === 'done' && posted < 2_000) {
    const id = `r${posted}`;
    code = await codeOf(store.postReview({ id, filmId: 'f', rating: 5, text, state: 'approved' }, by(`u${posted}`)));
    if (code === 'done') posted++;
  }
  expect(code).toBe('store_unavailable');
  expect(store.problem()).toContain('no room');
  expect((await store.counts('f')).reviews).toBe(posted);
  Bun.spawnSync(['mount', '-o', 'remount,size=32m', disk.path]);
  await eventually(() => store.problem() === null, { what: 'room is noticed, though nobody writes' });
  const change = by('late');
  expect(await codeOf(store.postReview({ id: 'late', filmId: 'f', rating: 5, text, state: 'approved' }, change))).toBe(
    'done',
  );
  expect((await store.counts('f')).reviews).toBe(posted + 1);
  expect(await drained(store)).toHaveLength(posted + 1);
  await store.close();
  disk.unmount();
});

test('a folder that may not be written is said at once, though nothing was asked', async () => {
  const disk = smallDisk(8);
  if (disk === null) return;
  Bun.spawnSync(['mount', '-o', 'remount,ro', disk.path]);
  const store = open(join(disk.path, 'content.sqlite'));
  await eventually(() => store.problem() !== null, { what: 'a problem' });
  expect(await codeOf(store.vote('f', 1, by('ann')))).toBe('store_unavailable');
  expect(await store.lead(AbortSignal.timeout(300))).toBeNull();
  Bun.spawnSync(['mount', '-o', 'remount,rw', disk.path]);
  await eventually(() => store.problem() === null, { what: 'it may be written' });
  expect(await codeOf(store.vote('f', 1, by('ann')))).toBe('done');
  await store.close();
  disk.unmount();
});

describe('two processes', () => {
  const child = (code: string) =>
    Bun.spawn(
      [
        process.execPath,
        '-e',
        `import { sqliteContent } from '${join(import.meta.dir, '../../src/adapters/sqlite-content/content.ts')}';
      import { by, leadOf, rules } from '${join(import.meta.dir, '../support/content.ts')}';
      const store = sqliteContent({ path: ${JSON.stringify(path)}, viewing: rules });
      ${code}`,
      ],
      { stdout: 'pipe', stderr: 'inherit' },
    );

  test('write one file at once: each change is there once', async () => {
    const others = ['a', 'b', 'c'].map(name =>
      child(`await Promise.all(Array.from({ length: 300 }, async (_, at) => {
        await store.vote('f', 1, by('${name}' + at));
        await store.vote('f', -1, by('${name}' + at));
      }));
      await store.close();`),
    );
    const store = open();
    await Promise.all(Array.from({ length: 300 }, (_, at) => store.vote('f', 1, by(`own${at}`))));
    for (const other of others) expect(await other.exited).toBe(0);
    expect(await store.counts('f')).toMatchObject({ likes: 300, dislikes: 900 });
    expect(await drained(store)).toHaveLength(300 + 2 * 900);
    await store.close();
  });

  test('one leads; when it is killed, another does, and nothing is lost', async () => {
    const other = child(
      `await store.vote('f', 1, by('ann')); await leadOf(store); console.log('leads'); setInterval(() => {}, 1_000);`,
    );
    for await (const chunk of other.stdout) if (new TextDecoder().decode(chunk).includes('leads')) break;
    const store = open();
    expect(await store.lead(AbortSignal.timeout(600))).toBeNull();
    const next = leadOf(store);
    other.kill('SIGKILL');
    const outbox = await next;
    expect(await outbox.read(9)).toHaveLength(1);
    await store.close();
  });
});

test('a new file is made by one of several that open it at the same moment, and is the file of all', async () => {
  const atMs = Date.now() + 1_000; // by then all of them run
  const openers = [1, 2, 3, 4].map(() =>
    Bun.spawn(
      [
        process.execPath,
        '-e',
        `import { openContent } from '${join(import.meta.dir, '../../src/adapters/sqlite-content/file.ts')}';
        for (let at = 0; at < 100; at++) {
          while (Date.now() < ${atMs} + at * 30);
          openContent(${JSON.stringify(folder)} + '/' + at + '.sqlite').close();
        }`,
      ],
      { stderr: 'pipe' },
    ),
  );
  for (const opener of openers)
    expect({ code: await opener.exited, said: await new Response(opener.stderr).text() }).toEqual({
      code: 0,
      said: '',
    });
});

test('the files are for their owner alone', async () => {
  const store = open();
  await store.vote('f', 1, by('ann'));
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o077).toBe(0);
  await store.close();
});
