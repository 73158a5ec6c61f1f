// The files of a buffer removed, replaced, moved or cut short while it is open: nothing is acked that would be lost, and
// what was acked is saved where the kernel still has it.

import { describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { envelope, envelopes, idsOf, pollAll } from '../support/buffer.ts';
import { bufferFolder } from '../support/buffer-folder.ts';
import { until } from '../support/until.ts';

const at = bufferFolder();
const acked = envelopes(3);
const ackedIds = acked.map(({ id }) => id);
const log = (): string => `${at.path}-wal`;

/** The owner must learn of it from the next append, and nothing may be acked. Gives back what was said. */
async function lost(harm: () => void): Promise<string> {
  const failed = Promise.withResolvers<Error>();
  const said: string[] = [];
  const buffer = await at.open({
    onFailure: failed.resolve,
    log: { error: (fields, message) => said.push(`${message} ${JSON.stringify(fields)}`) },
  });
  await buffer.append(acked);
  harm();
  expect(await buffer.append([envelope('after')]).catch(error => error)).toMatchObject({ code: 'buffer_failed' });
  expect(buffer.hasRoom(1)).toBe(false);
  said.push((await failed.promise).message);
  expect(await buffer.append([envelope('later')]).catch(error => error)).toMatchObject({ code: 'buffer_failed' });
  await buffer.close();
  return said.join('\n');
}

async function idsIn(path: string, count: number): Promise<string[]> {
  const buffer = await at.open({ path });
  const batches = await pollAll(buffer.source('etl'), count);
  await buffer.close();
  return idsOf(batches);
}

describe('what was acked is saved, and nothing is acked any more', () => {
  test('when the file is removed: a copy is in its place', async () => {
    expect(await lost(() => rmSync(at.path))).toContain('buffer.sqlite was removed while open');
    expect(await idsIn(at.path, 3)).toEqual(ackedIds);
  });

  test('when the write-ahead log is removed: all is in the file', async () => {
    expect(await lost(() => rmSync(log()))).toContain('buffer.sqlite-wal was removed while open');
    expect(await idsIn(at.path, 3)).toEqual(ackedIds);
  });

  test('when all files are removed', async () => {
    expect(
      await lost(() => {
        for (const name of readdirSync(at.folder)) rmSync(join(at.folder, name));
      }),
    ).toContain('was removed while open');
    expect(await idsIn(at.path, 3)).toEqual(ackedIds);
  });

  test('when the folder is removed, or moved with all that is in it', async () => {
    for (const harm of [
      (folder: string) => rmSync(folder, { recursive: true }),
      (folder: string) => renameSync(folder, `${folder}.moved`),
    ]) {
      const folder = join(at.folder, 'data');
      const path = join(folder, 'buffer.sqlite');
      const failed = Promise.withResolvers<Error>();
      const buffer = await at.open({ path, onFailure: failed.resolve });
      await buffer.append(acked);
      harm(folder);
      expect(await buffer.append([envelope('after')]).catch(error => error)).toMatchObject({ code: 'buffer_failed' });
      await failed.promise;
      await buffer.close();
      expect(await idsIn(path, 3)).toEqual(ackedIds);
      rmSync(folder, { recursive: true });
    }
  });

  test('when another file is put in its place: that one is left alone, and the copy lies beside it', async () => {
    const said = await lost(() => {
      renameSync(at.path, `${at.path}.old`);
      writeFileSync(at.path, 'theirs');
    });
    expect(said).toContain('buffer.sqlite was replaced while open');
    expect(await Bun.file(at.path).text()).toBe('theirs');
    const copy = readdirSync(at.folder).find(name => name.includes('.rescued-'))!;
    expect(said).toContain(copy);
    mkdirSync(join(at.folder, 'other'));
    renameSync(join(at.folder, copy), join(at.folder, 'other', 'buffer.sqlite'));
    expect(await idsIn(join(at.folder, 'other', 'buffer.sqlite'), 3)).toEqual(ackedIds);
  });

  test('when another log is put in the place of the write-ahead log', async () => {
    const said = await lost(() => {
      renameSync(log(), `${log()}.old`);
      writeFileSync(log(), '');
    });
    expect(said).toContain('buffer.sqlite-wal was replaced while open');
    expect(await idsIn(at.path, 3)).toEqual(ackedIds);
  });
});

test('a write-ahead log cut short is said, with what that means, and nothing is acked any more', async () => {
  const said = await lost(() => truncateSync(log(), 0));
  expect(said).toContain('buffer.sqlite-wal was cut short while open');
  expect(said).toContain('has lost its latest events');
});

test('a file cut short is said, and nothing is acked any more', async () => {
  const before = await at.open();
  await before.append(envelopes(1_000));
  await before.close();
  expect(await lost(() => truncateSync(at.path, 16_384))).toContain('buffer.sqlite was cut short while open');
});

test('whoever only reads notices as well', async () => {
  const failed = Promise.withResolvers<Error>();
  const buffer = await at.open({ onFailure: failed.resolve });
  const polling = buffer.source('etl').poll({ paused: new Set(), bytesMax: 2 ** 20 }, AbortSignal.timeout(60_000));
  rmSync(at.path);
  expect(await polling.catch(error => error)).toMatchObject({ code: 'buffer_failed' });
  expect((await failed.promise).message).toContain('was removed while open');
});

test('a file that shrinks and a log that starts anew are no loss, whoever of two does it', async () => {
  const [one, other] = [await at.open(), await at.open()];
  const sources = [one.source('etl'), other.source('archive')];
  const big = 'x'.repeat(8_000);
  for (let round = 0; round < 6; round++) {
    const sent = Array.from({ length: 1_500 }, (_, index) => envelope(`${round}-${index}`, 'click', big));
    for (let from = 0; from < sent.length; from += 100)
      await (from % 200 === 0 ? one : other).append(sent.slice(from, from + 100));
    for (const source of sources) for (const { ack } of await pollAll(source, 1_500)) await source.commit(ack);
    await until(async () => {
      await Promise.all([one.append([envelope('nudge')]), other.append([envelope('nudge')])]);
      for (const source of sources) for (const { ack } of await pollAll(source, 2)) await source.commit(ack);
      return Bun.file(at.path).size < 2 ** 23 * 3;
    }, 'the file has shrunk');
  }
  expect(existsSync(log())).toBe(true);
});

describe('what lies there at a start', () => {
  const opened = async () => {
    const said: string[] = [];
    const say = (level: string) => (fields: unknown, message: string) =>
      said.push(`${level}: ${message} ${JSON.stringify(fields)}`);
    const buffer = await at.open({ log: { error: say('error'), warn: say('warn') } });
    return { buffer, said };
  };
  /** What a killed instance leaves: all it has acked is in its write-ahead log. */
  async function killed(): Promise<void> {
    const buffer = await at.open();
    await buffer.append(acked);
    const files = ['', '-wal'].map(suffix => [at.path + suffix, readFileSync(at.path + suffix)] as const);
    await buffer.close();
    for (const [path, content] of files) writeFileSync(path, content);
  }

  test('a file without a byte is taken as new, and that is said', async () => {
    writeFileSync(at.path, '');
    const { buffer, said } = await opened();
    expect(said.join()).toMatch(/^warn: the buffer file was there without a byte/);
    await buffer.append(acked);
    expect(idsOf(await pollAll(buffer.source('etl'), 3))).toEqual(ackedIds);
  });

  test('no file at all is nothing to be said', async () => {
    const { said } = await opened();
    expect(said).toEqual([]);
  });

  test('a write-ahead log whose file is empty or gone is saved, not deleted', async () => {
    for (const harm of [() => truncateSync(at.path, 0), () => rmSync(at.path)]) {
      await killed();
      harm();
      const { buffer, said } = await opened();
      expect(said.join()).toContain('what is in the log is saved');
      const source = buffer.source('etl');
      expect(idsOf(await pollAll(source, 3))).toEqual(ackedIds);
      await buffer.append([envelope('fresh')]);
      expect(idsOf(await pollAll(source, 1))).toEqual(['fresh']);
      await buffer.close();
      for (const name of readdirSync(at.folder)) rmSync(join(at.folder, name));
    }
  });

  test('a log that is of no use without its file lies aside, byte for byte', async () => {
    writeFileSync(log(), 'no log of SQLite '.repeat(10_000));
    const { buffer, said } = await opened();
    expect(said.join()).toContain('moved aside');
    await buffer.append(acked);
    const aside = readdirSync(at.folder).find(name => name.includes('.log-'))!;
    expect(readFileSync(join(at.folder, aside), 'utf8')).toStartWith('no log of SQLite');
  });
});
