// What a manifest says, read apart from the code that writes it: chains without a gap or an overlap, files that are there
// and hold what the entry says, and nothing of the same range beside them.

import { expect } from 'bun:test';
import { createHash } from 'node:crypto';
import type { Entry } from '../../src/archive/manifest.ts';
import type { ColdStore } from '../../src/ports/cold-store.ts';

/** By type, the contents of its files in order of the chains. */
export interface Archived {
  readonly entries: readonly Entry[];
  readonly files: readonly {
    readonly type: string;
    readonly format: string;
    readonly bytes: Uint8Array;
    readonly rows: number;
  }[];
}

export async function archivedIn(store: ColdStore): Promise<Archived> {
  const entries: Entry[] = [];
  for (const { path } of await store.list('_ugc/manifest'))
    entries.push(JSON.parse(Buffer.from((await store.read(path))!).toString()) as Entry);
  const chains = Map.groupBy(entries, ({ topic, log, partition }) => JSON.stringify([topic, log, partition]));
  for (const chain of chains.values()) {
    let next = 0;
    for (const entry of chain.toSorted((a, b) => a.first - b.first)) {
      expect(entry.first).toBe(next);
      expect(entry.last).toBeGreaterThanOrEqual(entry.first);
      next = entry.last + 1;
    }
  }
  const files: Archived['files'][number][] = [];
  for (const entry of entries) {
    for (const format of entry.formats) {
      const own = entry.files.filter(file => file.format === format);
      expect(own.reduce((sum, { rows }) => sum + rows, 0)).toBe(entry.records);
    }
    for (const file of entry.files) {
      const bytes = await store.read(file.path);
      if (bytes === null) throw new Error(`${file.path} is in the manifest and not there`);
      expect(bytes.length).toBe(file.bytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
      files.push({ type: file.type, format: file.format, bytes, rows: file.rows });
    }
  }
  return { entries, files };
}

/** Data files that no entry names. */
export async function straysIn(store: ColdStore): Promise<string[]> {
  const named = new Set((await archivedIn(store)).entries.flatMap(({ files }) => files.map(({ path }) => path)));
  return (await store.list('')).map(({ path }) => path).filter(path => !path.startsWith('_') && !named.has(path));
}
