// The port through which people look at the tables as a whole. Types and contracts only.

/** What was rejected, of one type, reason, field and sender together. */
export interface RejectionGroup {
  /** As it stands in the table: `(unknown)` where it is none of the catalogue's. */
  readonly type: string;
  readonly reason: string;
  readonly path: string;
  readonly source: string;
  readonly rejected: number;
  /** Of the stretches of time they were counted in, epoch milliseconds. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly example: string;
}

export type Row = Readonly<Record<string, unknown>>;

/** Integers of 64 bits are text, instants ISO 8601. Everything rejects with the sink's errors. */
export interface ShownTables {
  /** Whether there is an event of any type. */
  hasEvents(signal: AbortSignal): Promise<boolean>;
  /** Most frequent first. */
  rejections(
    asked: { readonly hours: number; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly RejectionGroup[]>;
  /** Rows of an aggregate of the last so many days, oldest first; of more than `limit` the youngest. */
  aggregate(
    name: string,
    asked: { readonly days: number; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly Row[]>;
}

/** A result as it comes. */
export interface TableOfRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface FreeQuery {
  /**
   * One statement of somebody, which may only read. At most `limit` rows are asked for. Rejects with `bad_request`, in
   * ClickHouse's words, when it is wrong, asks for what it may not, or for more than there is of time or memory; else with
   * the sink's errors.
   */
  ask(
    sql: string,
    asked: { readonly limit: number; readonly seconds: number; readonly signal: AbortSignal },
  ): Promise<TableOfRows>;
}
