// A cold store without a disk, for tests and as the model that others are held against. Nothing survives the process.

import type { ColdStore } from '../../ports/cold-store.ts';

export interface MemoryColdStoreOptions {
  /** What is there already, and what is there afterwards. */
  readonly files?: Map<string, Uint8Array>;
}

export function memoryColdStore({ files = new Map() }: MemoryColdStoreOptions = {}): ColdStore {
  return {
    title: 'memory:',
    prepare: async () => {},
    create: async (path, bytes) => {
      if (files.has(path)) return false;
      files.set(path, bytes.slice());
      return true;
    },
    read: async path => files.get(path)?.slice() ?? null,
    list: async folder =>
      [...files]
        .filter(([path]) => folder === '' || path.startsWith(`${folder}/`))
        .map(([path, { length: bytes }]) => ({ path, bytes }))
        .toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
    remove: async path => void files.delete(path),
    close: async () => {},
  };
}
