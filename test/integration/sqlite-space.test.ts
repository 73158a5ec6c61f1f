// The buffer's file against what happens to disks: large backlogs, volumes filled by the buffer and by others, limits.

import { expect, test } from 'bun:test';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqliteBufferOptions } from '../../src/adapters/disk/log/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { commitAll, envelope, idsOf, isEmpty, pollAll, pollSome } from '../support/buffer.ts';
import { bufferFolder } from '../support/buffer-folder.ts';
import { smallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const at = bufferFolder();
const mebibyte = 2 ** 20;

test('the file shrinks again after a large backlog is drained', async () => {
  const buffer = await at.open();
  const source = buffer.source('etl');
  for (let i = 0; i < 80; i++) await buffer.append([envelope(`${i}`, 'click', 'x'.repeat(700_000))]);
  const full = (await buffer.stats()).bytes;
  expect(full).toBeGreaterThan(50_000_000);
  for (let left = 80; left > 0; ) {
    const batches = await pollSome(source, 8 * mebibyte);
    left -= batches.length;
    await commitAll(source, batches);
  }
  await until(isEmpty(buffer), 'the buffer is empty');
  const { path } = at;
  await until(async () => {
    await buffer.append([envelope('nudge')]);
    await commitAll(source, await pollSome(source));
    return Bun.file(path).size < 24 * mebibyte;
  }, 'pages have gone back to the volume');
  await until(async () => (await buffer.stats()).bytes < mebibyte, 'what was read is not counted any more');
});

/** A place for the file, with what bounds it there, and how to leave it. */
interface Volume {
  readonly bounds: Partial<SqliteBufferOptions>;
  /** Somebody else takes what is left. */
  crowd(): void;
  /** And gives it back. */
  relieve(): void;
  leave(): void;
}

/** 8 MiB of disk. Null where we may not mount one, said aloud. */
function mounted(): Volume | null {
  const disk = smallDisk(8);
  if (disk === null) return null;
  const foreign = join(disk.path, 'foreign');
  return {
    bounds: { path: join(disk.path, 'buffer.sqlite') },
    crowd() {
      try {
        writeFileSync(foreign, Buffer.alloc(16 * mebibyte));
      } catch {
        // Full, as wanted.
      }
    },
    relieve: () => rmSync(foreign),
    leave: disk.unmount,
  };
}

/** The volume we are on, all of it reserved but 64 MiB. Null where it does not tell what is left of it. */
function reserved(): Volume | null {
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(at.folder);
    return bavail * bsize;
  };
  const foreign = join(at.folder, 'foreign');
  const crowd = (): void => writeFileSync(foreign, Buffer.alloc(128 * mebibyte));
  const before = freeBytes();
  crowd();
  const taken = before - freeBytes();
  rmSync(foreign);
  if (taken < 100 * mebibyte) {
    console.warn('NO VOLUME TO CROWD: the one of the temporary folder does not tell what is left of it');
    return null;
  }
  return {
    bounds: { diskReserveBytes: before - 64 * mebibyte },
    crowd,
    relieve: () => rmSync(foreign),
    leave: () => {},
  };
}

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

test('a disk filled by the buffer refuses, keeps all that was acked, and takes again when drained', async () => {
  const { bounds, leave } = mounted() ?? { bounds: { bytesMax: 6 * mebibyte }, leave: () => {} };
  try {
    for (const diskReserveBytes of [0, 2 * mebibyte]) {
      const buffer = await at.open({ ...bounds, diskReserveBytes });
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
  } finally {
    leave();
  }
});

test('a disk filled by others refuses, and the buffer recovers by itself when they make room', async () => {
  const volume = mounted() ?? reserved();
  if (volume === null) return;
  const { bounds, crowd, relieve, leave } = volume;
  try {
    const buffer = await at.open(bounds);
    buffer.source('etl');
    const acked: string[] = [];
    const isTaken = (id: string): Promise<boolean> =>
      buffer.append([envelope(id)]).then(
        () => true,
        () => false,
      );
    for (let round = 0; round < 4; round++) {
      await buffer.append([envelope(`${round}-before`)]);
      crowd();
      const { acked: more, refusal } = await fill(buffer, `${round}-`);
      expect(refusal).toMatchObject({ code: 'buffer_full' });
      relieve();
      await until(() => buffer.hasRoom(100_000), 'there is room');
      await until(() => isTaken(`${round}-after`), 'an append is taken');
      acked.push(`${round}-before`, ...more, `${round}-after`);
    }
    await buffer.close();
    const again = await at.open({ ...bounds, diskReserveBytes: 0 });
    expect(idsOf(await pollAll(again.source('etl'), acked.length)).sort()).toEqual(acked.sort());
    await again.close();
  } finally {
    leave();
  }
});

test('a limit on the size of files refuses like a full disk or a broken one, and loses nothing', async () => {
  const script = `
    import { sqliteBuffer } from ${JSON.stringify(join(import.meta.dir, '../../src/adapters/disk/log/buffer.ts'))};
    process.on('SIGXFSZ', () => {});
    const buffer = await sqliteBuffer({ path: ${JSON.stringify(at.path)}, bytesMax: 2 ** 30, diskReserveBytes: 0 });
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
  writeFileSync(join(at.folder, 'script.ts'), script);
  const ran = Bun.spawnSync([
    'bash',
    '-c',
    `ulimit -f 3000; trap '' XFSZ; exec ${process.execPath} ${at.folder}/script.ts`,
  ]);
  const lines = ran.stdout.toString().trim().split('\n');
  expect(lines.pop()).toMatch(/^buffer_(full|failed)$/);
  expect(lines.length).toBeGreaterThan(10);
  expect(idsOf(await pollAll((await at.open()).source('etl'), lines.length))).toEqual(lines);
});
