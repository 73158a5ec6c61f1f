// A file of the archive, read back: whole, and the one that the manifest names, or not at all.

import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat, RowFormatName } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import type { ArchivedFile } from './manifest.ts';

/** What is wrong with it, in words; null: it is there, byte for byte. Rejects with the store's errors. */
export async function damageOf(
  store: ColdStore,
  { path, bytes, sha256 }: ArchivedFile,
  signal: AbortSignal,
): Promise<string | null> {
  const content = await store.read(path, signal);
  if (content === null) return `${path} is not there`;
  if (content.length !== bytes) return `${path} has ${content.length} bytes, the manifest says ${bytes}`;
  return hashOf(content) === sha256 ? null : `${path} has other bytes than the manifest says`;
}

export const hashOf = (content: Uint8Array): string => new Bun.CryptoHasher('sha256').update(content).digest('hex');

/** Its bytes. Rejects with `archive_halted` when they are others. */
export async function bytesOf(store: ColdStore, { path, sha256 }: ArchivedFile): Promise<Uint8Array> {
  const content = await store.read(path);
  if (content === null) throw new PipelineError('archive_halted', `${path} in ${store.title} is not there`);
  if (hashOf(content) !== sha256)
    throw new PipelineError('archive_halted', `${path} in ${store.title} has other bytes than the manifest says`);
  return content;
}

/** Its rows, as bodies a line each. Rejects with `archive_halted` when its bytes are others, or are no such file. */
export async function* readArchived(
  store: ColdStore,
  formats: Readonly<Record<RowFormatName, RowFormat>>,
  file: ArchivedFile,
  definition: TableDefinition,
): AsyncIterable<Uint8Array> {
  yield* formats[file.format].decode(definition, await bytesOf(store, file));
}

const newline = 10;

/** Of a chunk that was read back: bodies in it. */
export function linesIn(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) lines++;
  return lines;
}
