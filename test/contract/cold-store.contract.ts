// What every cold store does, whatever keeps its files.

import { describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import type { ColdStore } from '../../src/ports/cold-store.ts';

export interface ColdStoreContract {
  /** An empty one, prepared. `beside`: the same files, as another process has them. */
  open(): Promise<{ readonly store: ColdStore; readonly beside: ColdStore; dispose(): Promise<void> }>;
  /** Of the large file; a real server takes less long for less. */
  readonly largeBytes?: number;
}

const text = (words: string): Uint8Array => Buffer.from(words);

export function coldStoreContract(name: string, { open, largeBytes = 20_000_000 }: ColdStoreContract): void {
  const withStore = (work: (store: ColdStore, beside: ColdStore) => Promise<void>) => async () => {
    const { store, beside, dispose } = await open();
    try {
      await work(store, beside);
    } finally {
      await store.close();
      await beside.close();
      await dispose();
    }
  };

  describe(`a cold store: ${name}`, () => {
    test(
      'keeps a file as it is, seen by others at once',
      withStore(async (store, beside) => {
        const bytes = randomBytes(70_000);
        expect(await store.create('parquet/a/dt=2026-11-01/a-0-1-2-ff.parquet', bytes)).toBe(true);
        expect(Buffer.from((await beside.read('parquet/a/dt=2026-11-01/a-0-1-2-ff.parquet'))!)).toEqual(bytes);
      }),
    );

    test(
      'keeps an empty one, and a large one',
      withStore(async (store, beside) => {
        const large = randomBytes(largeBytes);
        await store.create('empty', new Uint8Array());
        await store.create('large', large);
        expect(await beside.read('empty')).toHaveLength(0);
        expect(Buffer.compare((await beside.read('large'))!, large)).toBe(0);
        expect(await beside.list('')).toEqual([
          { path: 'empty', bytes: 0 },
          { path: 'large', bytes: largeBytes },
        ]);
      }),
    );

    test(
      'leaves a file that is there as it is, and says so',
      withStore(async (store, beside) => {
        expect(await store.create('x/y', text('first'))).toBe(true);
        expect(await store.create('x/y', text('second'))).toBe(false);
        expect(await beside.create('x/y', text('third'))).toBe(false);
        expect(String(Buffer.from((await store.read('x/y'))!))).toBe('first');
      }),
    );

    test(
      'lets exactly one of many at once make a file, whole',
      withStore(async (store, beside) => {
        for (let round = 0; round < 5; round++) {
          const bodies = Array.from({ length: 8 }, (_, at) => Buffer.alloc(50_000, at + 1));
          const made = await Promise.all(
            bodies.map((bytes, at) => (at % 2 === 0 ? store : beside).create(`race/${round}`, bytes)),
          );
          expect(made.filter(Boolean)).toHaveLength(1);
          const bytes = Buffer.from((await store.read(`race/${round}`))!);
          expect(bytes.equals(bodies[made.indexOf(true)]!)).toBe(true);
        }
      }),
    );

    test(
      'has nothing of what is not there, and removes it as gladly',
      withStore(async store => {
        expect(await store.read('none/of/it')).toBeNull();
        expect(await store.list('none')).toEqual([]);
        await store.remove('none/of/it');
        await store.create('one', text('1'));
        await store.remove('one');
        await store.remove('one');
        expect(await store.read('one')).toBeNull();
        expect(await store.create('one', text('again'))).toBe(true);
      }),
    );

    test(
      'lists what is below a folder, however deep, in order of bytes, and nothing of one that only begins alike',
      withStore(async (store, beside) => {
        const paths = ['m/b/2', 'm/a', 'm/b/10', 'm/ä', 'm/B', 'm%2Fz', 'mm/x', 'm/b-/1', 'm/b/d%20e=f'];
        for (const path of paths) await store.create(path, text(path));
        const wanted = ['m/B', 'm/a', 'm/b-/1', 'm/b/10', 'm/b/2', 'm/b/d%20e=f', 'm/ä'];
        expect((await beside.list('m')).map(({ path }) => path)).toEqual(wanted);
        expect(await beside.list('m/b')).toEqual([
          { path: 'm/b/10', bytes: 6 },
          { path: 'm/b/2', bytes: 5 },
          { path: 'm/b/d%20e=f', bytes: Buffer.byteLength('m/b/d%20e=f') },
        ]);
        expect(String(Buffer.from((await beside.read('m%2Fz'))!))).toBe('m%2Fz');
      }),
    );

    test(
      'is prepared as often as one likes, and what is there stays',
      withStore(async (store, beside) => {
        await store.create('kept', text('1'));
        await Promise.all([store.prepare(), beside.prepare()]);
        expect((await store.list('')).map(({ path }) => path)).toEqual(['kept']);
      }),
    );
  });
}
