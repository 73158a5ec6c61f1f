// What is compiled into the binary begins in these files: the program, and the threads it starts.

import { join } from 'node:path';

const root = join(import.meta.dir, '..');

export const entryPoints: readonly string[] = [
  'src/main.ts',
  'src/adapters/disk/log/worker.ts',
  'src/adapters/sqlite-content/worker.ts',
  'src/roles/row-files/worker.ts',
].map(path => join(root, path));
