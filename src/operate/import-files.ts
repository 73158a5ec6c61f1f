// Records of the files `ugc import` is given: NDJSON, CSV or Parquet, gzip or zstd around the first two, read as they come.
// A record that cannot be read is one with a problem, and the next ones are read; a file that breaks off ends with an error.

import { createReadStream } from 'node:fs';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { rowsOfParquet } from '../adapters/parquet/any.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { parseJson } from '../record/json.ts';
import { csvReader } from './import-csv.ts';

export const importFormats = ['ndjson', 'csv', 'parquet'] as const;
export type ImportFormat = (typeof importFormats)[number];

export interface TheirRecord {
  /** From 1, in its file; of NDJSON the line. */
  readonly number: number;
  /** As it stood there; of CSV and Parquet JSON of it. */
  readonly spelling: string;
  readonly value: unknown;
  /** Why it could not be read. */
  readonly problem: string | null;
}

/** What stdin is called. */
export const stdinName = '-';

/** A line that is longer is no event of anybody. */
const lineBytesMax = 64 * 2 ** 20;

const compressions = { '.gz': createGunzip, '.zst': createZstdDecompress };
const extensions: Readonly<Record<string, ImportFormat>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  log: 'ndjson',
  csv: 'csv',
  parquet: 'parquet',
};

const compressionOf = (file: string) =>
  (['.gz', '.zst'] as const).find(extension => file.toLowerCase().endsWith(extension));

/** By the file's name, unless it is said. Throws `config_invalid`. */
export function formatOf(file: string, said: ImportFormat | ''): ImportFormat {
  if (said !== '') return said;
  if (file === stdinName) return 'ndjson';
  const plain = file.slice(0, file.length - (compressionOf(file)?.length ?? 0));
  const format = extensions[plain.slice(plain.lastIndexOf('.') + 1).toLowerCase()];
  // What Segment calls its files says only that they are compressed.
  if (format !== undefined) return format;
  if (plain !== file) return 'ndjson';
  throw new PipelineError(
    'config_invalid',
    `${file} says by its name neither .ndjson, .csv nor .parquet; say --format=ndjson, csv or parquet`,
  );
}

/** Some at a time, in order. Throws in words when the file breaks off or is no such file. */
export async function* recordsOf(file: string, format: ImportFormat): AsyncIterable<readonly TheirRecord[]> {
  if (format === 'parquet') yield* parquetRecords(file);
  else if (format === 'csv') yield* csvRecords(textOf(bytesOf(file)));
  else yield* lineRecords(bytesOf(file));
}

function bytesOf(file: string): AsyncIterable<Uint8Array> {
  if (file === stdinName) return Bun.stdin.stream() as unknown as AsyncIterable<Uint8Array>;
  const compression = compressionOf(file);
  const bytes = createReadStream(file);
  if (compression === undefined) return bytes;
  const plain = compressions[compression]();
  bytes.on('error', error => plain.destroy(error));
  return bytes.pipe(plain);
}

const newline = 10;
const utf8 = new TextDecoder('utf-8', { fatal: true });

async function* lineRecords(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly TheirRecord[]> {
  let number = 0;
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes > lineBytesMax) throw new Error(`line ${number + 1} is longer than ${lineBytesMax} bytes`);
      continue;
    }
    const records = linesOf(Buffer.concat([...rest, chunk.subarray(0, end)]), number);
    number = records.last;
    yield records.records;
    rest = [chunk.slice(end + 1)];
    restBytes = chunk.length - end - 1;
  }
  yield linesOf(Buffer.concat(rest), number).records;
}

function linesOf(bytes: Buffer, before: number): { readonly records: TheirRecord[]; readonly last: number } {
  const records: TheirRecord[] = [];
  let number = before;
  for (let at = 0; at <= bytes.length; ) {
    const found = bytes.indexOf(newline, at);
    const end = found < 0 ? bytes.length : found;
    number++;
    const record = lineOf(bytes.subarray(at, end), number);
    if (record !== null) records.push(record);
    at = end + 1;
  }
  return { records, last: number };
}

/** Null: an empty line. */
function lineOf(line: Uint8Array, number: number): TheirRecord | null {
  let spelling = '';
  try {
    spelling = utf8.decode(line).trim();
    if (spelling === '') return null;
    return { number, spelling, value: parseJson(spelling), problem: null };
  } catch (error) {
    const problem = spelling === '' ? 'the line is not UTF-8 text' : messageOf(error);
    return { number, spelling: spelling === '' ? Buffer.from(line).toString() : spelling, value: null, problem };
  }
}

async function* textOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true }); // takes a byte order mark away
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    throw error instanceof TypeError ? new Error('the file is not UTF-8 text', { cause: error }) : error;
  }
}

async function* csvRecords(texts: AsyncIterable<string>): AsyncIterable<readonly TheirRecord[]> {
  const reader = csvReader(lineBytesMax);
  let head: readonly string[] | null = null;
  let number = 0;
  const recordOf = (fields: readonly string[], names: readonly string[]): TheirRecord => {
    number++;
    const value = Object.fromEntries(names.map((name, at) => [name, fields[at] ?? '']));
    const problem = fields.length === names.length ? null : `it has ${fields.length} fields, the head ${names.length}`;
    return { number, spelling: JSON.stringify(problem === null ? value : fields), value, problem };
  };
  const take = (rows: readonly (readonly string[])[]): TheirRecord[] => {
    const [first, ...others] = rows;
    if (first === undefined) return [];
    if (head !== null) return rows.map(row => recordOf(row, head as readonly string[]));
    const names = first;
    head = names;
    return others.map(row => recordOf(row, names));
  };
  for await (const text of texts) yield take(reader.read(text));
  yield take(reader.end());
}

async function* parquetRecords(file: string): AsyncIterable<readonly TheirRecord[]> {
  if (file === stdinName) throw new Error('Parquet is read from its end, which stdin has not: give it as a file');
  const blob = Bun.file(file);
  const buffer = { byteLength: blob.size, slice: (from: number, to?: number) => blob.slice(from, to).arrayBuffer() };
  let number = 0;
  for await (const rows of rowsOfParquet(buffer))
    yield rows.map(value => ({ number: ++number, spelling: spelt(value), value, problem: null }));
}

const spelt = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
