// The buffer's file against what happens to processes and disks: killed writers and readers, two processes at once,
// full disks, files that are no databases or somebody else's.

import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SqliteBufferOptions, sqliteBuffer } from '../../src/adapters/sqlite/buffer.ts';
import type { Batch, DiskBuffer, Source } from '../../src/ports.ts';
import { childTypes, commitAll, envelope, envelopes, idsOf, isEmpty, pollAll, pollSome } from '../support/buffer.ts';
import { randomOf } from '../support/random.ts';
import { until } from '../support/until.ts';

let folder = '';
let path = '';
const opened: DiskBuffer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-sqlite-'));
  path = join(folder, 'buffer.sqlite');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(buffer => buffer.close()));
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<SqliteBufferOptions> = {}): Promise<DiskBuffer> {
  const buffer = await sqliteBuffer({ path, bytesMax: 2 ** 30, diskReserveBytes: 0, ...options });
  opened.push(buffer);
  return buffer;
}

/** A child process, and the ids of every complete line it has printed. */
function child(mode: 'append' | 'move', prefix = '') {
  const script = join(import.meta.dir, '../support/buffer-child.ts');
  const process_ = Bun.spawn([process.execPath, script, mode, path, prefix], { stdout: 'pipe', stderr: 'inherit' });
  const lines: string[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of process_.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    }
  })();
  return {
    ids: () => lines.flatMap(line => line.split(' ')),
    hasSpoken: () => lines.length > 0,
    async kill() {
      process_.kill('SIGKILL');
      await process_.exited;
      await reading;
    },
  };
}

/** What is in the file now, whoever wrote it: of each topic up to a record of our own. */
async function pollToTheEnd(buffer: DiskBuffer, source: Source): Promise<Batch[]> {
  const ends = childTypes.map(type => envelope(`end of ${type}`, type));
  await buffer.append(ends);
  const all: Batch[] = [];
  while (ends.some(({ id }) => !idsOf(all).includes(id))) all.push(...(await pollSome(source)));
  return all;
}

describe('kill -9', () => {
  test('of a writer at any moment loses nothing acked, and doubles nothing', async () => {
    const random = randomOf('killed writer');
    const acked: string[] = [];
    for (let round = 0; round < 12; round++) {
      const writer = child('append', `r${round}`);
      await until(writer.hasSpoken, 'the writer has acked something');
      await Bun.sleep(random.between(0, 120)); // the random moment, not a wait for anything
      await writer.kill();
      acked.push(...writer.ids());
    }
    const buffer = await open();
    const stored = idsOf(await pollToTheEnd(buffer, buffer.source('etl')));
    const once = new Set(stored);
    expect(once.size).toBe(stored.length);
    expect(acked.filter(id => !once.has(id)).slice(0, 10)).toEqual([]);
    expect(acked.length).toBeGreaterThan(0);
  });

  test('of a reader while another process writes: every acked event is read, and the buffer ends empty', async () => {
    const random = randomOf('killed reader');
    const read = new Set<string>();
    const writer = child('append', 'w');
    await until(writer.hasSpoken, 'the writer has acked something');
    for (let round = 0; round < 6; round++) {
      const reader = child('move');
      await until(reader.hasSpoken, 'the reader has read something');
      await Bun.sleep(random.between(0, 150)); // the random moment
      await reader.kill();
      for (const id of reader.ids()) read.add(id);
    }
    await writer.kill();
    const buffer = await open();
    const source = buffer.source('etl');
    const rest = await pollToTheEnd(buffer, source);
    for (const id of idsOf(rest)) read.add(id);
    await commitAll(source, rest);
    expect(
      writer
        .ids()
        .filter(id => !read.has(id))
        .slice(0, 10),
    ).toEqual([]);
    await until(isEmpty(buffer), 'the buffer is empty');
  });
});

