// Cold files in a folder of this machine, or of one that is mounted: a disk, NFS.
//
// - A file is written under another name, synced, and then linked to its own: a link is refused where there is one, so of
//   two that write at once one has made it, and nobody sees a part of it.
// - That it is there outlives a power cut: the folders are synced, too, before anybody is told.
// - A folder that is not there any more, as its disk is not mounted, is no empty archive: nothing is read or written.
// - What a death leaves is in _ugc/.new, which nobody lists; a day later it is removed.

import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PipelineError } from '../../errors.ts';
import type { ColdFile, ColdStore } from '../../ports/cold-store.ts';
import { folderError } from './error.ts';

const newFolder = '_ugc/.new';
const leftOverMs = 86_400_000;

export function folderColdStore(root: string): ColdStore {
  const synced = new Set<string>();
  const inWords = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw folderError(root, doing, error);
    }
  };

  async function create(path: string, bytes: Uint8Array): Promise<boolean> {
    const fresh = join(root, newFolder, randomUUID());
    const full = join(root, path);
    await assertThere();
    try {
      await writeWhole(fresh, bytes);
      await makeFolder(dirname(full));
      const isMade = await linked(fresh, full);
      // Who made it may have died before it did this.
      await syncFolder(dirname(full));
      return isMade;
    } finally {
      await rm(fresh, { force: true });
    }
  }

  /** What is read or written where the folder is mounted no more is not the archive, and looks like an empty one. */
  async function assertThere(): Promise<void> {
    if (await isThere(join(root, newFolder))) return;
    throw new PipelineError(
      'archive_halted',
      `${join(root, newFolder)}, which ugc has made, is not there: is ${root} mounted? (UGC_ARCHIVE_URL)`,
    );
  }

  /** With each folder on the way below the root, which itself is only made at the start: it may be away, not missing. */
  async function makeFolder(path: string): Promise<void> {
    if (synced.has(path) && (await isThere(path))) return;
    const parent = dirname(path);
    if (parent.length > root.length) await makeFolder(parent);
    await made(path);
    await syncFolder(parent);
    synced.add(path);
  }

  /** Only once: a store that overwrites would lose what another has written. */
  async function proveCreates(): Promise<void> {
    const probe = `${newFolder}/probe-${randomUUID()}`;
    const [made, again] = [await create(probe, Buffer.from('1')), await create(probe, Buffer.from('2'))];
    await rm(join(root, probe), { force: true });
    if (!made || again)
      throw new PipelineError(
        'archive_halted',
        `${root} replaces files that are there: the archive needs links of files`,
      );
  }

  return {
    title: `file://${root}`,
    prepare: () =>
      inWords('make', async () => {
        await made(root);
        await makeFolder(join(root, newFolder));
        await proveCreates();
        await removeLeftOvers(join(root, newFolder));
      }),
    create: (path, bytes) => inWords(`write ${path} to`, () => create(path, bytes)),
    read: path =>
      inWords(`read ${path} of`, async () => {
        const bytes = await readOrNull(join(root, path));
        if (bytes === null) await assertThere();
        return bytes;
      }),
    list: folder =>
      inWords(`list ${folder} of`, async () => {
        const files = await listed(root, folder);
        if (files.length === 0) await assertThere();
        return files;
      }),
    remove: path => inWords(`remove ${path} from`, () => rm(join(root, path), { force: true })),
    close: async () => {},
  };
}

/** Unless it is there. */
async function made(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
      at += bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** False: there is one. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function listed(root: string, folder: string): Promise<readonly ColdFile[]> {
  const found: ColdFile[] = [];
  for (const { name, isFolder } of await inside(join(root, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isFolder) found.push(...(await listed(root, path)));
    else {
      const bytes = await sizeOf(join(root, path));
      if (bytes !== null) found.push({ path, bytes });
    }
  }
  return found.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function inside(folder: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(entry => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Null: it was removed meanwhile. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

const isThere = async (path: string): Promise<boolean> => (await sizeOf(path)) !== null;

/** Of processes that died while writing. */
async function removeLeftOvers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const writtenAtMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY, // another has just finished it
    );
    if (Date.now() - writtenAtMs > leftOverMs) await rm(path, { force: true });
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
