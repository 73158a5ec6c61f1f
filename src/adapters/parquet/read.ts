// Rows of a Parquet file as stored bodies again, a part of a row group at a time.

import { type AsyncBuffer, type FileMetaData, parquetMetadata, parquetScan, parquetSchema } from 'hyparquet';
import type { TableDefinition } from '../../ports/tables.ts';
import { headsOf, spellerOf } from '../../record/spell.ts';

/** Rows of a chunk that is given back. */
const chunkRows = 10_000;

const options = {
  compressors: { ZSTD: (bytes: Uint8Array) => Bun.zstdDecompressSync(bytes) },
  parsers: {
    // TextDecoder takes a byte order mark away.
    stringFromBytes: (bytes: Uint8Array | undefined) =>
      bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
    timestampFromMilliseconds: (ms: bigint | null | undefined) => ms,
    timestampFromMicroseconds: (us: bigint | null | undefined) => us && us / 1_000n,
  },
  geoparquet: false,
};

/** In the definition's order; a column that the file has not is left out, one that the definition has not is an error. */
export async function* decodeParquet(definition: TableDefinition, bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const buffer = bytes.slice().buffer;
  const metadata: FileMetaData = parquetMetadata(buffer, { geoparquet: false });
  const names = new Set(parquetSchema(metadata).children.map(({ element }) => element.name));
  const columns = definition.columns.filter(({ name }) => names.delete(name));
  if (names.size > 0)
    throw new Error(`a file of ${definition.type} has columns that its definition has not: ${[...names].join(', ')}`);
  const file: AsyncBuffer = { byteLength: buffer.byteLength, slice: (from, to) => buffer.slice(from, to) };
  const scan = await parquetScan({ ...options, file, metadata });
  const heads = headsOf(columns);
  const spellers = columns.map(spellerOf);
  for (const { rowStart, rowEnd } of scan.ranges) {
    const read = await Promise.all(columns.map(({ name }) => scan.readColumn({ column: name, rowStart, rowEnd })));
    for (const [at, values] of read.entries())
      if (values.length !== rowEnd - rowStart)
        throw new Error(`the column ${columns[at]?.name} has other rows than its file`);
    for (let from = 0; from < rowEnd - rowStart; from += chunkRows)
      yield spelt(read, { from, to: Math.min(from + chunkRows, rowEnd - rowStart) }, { heads, spellers });
  }
}

interface Spelling {
  readonly heads: ReturnType<typeof headsOf>;
  readonly spellers: readonly ReturnType<typeof spellerOf>[];
}

function spelt(
  columns: readonly ArrayLike<unknown>[],
  { from, to }: { from: number; to: number },
  { heads, spellers }: Spelling,
): Uint8Array {
  let lines = '';
  for (let row = from; row < to; row++) {
    for (let column = 0; column < columns.length; column++)
      lines += (heads[column] as string) + (spellers[column] as (value: unknown) => string)(columns[column]?.[row]);
    lines += '}\n';
  }
  return Buffer.from(lines);
}
