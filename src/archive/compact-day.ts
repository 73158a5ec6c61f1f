// One compaction: the files of a type, day and format into few, as the next generation.
//
// - Records are not touched: what the new files read as is, byte for byte and row by row, what the old ones read as, or there
//   is no compaction. So files of an older version of their type, or of before it had all of its columns, stay what they are,
//   each in files of their own; `ugc archive restore` makes events of today of them.
// - The compaction is the commit, made where there is none. Of two at once one has made it; who is late follows.
// - Files are taken away only in the folder of a generation that is closed: before, another may be about to name them.

import { messageOf, PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat, RowFormatName } from '../ports/row-format.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { byDay } from './days.ts';
import { type EncodedFile, keep } from './files.ts';
import { type CompactionPlace, compactedPath, generationFolder } from './layout.ts';
import type { ArchivedFile, Compaction } from './manifest.ts';
import { hashOf, linesIn, readArchived } from './read-file.ts';
import { settleCompaction } from './records.ts';

export interface CompactDayOptions {
  readonly store: ColdStore;
  readonly formats: Readonly<Record<RowFormatName, RowFormat>>;
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  /** A file is closed at so much of events, as JSON. */
  readonly fileBytes: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onRead?: (file: ArchivedFile) => void;
}

/** `left`: nothing was done, and why in words. `another`: somebody else has made this generation meanwhile. */
export type Compacted =
  | { readonly is: 'made'; readonly compaction: Compaction }
  | { readonly is: 'another' }
  | { readonly is: 'left'; readonly why: string };

/** Of all files of `place` that are read today. Rejects with the store's errors, and for a file that is damaged. */
export async function compactDay(
  place: CompactionPlace,
  files: readonly ArchivedFile[],
  options: CompactDayOptions,
): Promise<Compacted> {
  const { store, signal, now } = options;
  const definition = options.definitionOf(place.type);
  if (definition === undefined) return { is: 'left', why: `no definition of ${place.type} (UGC_SCHEMAS_DIR)` };
  if (files.some(({ version }) => version > (definition.version ?? 1)))
    return { is: 'left', why: 'a newer ugc has written it' };
  const made: ArchivedFile[] = [];
  try {
    for await (const rows of gatheredOf(sorted(files), definition, options)) {
      const { content, ...file } = await encoded({ ...place, index: made.length }, rows, definition, options);
      await keep(store, { ...file, content }, signal);
      made.push(file);
    }
  } catch (error) {
    // A codec says so when bytes are none of the definition's.
    if (error instanceof PipelineError) throw error;
    return { is: 'left', why: messageOf(error) };
  }
  if (rowsOf(made) !== rowsOf(files)) throw new Error(`${rowsOf(files)} rows became ${rowsOf(made)}`);
  const { format, type, day, generation } = place;
  const replaces = files.map(({ path }) => path);
  const at = new Date(now()).toISOString();
  const mine: Compaction = { format, type, day, generation, replaces, files: made, at };
  const compaction = await settleCompaction(store, mine, signal);
  const named = new Set(compaction.files.map(({ path }) => path));
  for (const { path } of await store.list(generationFolder(place), signal))
    if (!named.has(path)) await store.remove(path, signal);
  return compaction === mine ? { is: 'made', compaction } : { is: 'another' };
}

const rowsOf = (files: readonly ArchivedFile[]): number => files.reduce((sum, { rows }) => sum + rows, 0);

/** In an order that all have, so that two at once make the same bytes. */
const sorted = (files: readonly ArchivedFile[]): readonly ArchivedFile[] =>
  files.toSorted((a, b) => a.version - b.version || a.receivedFromMs - b.receivedFromMs || (a.path < b.path ? -1 : 1));

/** What becomes a file: of one version, and with the same columns in each row. */
interface Gathered {
  readonly version: number;
  readonly columns: readonly string[];
  readonly chunks: Uint8Array[];
  bytes: number;
}

async function* gatheredOf(
  files: readonly ArchivedFile[],
  definition: TableDefinition,
  { store, formats, fileBytes, onRead }: CompactDayOptions,
): AsyncIterable<Gathered> {
  let gathered: Gathered | null = null;
  for (const file of files) {
    let columns: readonly string[] | null = null;
    let rows = 0;
    for await (const chunk of readArchived(store, formats, file, definition)) {
      columns ??= columnsOf(chunk);
      if (gathered !== null && (gathered.bytes >= fileBytes || !isAlike(gathered, file.version, columns))) {
        yield gathered;
        gathered = null;
      }
      gathered ??= { version: file.version, columns, chunks: [], bytes: 0 };
      gathered.chunks.push(chunk);
      gathered.bytes += chunk.length;
      rows += linesIn(chunk);
    }
    if (rows !== file.rows)
      throw new PipelineError(
        'archive_halted',
        `${file.path} in ${store.title} has ${rows} rows, the manifest says ${file.rows}`,
      );
    onRead?.(file);
  }
  if (gathered !== null) yield gathered;
}

const isAlike = (gathered: Gathered, version: number, columns: readonly string[]): boolean =>
  gathered.version === version && gathered.columns.join() === columns.join();

/** A file has the same in each row. */
const columnsOf = (chunk: Uint8Array): readonly string[] =>
  Object.keys(JSON.parse(Buffer.from(chunk.subarray(0, chunk.indexOf(newline))).toString()) as object);

/** Throws in words when its rows would not be read as they are. */
async function encoded(
  place: CompactionPlace & { readonly index: number },
  { version, columns, chunks }: Gathered,
  definition: TableDefinition,
  { formats }: CompactDayOptions,
): Promise<EncodedFile> {
  const { format: name, type, day } = place;
  const format = formats[name];
  const days = await byDay([{ parts: chunks.map(ndjson => ({ type, version, ndjson, positions: null })) }]);
  const [of] = days;
  if (of === undefined || days.length > 1 || of.day !== day) throw new Error('it has rows of another day');
  const own = definition.columns.filter(column => columns.includes(column.name));
  const content = format.encode({ ...definition, version, columns: own }, chunks);
  if ((await readingOf(format.decode(definition, content))) !== (await readingOf(chunks)))
    throw new Error('its rows would be read as others: the type has changed since');
  const sha256 = hashOf(content);
  const path = compactedPath({ ...place, extension: format.extension, sha256 });
  const { rows, receivedFromMs, receivedToMs } = of;
  const bytes = content.length;
  return { path, format: name, type, version, day, rows, bytes, sha256, receivedFromMs, receivedToMs, content };
}

/** Of all of its lines in order, wherever they are parted. */
async function readingOf(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256');
  let lines = 0;
  for await (const chunk of chunks) {
    hasher.update(chunk);
    lines += linesIn(chunk);
  }
  return `${lines} ${hasher.digest('hex')}`;
}

const newline = 10;