describe('two buffers over one file', () => {
  test('what one appends wakes a poll of the other', async () => {
    const [ingest, etl] = [await open(), await open()];
    const source = etl.source('etl');
    for (let i = 0; i < 20; i++) {
      const polled = pollSome(source);
      await ingest.append([envelope(`${i}`)]);
      const batches = await polled;
      expect(idsOf(batches)).toEqual([`${i}`]);
      await commitAll(source, batches);
    }
    await until(isEmpty(ingest), 'the buffer is empty');
  });

  test('both may append: positions are never given twice', async () => {
    const [one, two] = [await open(), await open()];
    const source = one.source('etl');
    const append = (buffer: DiskBuffer, name: string) =>
      Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          Bun.sleep(i % 7).then(() => buffer.append(envelopes(3, 'click', `${name}${i}-`))),
        ),
      );
    await Promise.all([append(one, 'a'), append(two, 'b')]);
    const batches = await pollAll(source, 360);
    expect(new Set(idsOf(batches)).size).toBe(360);
    for (let i = 1; i < batches.length; i++) expect(batches[i]!.first).toBeGreaterThan(batches[i - 1]!.last);
  });

  test('a long drain does not keep the other from appending', async () => {
    const [ingest, etl] = [await open(), await open()];
    const source = etl.source('etl');
    for (let i = 0; i < 1500; i++) await ingest.append([envelope(`${i}`, 'click', 'x'.repeat(30_000))]);
    await source.commit((await pollAll(source, 1500)).at(-1)!);
    let appended = 0;
    let slowestMs = 0;
    for (let deletedAll = false; !deletedAll; appended++) {
      const at = performance.now();
      await ingest.append([envelope(`${appended}`, 'page_view')]);
      slowestMs = Math.max(slowestMs, performance.now() - at);
      deletedAll = (await etl.stats()).events <= appended + 1;
    }
    console.log(`${appended} appends beside a drain, the slowest took ${slowestMs.toFixed(1)} ms`);
    expect(appended).toBeGreaterThan(10);
    expect(slowestMs).toBeLessThan(1_000);
  });
});

