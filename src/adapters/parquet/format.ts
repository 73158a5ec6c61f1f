// Parquet: files of columns that Hive 4 and ClickHouse read alike. The footer, the headers of pages and Snappy are
// hyparquet-writer's; columns are filled here, from bytes to bytes.
//
// The same rows make the same bytes: nothing depends on time, on chance, or on how the chunks are cut.

import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import type { RowFormat } from '../../ports/row-format.ts';
import type { TableDefinition } from '../../ports/tables.ts';
import { takeBodies } from '../../record/bodies.ts';
import { type Codec, writeChunk } from './chunk.ts';
import { columnBuilder } from './column.ts';
import type { FileMetaData, RowGroup } from './footer.ts';
import { elementsOf, physicalOf } from './physical.ts';
import { decodeParquet } from './read.ts';

export interface ParquetOptions {
  readonly compression: 'zstd' | 'snappy' | 'none';
}

/** A row group ends after so many rows, or so many bytes of JSON. */
const rowGroupRows = 100_000;
const rowGroupBytes = 64 * 1024 * 1024;

const codecs: Readonly<Record<ParquetOptions['compression'], Codec>> = {
  zstd: { codec: 'ZSTD', compress: bytes => Bun.zstdCompressSync(bytes, { level: 3 }) },
  snappy: { codec: 'SNAPPY', compress: snappyCompress },
  none: { codec: 'UNCOMPRESSED', compress: bytes => bytes },
};

/** PAR1, at both ends of a file. */
const magic = 0x31524150;

export function parquetFormat({ compression }: ParquetOptions): RowFormat {
  const codec = codecs[compression];
  return {
    name: 'parquet',
    extension: 'parquet',
    encode: (definition, chunks) => encodeParquet(definition, chunks, codec),
    decode: decodeParquet,
  };
}

function encodeParquet(definition: TableDefinition, chunks: readonly Uint8Array[], codec: Codec): Uint8Array {
  const columns = definition.columns.map(column => {
    const physical = physicalOf(column);
    return {
      physical,
      elements: elementsOf(column.name, physical),
      path: physical.kind === 'list' ? [column.name, 'list', 'element'] : [column.name],
    };
  });
  const writer = new ByteWriter(1_048_576);
  const groups: RowGroup[] = [];
  writer.appendUint32(magic);
  const begun = () => columns.map(({ physical }, column) => ({ column, taker: columnBuilder(physical) }));
  const builders = begun();
  let rows = 0;
  let bytes = 0;
  let total = 0;

  const endGroup = (): void => {
    const start = writer.offset;
    const chunksOfColumns = columns.map((column, at) =>
      writeChunk((builders[at] as (typeof builders)[number]).taker.filled(), { ...column, ...codec, writer }),
    );
    groups.push({
      columns: chunksOfColumns,
      num_rows: BigInt(rows),
      total_byte_size: chunksOfColumns.reduce(
        (sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n),
        0n,
      ),
      total_compressed_size: BigInt(writer.offset - start),
      file_offset: BigInt(start),
    });
    total += rows;
    rows = bytes = 0;
    builders.splice(0, builders.length, ...begun());
  };

  takeBodies(definition, chunks, builders, lineBytes => {
    rows++;
    bytes += lineBytes;
    if (rows >= rowGroupRows || bytes >= rowGroupBytes) endGroup();
  });
  if (rows > 0) endGroup();
  const footer: Omit<FileMetaData, 'metadata_length'> = {
    version: 2,
    created_by: 'ugc version 1 (build 1)',
    schema: [{ name: definition.type, num_children: columns.length }, ...columns.flatMap(({ elements }) => elements)],
    num_rows: BigInt(total),
    row_groups: groups,
    key_value_metadata: [{ key: 'ugc.version', value: String(definition.version ?? 1) }],
  };
  writeMetadata(writer, footer as FileMetaData);
  writer.appendUint32(magic);
  return writer.getBytes();
}
