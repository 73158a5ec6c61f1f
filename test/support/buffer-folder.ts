// A folder of a test's own for the buffer's file, and buffers in it that are closed when the test is over.

import { afterEach, beforeEach } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SqliteBufferOptions, sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';

export interface BufferFolder {
  /** Of the test that runs. */
  readonly folder: string;
  readonly path: string;
  open(options?: Partial<SqliteBufferOptions>): Promise<DiskBuffer>;
}

/** To be called once in each file that opens buffers. */
export function bufferFolder(): BufferFolder {
  let folder = '';
  const opened: DiskBuffer[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ugc-sqlite-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(buffer => buffer.close()));
    rmSync(folder, { recursive: true });
  });
  const pathOf = (): string => join(folder, 'buffer.sqlite');
  return {
    get folder() {
      return folder;
    },
    get path() {
      return pathOf();
    },
    async open(options = {}) {
      const buffer = await sqliteBuffer({ path: pathOf(), bytesMax: 2 ** 30, diskReserveBytes: 0, ...options });
      opened.push(buffer);
      return buffer;
    },
  };
}