describe('space', () => {
  test('the file shrinks again after a large backlog is drained', async () => {
    const buffer = await open();
    const source = buffer.source('etl');
    for (let i = 0; i < 80; i++) await buffer.append([envelope(`${i}`, 'click', 'x'.repeat(700_000))]);
    const full = (await buffer.stats()).bytes;
    expect(full).toBeGreaterThan(50_000_000);
    for (let left = 80; left > 0; ) {
      const batches = await pollSome(source, 8 * 2 ** 20);
      left -= batches.length;
      await commitAll(source, batches);
    }
    await until(isEmpty(buffer), 'the buffer is empty');
    const sizeOfFile = () => Bun.file(path).size;
    await until(async () => {
      await buffer.append([envelope('nudge')]);
      await commitAll(source, await pollSome(source));
      return sizeOfFile() < 24 * 2 ** 20;
    }, 'pages have gone back to the volume');
    expect((await buffer.stats()).bytes).toBeLessThan(2 ** 20);
  });

  /** 8 MiB of disk: a tmpfs, or where we may not mount, and said so, the buffer's own bound. */
  const smallDisk = (check: (mount: string, bounds: { bytesMax?: number }) => Promise<void>) => async () => {
    const mount = join(folder, 'small');
    mkdirSync(mount);
    path = join(mount, 'buffer.sqlite');
    const { exitCode, stderr } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', mount]);
    if (exitCode !== 0)
      console.log(`no tmpfs (${stderr.toString().trim()}): a bound of 6 MiB stands for the small disk`);
    try {
      await check(mount, exitCode === 0 ? {} : { bytesMax: 6 * 2 ** 20 });
    } finally {
      await Promise.all(opened.splice(0).map(buffer => buffer.close()));
      if (exitCode === 0) Bun.spawnSync(['umount', mount]);
    }
  };

  /** Appends until refused; what was acked. */
  async function fill(buffer: DiskBuffer, prefix: string): Promise<{ acked: string[]; refusal: unknown }> {
    const acked: string[] = [];
    for (let i = 0; ; i++) {
      const group = Array.from({ length: 5 }, (_, n) =>
        envelope(`${prefix}${i}-${n}`, `type_${n % 2}`, 'x'.repeat(9_000)),
      );
      const refusal = await buffer.append(group).then(
        () => null,
        error => error,
      );
      if (refusal) return { acked, refusal };
      acked.push(...group.map(({ id }) => id));
    }
  }

  test(
    'a disk filled by the buffer refuses, keeps all that was acked, and takes again when drained',
    smallDisk(async (_, bounds) => {
      for (const diskReserveBytes of [0, 2 * 2 ** 20]) {
        const buffer = await open({ ...bounds, diskReserveBytes });
        const source = buffer.source('etl');
        for (let round = 0; round < 3; round++) {
          const { acked, refusal } = await fill(buffer, `${diskReserveBytes}-${round}-`);
          expect(refusal).toMatchObject({ code: 'buffer_full' });
          expect(acked.length).toBeGreaterThan(50);
          const batches = await pollAll(source, acked.length);
          expect(idsOf(batches).sort()).toEqual(acked.sort());
          await commitAll(source, batches);
          await until(isEmpty(buffer), 'the buffer is empty');
          await until(() => buffer.hasRoom(200_000), 'there is room');
        }
        await buffer.close();
      }
    }),
  );

  test(
    'a disk filled by others refuses, and the buffer recovers by itself when they make room',
    smallDisk(async (mount, bounds) => {
      const buffer = await open(bounds);
      const source = buffer.source('etl');
      const acked: string[] = [];
      const foreign = join(mount, 'foreign');
      for (let round = 0; round < 4; round++) {
        const first = [envelope(`${round}-before`)];
        await buffer.append(first);
        acked.push(...first.map(({ id }) => id));
        try {
          writeFileSync(foreign, Buffer.alloc(16 * 2 ** 20)); // without the tmpfs it fits, and the bound refuses
        } catch {
          // Full, as wanted.
        }
        const { acked: more, refusal } = await fill(buffer, `${round}-`);
        expect(refusal).toMatchObject({ code: 'buffer_full' });
        acked.push(...more);
        unlinkSync(foreign);
        await until(() => buffer.hasRoom(100_000), 'there is room');
        await until(
          () =>
            buffer.append([envelope(`${round}-after`)]).then(
              () => true,
              () => false,
            ),
          'an append is taken',
        );
        acked.push(`${round}-after`);
      }
      await buffer.close();
      const again = await open();
      const batches = await pollAll(again.source('etl'), acked.length);
      expect(idsOf(batches).sort()).toEqual(acked.sort());
      await source.close();
    }),
  );

  test('a limit on the size of files refuses like a full disk or a broken one, and loses nothing', async () => {
    const script = `
      import { sqliteBuffer } from ${JSON.stringify(join(import.meta.dir, '../../src/adapters/sqlite/buffer.ts'))};
      process.on('SIGXFSZ', () => {});
      const buffer = await sqliteBuffer({ path: ${JSON.stringify(path)}, bytesMax: 2 ** 30, diskReserveBytes: 0 });
      for (let i = 0; i < 2000; i++) {
        const body = JSON.stringify({ event_id: String(i), extra: 'x'.repeat(9000) });
        try {
          await buffer.append([{ id: String(i), type: 'click', topic: 'ugc.click', key: null, body, receivedAtMs: 1 }]);
          console.log(i);
        } catch (error) {
          console.log(error.code);
          break;
        }
      }
      process.exit(0);`;
    writeFileSync(join(folder, 'script.ts'), script);
    const ran = Bun.spawnSync([
      'bash',
      '-c',
      `ulimit -f 3000; trap '' XFSZ; exec ${process.execPath} ${folder}/script.ts`,
    ]);
    const lines = ran.stdout.toString().trim().split('\n');
    expect(lines.pop()).toMatch(/^buffer_(full|failed)$/);
    expect(lines.length).toBeGreaterThan(10);
    expect(idsOf(await pollAll((await open()).source('etl'), lines.length))).toEqual(lines);
  });
});

