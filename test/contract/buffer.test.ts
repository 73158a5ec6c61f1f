import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import type { startThread } from '../../src/adapters/disk/log/thread.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import { askingAgain, failingThread } from '../support/failing-thread.ts';
import { randomOf } from '../support/random.ts';
import { bufferContract } from './buffer.contract.ts';

bufferContract('memory', async ({ bytesMax }) => {
  const buffer = memoryBuffer({ bytesMax });
  return { buffer, dispose: () => buffer.close() };
});

/** Part of what its thread is asked may fail. */
const onDisk =
  (start?: typeof startThread) =>
  async ({ bytesMax }: { bytesMax: number }) => {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-buffer-'));
    const options = { path: join(folder, 'buffer.sqlite'), bytesMax, diskReserveBytes: 0 };
    const buffer = await sqliteBuffer(options, start);
    return {
      buffer: start === undefined ? buffer : askingAgain(buffer),
      async dispose() {
        await buffer.close();
        rmSync(folder, { recursive: true });
      },
    };
  };

bufferContract('sqlite', onDisk());

bufferContract(
  'sqlite whose file cannot be read now and then',
  onDisk(failingThread(randomOf('failing reads'), 0.3, new Set(['register', 'read', 'commit'])).start),
);
