// Who makes the archive's files tables: Hive, over HiveServer2. Types and contracts only.

import type { HiveFormat } from '../../schemas/hive.ts';
import type { TableDefinition } from './tables.ts';

export { type HiveFormat, type HiveTarget, hiveStatements } from '../../schemas/hive.ts';

/** What there is of a type. Without days: its table, and its view. */
export interface HiveNews {
  readonly definition: TableDefinition;
  readonly format: HiveFormat;
  /** Each YYYY-MM-DD. */
  readonly days: readonly string[];
  /** Where days lie, below the root, that do not lie in the table's own folder. */
  readonly folders?: ReadonlyMap<string, string>;
}

/** Errors are PipelineErrors: `archive_unavailable` (backoff) or `archive_halted` (an operator has to do something). */
export interface HiveTables {
  /** Without its password: `hive2://host:10000/database`. */
  readonly title: string;
  /**
   * Makes tables that are missing, columns that they lack, days that are new, where those of `folders` lie, and the view of each type over the format of
   * the first news of it. Idempotent: after a rejection all of it is told again.
   */
  tell(news: readonly HiveNews[], signal?: AbortSignal): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
