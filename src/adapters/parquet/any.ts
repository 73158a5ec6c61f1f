// Rows of a Parquet file that somebody else has written, as objects, a part of a row group at a time. The file is read in
// parts: it may be larger than the memory.

import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';

/** Rows read at once; each is an object for a moment. */
const rowsAtOnce = 10_000;

const compressors = {
  ZSTD: (bytes: Uint8Array) => Bun.zstdDecompressSync(bytes),
  GZIP: (bytes: Uint8Array) => Bun.gunzipSync(bytes as Uint8Array<ArrayBuffer>),
};

/** Times are Dates, 64-bit integers bigints, absent is null. Throws, in words of its own, when it is no such file. */
export async function* rowsOfParquet(file: AsyncBuffer): AsyncIterable<readonly Readonly<Record<string, unknown>>[]> {
  const metadata = await parquetMetadataAsync(file);
  let groupStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    const groupEnd = groupStart + Number(rows);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += rowsAtOnce)
      yield await parquetReadObjects({
        file,
        metadata,
        compressors,
        rowStart,
        rowEnd: Math.min(rowStart + rowsAtOnce, groupEnd),
      });
    groupStart = groupEnd;
  }
}
