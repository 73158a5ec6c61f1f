// A file that cannot be read now and then, as on a disk that does not answer in time: nothing SQLite calls corruption.

import { expect, test } from 'bun:test';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { commitAll, envelopes, idsOf, isEmpty } from '../support/buffer.ts';
import { bufferFolder } from '../support/buffer-folder.ts';
import { askingAgain, failingThread } from '../support/failing-thread.ts';
import { randomOf } from '../support/random.ts';
import { until } from '../support/until.ts';

const at = bufferFolder();
const parts = 1_500;

test('a read that fails loses nothing of what the reads before it in the same poll have given', async () => {
  const { start, failed } = failingThread(randomOf('failing reads'), 0.3, new Set(['register', 'read', 'commit']));
  const failing = await sqliteBuffer({ path: at.path, bytesMax: 2 ** 30, diskReserveBytes: 0 }, start);
  const buffer = askingAgain(failing);
  try {
    const source = buffer.source('etl');
    for (let part = 0; part < parts; part++) await buffer.append(envelopes(5, 'click', `${part}-`));
    const read: string[] = [];
    while (read.length < parts * 5) {
      // Many rows, so that a poll makes many reads.
      const batches = await source.poll({ paused: new Set(), bytesMax: 2 ** 22 }, AbortSignal.timeout(60_000));
      if (batches.length === 0) break;
      read.push(...idsOf(batches));
      await commitAll(source, batches);
    }
    expect(read).toEqual(Array.from({ length: parts }, (_, part) => idsOfPart(part)).flat());
    await until(isEmpty(buffer), 'the buffer is empty');
    expect(failed.get('read')).toBeGreaterThan(0);
    expect(failed.get('commit')).toBeGreaterThan(0);
  } finally {
    await failing.close();
  }
});

const idsOfPart = (part: number): string[] => envelopes(5, 'click', `${part}-`).map(({ id }) => id);
