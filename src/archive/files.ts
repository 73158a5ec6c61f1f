// The files of an entry: each made where none is, with names that say what is in them, so that who writes the same again
// finds them.

import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import type { DayRows } from './days.ts';
import { dayFolder, filePath, rangePrefix } from './layout.ts';
import type { ArchivedFile, Plan } from './manifest.ts';

export interface EncodedFile extends ArchivedFile {
  readonly content: Uint8Array;
}

/**
 * A whole file, made by another thread where there is one. Rejects with an Error when the rows are none of that definition,
 * with a PipelineError when it may be asked again.
 */
export type Encode = (
  format: RowFormat,
  definition: TableDefinition,
  chunks: readonly Uint8Array[],
) => Promise<EncodedRows>;

export interface EncodedRows {
  readonly content: Uint8Array;
  /** Of the content, hex. */
  readonly sha256: string;
}

export interface FilesOptions {
  readonly plan: Plan;
  readonly days: readonly DayRows[];
  readonly formats: readonly RowFormat[];
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  readonly encode: Encode;
}

/** One by one, so that only one of them is in memory at a time. */
export async function* filesOf({
  plan,
  days,
  formats,
  definitionOf,
  encode,
}: FilesOptions): AsyncIterable<EncodedFile> {
  for (const { type, version, day, chunks, rows, receivedFromMs, receivedToMs } of days) {
    const definition = definitionOf(type);
    if (definition === undefined) throw new PipelineError('archive_halted', `no definition of the event type ${type}`);
    for (const format of formats) {
      const { content, sha256 } = await encode(format, definition, chunks);
      const path = filePath({ ...plan, format, type, day, sha256 });
      const bytes = content.length;
      yield {
        path,
        format: format.name,
        type,
        version,
        day,
        rows,
        bytes,
        sha256,
        receivedFromMs,
        receivedToMs,
        content,
      };
    }
  }
}

/**
 * Written, or there already. One of another size under its name is no file of ours: half a file of a store that shows such,
 * or what somebody has put there.
 */
export async function keep(store: ColdStore, { path, content }: EncodedFile, signal: AbortSignal): Promise<void> {
  if (await store.create(path, content, signal)) return;
  const there = await store.read(path, signal);
  if (there !== null && Buffer.compare(there, content) === 0) return;
  await store.remove(path, signal);
  if (!(await store.create(path, content, signal)))
    throw new PipelineError('archive_unavailable', `${path} in ${store.title} is being written by another`);
}

/** What others have written of the same range, and the entry does not name: nobody else may read it as rows. */
export async function removeStrays(
  store: ColdStore,
  entry: Plan & { readonly files: readonly ArchivedFile[] },
  also: readonly ArchivedFile[],
  signal: AbortSignal,
): Promise<void> {
  const named = new Set(entry.files.map(({ path }) => path));
  const folders = new Map([...entry.files, ...also].map(file => [dayFolder(file), file]));
  for (const [folder, { format: name, type, day }] of folders) {
    const prefix = rangePrefix({ ...entry, format: { name, extension: '' }, type, day });
    for (const { path } of await store.list(folder, signal))
      if (path.startsWith(prefix) && !named.has(path)) await store.remove(path, signal);
  }
}
