// What lies where the buffer's file should be: a damaged one, somebody else's, a newer version's, or none.

import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, envelope, envelopes, idsOf, isEmpty, pollAll, pollSome } from '../support/buffer.ts';
import { bufferFolder } from '../support/buffer-folder.ts';
import { until } from '../support/until.ts';

const at = bufferFolder();
const { open } = at;

test('the file is moved aside when it is no database any more, loudly, and an empty one takes its place', async () => {
  const damages: [string, (file: Buffer) => Buffer][] = [
    ['its magic is gone', file => Buffer.concat([Buffer.from('not SQLite at all'), file.subarray(17)])],
    ['its schema is gone', file => Buffer.concat([file.subarray(0, 100), Buffer.alloc(file.length - 100, 0xff)])],
    ['it is text', () => Buffer.from('hello '.repeat(10_000))],
  ];
  for (const [what, damage] of damages) {
    const before = await open();
    await before.append(envelopes(10));
    await before.close();
    const damaged = damage(readFileSync(at.path));
    writeFileSync(at.path, damaged);
    const complaints: string[] = [];
    const after = await open({ log: { error: (_, message) => complaints.push(message) } });
    expect(complaints.join(), what).toContain('moved aside');
    const source = after.source('etl');
    await after.append([envelope('fresh')]);
    expect(idsOf(await pollSome(source)), what).toEqual(['fresh']);
    const aside = readdirSync(at.folder).find(name => name.includes('.corrupt-') && !/-(wal|shm)$/.test(name))!;
    expect(readFileSync(join(at.folder, aside)).equals(damaged), what).toBe(true);
    await after.close();
    for (const name of readdirSync(at.folder)) unlinkSync(join(at.folder, name));
  }
});

test('the file gives out no position again that a lost file gave', async () => {
  const before = await open();
  const { last } = await before.append(envelopes(1000));
  await before.close();
  writeFileSync(at.path, 'no database');
  const { first } = await (await open()).append(envelopes(1));
  expect(first).toBeGreaterThan(last);
});

test('a file of another program is left alone, in words', async () => {
  const foreign = new Database(at.path, { create: true });
  foreign.run('CREATE TABLE theirs (x)');
  foreign.close();
  expect(await open().catch(error => error)).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('another program'),
  });
  expect(readdirSync(at.folder)).toEqual(['buffer.sqlite']);
});

test('a file of a newer version is left alone, in words', async () => {
  await (await open()).close();
  const newer = new Database(at.path);
  newer.run('PRAGMA user_version = 99');
  newer.close();
  expect(await open().catch(error => error)).toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('newer ugc'),
  });
});

test('a file in a folder that cannot be made is an error in words', async () => {
  writeFileSync(join(at.folder, 'file'), '');
  const refused = await open({ path: join(at.folder, 'file', 'buffer.sqlite') }).catch(error => error);
  expect(refused).toMatchObject({ code: 'buffer_failed', name: 'PipelineError' });
});

test('the file holds nothing in its write-ahead log after close, and is the only file left', async () => {
  const buffer = await open();
  await buffer.append(envelopes(1000));
  await pollAll(buffer.source('etl'), 1000);
  await buffer.close();
  expect(readdirSync(at.folder)).toEqual(['buffer.sqlite']);
});

describe('the identity of a log', () => {
  const reopened = async (): Promise<string | null> => {
    const buffer = await open();
    const { id } = buffer;
    await buffer.close();
    return id;
  };
  const change = (sql: string): void => {
    const file = new Database(at.path);
    file.run(sql);
    file.close();
  };

  test('stays with the file, and another file in its place has another', async () => {
    const id = await reopened();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await reopened()).toBe(id);
    renameSync(at.path, `${at.path}.elsewhere`);
    expect(await reopened()).not.toBe(id);
    renameSync(`${at.path}.elsewhere`, at.path);
    expect(await reopened()).toBe(id);
  });

  test('is given to a file from before there were any, with all that lies in it', async () => {
    const before = await open();
    await before.append(envelopes(3));
    await before.close();
    change('DROP TABLE identity');
    const id = await reopened();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await reopened()).toBe(id);
    expect(idsOf(await pollAll((await open()).source('etl'), 3))).toEqual(['e0', 'e1', 'e2']);
  });

  test('that is damaged costs a new one and nothing else', async () => {
    for (const damage of [
      "UPDATE identity SET id = 'x'",
      'DELETE FROM identity',
      'ALTER TABLE identity RENAME id TO di',
    ]) {
      const before = await open();
      const { first } = await before.append(envelopes(3));
      const { id } = before;
      await before.close();
      change(damage);
      const complaints: string[] = [];
      const after = await open({ log: { error: (_, message) => complaints.push(message) } });
      expect(after.id, damage).not.toBe(id);
      expect(complaints.join(), damage).toContain('identity');
      const batches = await pollAll(after.source('etl'), 3);
      expect(batches[0]!.first, damage).toBe(first);
      await commitAll(after.source('etl'), batches);
      await until(isEmpty(after), 'it is empty');
      const given = after.id;
      await after.close();
      expect(await reopened(), damage).toBe(given);
    }
  });
});
