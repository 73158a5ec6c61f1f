// A buffer that is opened on a disk without room: it waits for some, takes nothing meanwhile, and needs no restart.

import { afterEach, expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { commitAll, envelope, envelopes, idsOf, isEmpty, pollAll } from '../support/buffer.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

let disk: SmallDisk | null = null;
afterEach(() => {
  disk?.unmount();
  disk = null;
});

const filler = (): string => join(disk!.path, 'filler');
const fill = (): void => expect(() => writeFileSync(filler(), Buffer.alloc(2 ** 25))).toThrow('ENOSPC');
const open = (): Promise<DiskBuffer> =>
  sqliteBuffer({ path: join(disk!.path, 'data', 'buffer.sqlite'), bytesMax: 2 ** 30, diskReserveBytes: 0 });

test('it takes nothing and says why, and everything once there is room', async () => {
  disk = smallDisk(16);
  if (disk === null) return; // it has said so aloud
  fill();
  const buffer = await open();
  const source = buffer.source('etl');
  const kept = buffer.keepReaders(['etl']);
  expect(buffer.problem()).toContain('there is no room for the disk buffer');
  expect(buffer.id).toBe(null);
  expect(buffer.hasRoom(1)).toBe(false);
  expect(await buffer.append(envelopes(1)).catch(error => error)).toMatchObject({ code: 'buffer_full' });
  const polled = source.poll({ paused: new Set(), bytesMax: 2 ** 20 }, AbortSignal.timeout(90_000));
  rmSync(filler());
  await until(() => buffer.problem() === null, 'it is open');
  expect(await kept).toEqual([]);
  expect(buffer.id).not.toBe(null);
  await buffer.append(envelopes(3));
  expect(idsOf(await polled)).toEqual(['e0', 'e1', 'e2']);
  await buffer.close();
});

test('what lay in it before flows then, for every reader', async () => {
  disk = smallDisk(16);
  if (disk === null) return;
  mkdirSync(join(disk.path, 'data'));
  const before = await open();
  before.source('etl');
  await before.append(envelopes(3));
  await before.close();
  fill();
  const buffer = await open();
  const sources = [buffer.source('etl'), buffer.source('archive')];
  expect(buffer.problem()).not.toBe(null);
  rmSync(filler());
  await until(() => buffer.problem() === null, 'it is open');
  await buffer.append([envelope('after')]);
  for (const source of sources) {
    const batches = await pollAll(source, 4);
    expect(idsOf(batches)).toEqual(['e0', 'e1', 'e2', 'after']);
    await commitAll(source, batches);
  }
  await until(isEmpty(buffer), 'the buffer is empty');
  await buffer.close();
});

test('it closes while it waits', async () => {
  disk = smallDisk(16);
  if (disk === null) return;
  fill();
  const buffer = await open();
  const polled = buffer.source('etl').poll({ paused: new Set(), bytesMax: 1 }, AbortSignal.timeout(90_000));
  await buffer.close();
  expect(await polled).toEqual([]);
});
