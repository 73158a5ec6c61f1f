// How rows lie in a cold file. Types and contracts only.

import type { TableDefinition } from './tables.ts';

export type RowFormatName = 'parquet' | 'csv';

/**
 * Columns, types and order are the definition's. The same rows make the same bytes, always and everywhere, as long as ugc is
 * the same: a file that was begun before a death is written again, not twice.
 */
export interface RowFormat {
  readonly name: RowFormatName;
  /** Without its dot. */
  readonly extension: string;
  /** A whole file of these rows: stored bodies of the definition's version, one a line, as chunks in order. */
  encode(definition: TableDefinition, chunks: readonly Uint8Array[]): Uint8Array;
  /**
   * The rows again, as bodies that ClickHouse and the judge read alike (JSONEachRow, each line ended by \n), chunk by chunk.
   * A column that the file has not, since its type has grown since, is left out. Throws when it is no such file, or a damaged one.
   */
  decode(definition: TableDefinition, bytes: Uint8Array): AsyncIterable<Uint8Array>;
}