describe('the file', () => {
  test('is moved aside when it is no database any more, loudly, and an empty one takes its place', async () => {
    const damages: [string, (file: Buffer) => Buffer][] = [
      ['its magic is gone', file => Buffer.concat([Buffer.from('not SQLite at all'), file.subarray(17)])],
      ['its schema is gone', file => Buffer.concat([file.subarray(0, 100), Buffer.alloc(file.length - 100, 0xff)])],
      ['it is text', () => Buffer.from('hello '.repeat(10_000))],
    ];
    for (const [what, damage] of damages) {
      const before = await open();
      await before.append(envelopes(10));
      await before.close();
      const damaged = damage(readFileSync(path));
      writeFileSync(path, damaged);
      const complaints: string[] = [];
      const after = await open({ log: { error: (_, message) => complaints.push(message) } });
      expect(complaints.join(), what).toContain('moved aside');
      const source = after.source('etl');
      await after.append([envelope('fresh')]);
      expect(idsOf(await pollSome(source)), what).toEqual(['fresh']);
      const aside = readdirSync(folder).find(name => name.includes('.corrupt-') && !/-(wal|shm)$/.test(name))!;
      expect(readFileSync(join(folder, aside)).equals(damaged), what).toBe(true);
      await after.close();
      for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    }
  });

  test('gives out no position again that a lost file gave', async () => {
    const before = await open();
    const { last } = await before.append(envelopes(1000));
    await before.close();
    writeFileSync(path, 'no database');
    const { first } = await (await open()).append(envelopes(1));
    expect(first).toBeGreaterThan(last);
  });

  test('of another program is left alone, in words', async () => {
    const foreign = new Database(path, { create: true });
    foreign.run('CREATE TABLE theirs (x)');
    foreign.close();
    expect(await open().catch(error => error)).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('another program'),
    });
    expect(readdirSync(folder)).toEqual(['buffer.sqlite']);
  });

  test('of a newer version is left alone, in words', async () => {
    await (await open()).close();
    const newer = new Database(path);
    newer.run('PRAGMA user_version = 99');
    newer.close();
    expect(await open().catch(error => error)).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('newer ugc'),
    });
  });

  test('in a folder that cannot be made is an error in words', async () => {
    writeFileSync(join(folder, 'file'), '');
    const refused = await open({ path: join(folder, 'file', 'buffer.sqlite') }).catch(error => error);
    expect(refused).toMatchObject({ code: 'buffer_failed', name: 'PipelineError' });
  });

  test('taken away while open: nothing more is acked, and the owner is told to restart', async () => {
    const failed = Promise.withResolvers<unknown>();
    const buffer = await open({ onFailure: failed.resolve });
    await buffer.append(envelopes(3));
    for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    await until(
      () =>
        buffer.append([envelope('x')]).then(
          () => false,
          () => true,
        ),
      'an append is refused',
    );
    expect(await failed.promise).toMatchObject({ code: 'buffer_failed' });
    expect(await buffer.append([envelope('y')]).catch(error => error)).toMatchObject({ code: 'buffer_failed' });
    expect(buffer.hasRoom(1)).toBe(false);
    await buffer.close();
    expect(existsSync(path)).toBe(false);
  });

  test('holds nothing in its write-ahead log after close, and is the only file left', async () => {
    const buffer = await open();
    await buffer.append(envelopes(1000));
    await pollAll(buffer.source('etl'), 1000);
    await buffer.close();
    expect(readdirSync(folder)).toEqual(['buffer.sqlite']);
  });
});
