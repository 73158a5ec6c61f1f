// The formats of cold files there are.

import { csvFormat } from '../../adapters/csv/format.ts';
import { type ParquetOptions, parquetFormat } from '../../adapters/parquet/format.ts';
import type { RowFormat, RowFormatName } from '../../ports/row-format.ts';

export interface RowFiles {
  readonly archiveCompression: ParquetOptions['compression'];
}

export const formatsOf = ({
  archiveCompression: compression,
}: RowFiles): Readonly<Record<RowFormatName, RowFormat>> => ({
  parquet: parquetFormat({ compression }),
  csv: csvFormat(),
});
