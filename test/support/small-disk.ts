// A volume small enough to fill: a tmpfs where mounting is allowed. Where it is not, null, and it says so aloud: the test
// then has to make do with a small UGC_BUFFER_BYTES_MAX.

import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  unmount(): void;
}

export function smallDisk(mebibytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'ugc-disk-'));
  const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);
  if (!mounted.success) {
    rmdirSync(path);
    console.warn(`NO SMALL DISK: mounting a tmpfs is not allowed here (${mounted.stderr.toString().trim()})`);
    return null;
  }
  return {
    path,
    unmount: () => {
      Bun.spawnSync(['umount', '-l', path]);
      rmSync(path, { recursive: true, force: true }); // what a killed process wrote after the unmount
    },
  };
}
