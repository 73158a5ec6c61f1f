// A folder nobody can write to, root included: a small volume of its own, mounted read-only once it is filled. Where
// mounting is not allowed, permissions do; they hold root back from nothing, so then it is null, said aloud.

import { chmodSync, cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smallDisk } from './small-disk.ts';

export interface ReadOnlyFolder {
  readonly path: string;
  release(): void;
}

/** With the files of `from` in it. */
export function readOnlyFolder(from: string): ReadOnlyFolder | null {
  if (process.getuid?.() !== 0) {
    const path = join(mkdtempSync(join(tmpdir(), 'ugc-ro-')), 'data');
    cpSync(from, path, { recursive: true });
    const inside = readdirSync(path, { recursive: true, withFileTypes: true }).filter(entry => entry.isDirectory());
    const folders = [path, ...inside.map(({ parentPath, name }) => join(parentPath, name))];
    const allow = (mode: number): void => {
      for (const folder of folders) chmodSync(folder, mode);
    };
    allow(0o555);
    return { path, release: () => allow(0o755) };
  }
  const disk = smallDisk(64);
  if (disk === null) return null;
  cpSync(from, disk.path, { recursive: true });
  const remounted = Bun.spawnSync(['mount', '-o', 'remount,ro', disk.path]);
  if (remounted.success) return { path: disk.path, release: () => disk.unmount() };
  disk.unmount();
  console.warn('NO READ-ONLY FOLDER: mounting one is not allowed here');
  return null;
}
