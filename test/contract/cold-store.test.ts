import { describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { memoryColdStore } from '../../src/adapters/memory/cold-store.ts';
import type { PipelineError } from '../../src/errors.ts';
import { coldStoreContract } from './cold-store.contract.ts';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'ugc-cold-'));

coldStoreContract('in memory', {
  open: async () => {
    const files = new Map<string, Uint8Array>();
    return { store: memoryColdStore({ files }), beside: memoryColdStore({ files }), dispose: async () => {} };
  },
});

coldStoreContract('a folder', {
  open: async () => {
    const folder = newFolder();
    const [store, beside] = [folderColdStore(join(folder, 'cold')), folderColdStore(join(folder, 'cold'))];
    await store.prepare();
    return { store, beside, dispose: async () => rmSync(folder, { recursive: true }) };
  },
});

describe('a folder of cold files', () => {
  test('is made anew where another has removed it', async () => {
    const folder = newFolder();
    const store = folderColdStore(folder);
    await store.prepare();
    await store.create('a/b', Buffer.from('1'));
    rmSync(join(folder, 'a'), { recursive: true });
    expect(await store.create('a/b', Buffer.from('2'))).toBe(true);
    rmSync(folder, { recursive: true });
  });

  test('that is not there any more is no empty one', async () => {
    const folder = newFolder();
    const store = folderColdStore(join(folder, 'cold'));
    await store.prepare();
    rmSync(join(folder, 'cold'), { recursive: true });
    for (const ask of [() => store.read('a'), () => store.list(''), () => store.create('a', Buffer.from('1'))]) {
      const error = await ask().then(() => null, (thrown: unknown) => thrown as PipelineError);
      expect(error?.message).toContain('mounted?');
    }
    rmSync(folder, { recursive: true });
  });

  test('does not keep for ever what the dead have left', async () => {
    const folder = newFolder();
    const left = join(folder, '_ugc/.new');
    mkdirSync(left, { recursive: true });
    for (const name of ['old', 'young']) writeFileSync(join(left, name), 'half');
    utimesSync(join(left, 'old'), 1, 1);
    await folderColdStore(folder).prepare();
    expect(readdirSync(left)).toEqual(['young']);
    rmSync(folder, { recursive: true });
  });

  test('says in words what an operator has to do', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    const refused = folderColdStore(join(folder, 'file/below')).prepare();
    const error = await refused.then(
      () => null,
      (thrown: unknown) => thrown as PipelineError,
    );
    expect(error?.code).toBe('archive_halted');
    expect(error?.message).toContain('something there is a file and no folder');
    rmSync(folder, { recursive: true });
  });
});
