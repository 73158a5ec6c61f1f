// The words of the format's footer, as hyparquet-writer has them: it carries a hyparquet of its own.

import type { writeMetadata } from 'hyparquet-writer/src/metadata.js';

export type FileMetaData = Parameters<typeof writeMetadata>[1];
export type SchemaElement = FileMetaData['schema'][number];
export type RowGroup = FileMetaData['row_groups'][number];
export type ColumnChunk = RowGroup['columns'][number];
type ColumnMetaData = NonNullable<ColumnChunk['meta_data']>;
export type Encoding = ColumnMetaData['encodings'][number];
export type CompressionCodec = ColumnMetaData['codec'];
