import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import { sqliteBuffer } from '../../src/adapters/sqlite/buffer.ts';
import { bufferContract } from './buffer.contract.ts';

bufferContract('memory', async ({ bytesMax }) => {
  const buffer = memoryBuffer({ bytesMax });
  return { buffer, dispose: () => buffer.close() };
});

bufferContract('sqlite', async ({ bytesMax }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-buffer-'));
  const buffer = await sqliteBuffer({ path: join(folder, 'buffer.sqlite'), bytesMax, diskReserveBytes: 0 });
  return {
    buffer,
    async dispose() {
      await buffer.close();
      rmSync(folder, { recursive: true });
    },
  };
});
