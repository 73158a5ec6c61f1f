// A filled column as a column chunk of the file: its dictionary, its pages, and what the footer says of it.

import type { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { type Bytes, bytesOf, room } from '../../record/growing.ts';
import { type Filled, indexBits, type PageEnd } from './column.ts';
import type { ColumnChunk, CompressionCodec, Encoding, SchemaElement } from './footer.ts';
import { appendHybrid } from './levels.ts';
import { type Kind, lengthAt, type Physical, widths } from './physical.ts';
import { statisticsOf } from './statistics.ts';

export interface Codec {
  readonly codec: CompressionCodec;
  readonly compress: (bytes: Uint8Array) => Uint8Array;
}

export interface ChunkOptions extends Codec {
  readonly writer: ByteWriter;
  readonly path: readonly string[];
  readonly physical: Physical;
}

export function writeChunk(filled: Filled, options: ChunkOptions): ColumnChunk {
  const { writer, physical, codec, path } = options;
  const start = writer.offset;
  const sizes = { uncompressed: 0 };
  const isIndexed = filled.indexes !== null;
  if (isIndexed) writeDictionary(filled, options, sizes);
  const data_page_offset = BigInt(writer.offset);
  const encoding: Encoding = isIndexed ? 'RLE_DICTIONARY' : 'PLAIN';
  let before: PageEnd & { readonly bytes: number } = { rows: 0, entries: 0, values: 0, bytes: 0 };
  for (const page of filled.pages) {
    const bytes = isIndexed ? 0 : bytesUpTo(filled.plain.bytes, physical.kind, { ...before, upTo: page.values });
    const end = { ...page, bytes };
    writePage(filled, { from: before, to: end, encoding }, options, sizes);
    before = end;
  }
  const plainValues = isIndexed ? filled.distinct : before.values;
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: physical.leaf.type as NonNullable<SchemaElement['type']>,
      encodings: isIndexed ? ['PLAIN', 'RLE', encoding] : [encoding, 'RLE'],
      path_in_schema: [...path],
      codec,
      num_values: BigInt(before.entries),
      total_uncompressed_size: BigInt(sizes.uncompressed),
      total_compressed_size: BigInt(writer.offset - start),
      data_page_offset,
      ...(isIndexed && { dictionary_page_offset: BigInt(start) }),
      statistics: {
        ...statisticsOf(physical.kind, filled.plain, plainValues),
        null_count: BigInt(before.entries - before.values),
      },
    },
  };
}

interface Sizes {
  uncompressed: number;
}

function writeDictionary(filled: Filled, { writer, compress }: ChunkOptions, sizes: Sizes): void {
  const bytes = filled.plain.bytes.subarray(0, filled.plain.length);
  const compressed = compress(bytes);
  const start = writer.offset;
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: bytes.length,
    compressed_page_size: compressed.length,
    dictionary_page_header: { num_values: filled.distinct, encoding: 'PLAIN' },
  });
  sizes.uncompressed += writer.offset - start + bytes.length;
  writer.appendBytes(compressed);
}

interface PageOf {
  readonly from: PageEnd & { readonly bytes: number };
  readonly to: PageEnd & { readonly bytes: number };
  readonly encoding: Encoding;
}

function writePage(filled: Filled, { from, to, encoding }: PageOf, options: ChunkOptions, sizes: Sizes): void {
  const { writer, physical, compress } = options;
  const levels = bytesOf(1_024);
  const entries = { from: from.entries, to: to.entries };
  if (filled.repeated !== null) appendHybrid(levels, filled.repeated.numbers, entries, 1);
  const repetition_levels_byte_length = levels.length;
  if (filled.defined !== null) appendHybrid(levels, filled.defined.numbers, entries, 1);
  const bytes = pageValues(filled, { from, to, encoding }, physical);
  // An empty page is not compressed: not every reader expects what a codec makes of nothing.
  const compressed = bytes.length === 0 ? bytes : compress(bytes);
  const start = writer.offset;
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.length + bytes.length,
    compressed_page_size: levels.length + compressed.length,
    data_page_header_v2: {
      num_values: to.entries - from.entries,
      num_nulls: to.entries - from.entries - (to.values - from.values),
      num_rows: to.rows - from.rows,
      encoding,
      definition_levels_byte_length: levels.length - repetition_levels_byte_length,
      repetition_levels_byte_length,
      is_compressed: bytes.length > 0,
    },
  });
  sizes.uncompressed += writer.offset - start + levels.length + bytes.length;
  writer.appendBytes(levels.bytes.subarray(0, levels.length));
  writer.appendBytes(compressed);
}

function pageValues({ plain, indexes, distinct }: Filled, { from, to }: PageOf, { kind }: Physical): Uint8Array {
  if (to.values === from.values) return new Uint8Array(0);
  if (indexes !== null) {
    const bits = indexBits(distinct);
    const packed = bytesOf(2_048);
    room(packed, 1)[packed.length++] = bits;
    appendHybrid(packed, indexes.numbers, { from: from.values, to: to.values }, bits);
    return packed.bytes.subarray(0, packed.length);
  }
  if (kind === 'bool') return packedBools(plain, from.values, to.values);
  return plain.bytes.subarray(from.bytes, to.bytes);
}

function packedBools({ bytes }: Bytes, from: number, to: number): Uint8Array {
  const packed = new Uint8Array((to - from + 7) >> 3);
  for (let i = from; i < to; i++) if (bytes[i] === 1) packed[(i - from) >> 3]! |= 1 << ((i - from) & 7);
  return packed;
}

/** Where the first `upTo` values end. */
function bytesUpTo(plain: Uint8Array, kind: Kind, from: { values: number; bytes: number; upTo: number }): number {
  const width = widths[kind];
  if (width > 0) return from.upTo * width;
  let at = from.bytes;
  for (let i = from.values; i < from.upTo; i++) at += 4 + lengthAt(plain, at);
  return at;
}
