// Whether a store is the one that was archived into before under the same URL. One that is empty may be a disk that is not mounted,
// or a bucket that somebody has emptied: an archive begun there would look whole, and be none. Another URL is another archive.
//
// A store says which it is in _ugc/store.json, made once and only where there is none. Who has archived into it remembers that in
// the data folder; a process whose data folder is new remembers nothing and takes what it finds.

import { existsSync, readFileSync } from 'node:fs';
import { messageOf, PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import { replaceFile } from '../process/file.ts';

const storePath = '_ugc/store.json';

/** Rejects with `archive_halted`, in words, when the store is not the one of before; `memory`: a file of the data folder. */
export async function assertSameStore(store: ColdStore, memory: string): Promise<void> {
  const known = knownIn(memory);
  const before = known[store.title];
  const now = await idOf(store, before === undefined);
  if (now === before) return;
  if (before !== undefined)
    throw new PipelineError(
      'archive_halted',
      `${store.title} ${now === null ? 'is empty' : `is another archive (${now})`}, and this ugc has archived into ${before} there: is it mounted, and the right one? If it is to begin anew there, take its line out of ${memory}`,
    );
  if (now !== null) replaceFile(memory, `${JSON.stringify({ ...known, [store.title]: now }, null, 1)}\n`);
}

/** Null: it has none yet, and is to have none. */
async function idOf(store: ColdStore, mayMake: boolean): Promise<string | null> {
  const there = await store.read(storePath);
  if (there !== null) return readId(store, there);
  if (!mayMake) return null;
  const id = crypto.randomUUID();
  const made = { id, made_at: new Date().toISOString() };
  if (await store.create(storePath, Buffer.from(`${JSON.stringify(made, null, 1)}\n`))) return id;
  const theirs = await store.read(storePath);
  if (theirs === null)
    throw new PipelineError('archive_unavailable', `${storePath} in ${store.title} is there and is not`);
  return readId(store, theirs);
}

function readId(store: ColdStore, bytes: Uint8Array): string {
  try {
    const { id } = JSON.parse(Buffer.from(bytes).toString()) as { readonly id?: unknown };
    if (typeof id === 'string' && id !== '') return id;
  } catch {
    // said below
  }
  throw new PipelineError(
    'archive_halted',
    `${storePath} in ${store.title} is damaged: put back what it was, or remove it if the archive is the right one`,
  );
}

/** By the store's title. */
function knownIn(memory: string): Readonly<Record<string, string>> {
  if (!existsSync(memory)) return {};
  try {
    const known = JSON.parse(readFileSync(memory, 'utf8')) as unknown;
    if (typeof known === 'object' && known !== null) return known as Readonly<Record<string, string>>;
  } catch (error) {
    throw new PipelineError(
      'archive_halted',
      `${memory} cannot be read (${messageOf(error)}): mend it, or remove it if the archive is the right one`,
    );
  }
  throw new PipelineError('archive_halted', `${memory} is damaged: remove it if the archive is the right one`);
}
