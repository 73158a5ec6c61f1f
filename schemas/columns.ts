// What a table is made of, and the columns that every event has. Types, and no more of ClickHouse than names of its types.

export interface Column {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
  readonly about: string;
  /** What its numbers stand for: readers get the words too, in a column called `column`. */
  readonly words?: { readonly column: string; readonly of: Readonly<Record<number, string>> };
  /** Free JSON, kept as its text: in a stored body it is no text, but the object itself. */
  readonly isJson?: true;
  /** Readers get it under this name too: the one by which types are joined. */
  readonly alias?: string;
}

/** The table of one event type, as the catalogue wants it. */
export interface TableDefinition {
  readonly type: string;
  /** Of the type's definition; 1 when it is not said. */
  readonly version?: number;
  readonly summary: string;
  /** `events` does not show it. */
  readonly isInternal?: boolean;
  /** Rows may go so many days after they were received; undefined = never. */
  readonly retentionDays?: number;
  /** Every key of a stored body of this type, in order; `event_id`, `event_type`, `received_at`, `timestamp` among them. */
  readonly columns: readonly Column[];
}

/** What is counted from the exact tables and kept ready, exact whatever was repeated. */
export interface AggregateDefinition {
  readonly name: string;
  readonly summary: string;
  /** Columns that tell its rows apart, and by which they lie. */
  readonly key: readonly string[];
  /** Made of the exact tables of these types, or of `events`; those there are no tables of are left out. */
  readonly from: readonly {
    readonly type: string;
    /** Field → ClickHouse expression over a row of that table; each part has the same fields in the same order. */
    readonly as: Readonly<Record<string, string>>;
  }[];
  /** `is`: a ClickHouse expression over the fields of a group. */
  readonly columns: readonly (Column & { readonly is: string })[];
  /** Computed anew every so many intervals. */
  readonly pace: number;
}

/** What the edge stamps on every event, in stored order. */
export const edgeColumns: readonly Column[] = [
  { name: 'event_id', type: 'UUID', about: 'Identity: the client’s, or a UUIDv7 given at the edge' },
  { name: 'event_type', type: 'LowCardinality(String)', about: 'Event type' },
  { name: 'schema_version', type: 'UInt16', about: 'Version of the event type’s definition' },
  { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'When the server took it' },
  { name: 'source', type: 'LowCardinality(String)', about: 'Name of the API key that sent it' },
  { name: 'ip', type: 'String', about: 'Client address' },
  { name: 'user_agent', type: 'String', about: 'User-Agent header of the request' },
  { name: 'timestamp', type: "DateTime64(3, 'UTC')", about: 'When it happened, by the client, corrected by sent_at' },
  { name: 'sent_at', type: "Nullable(DateTime64(3, 'UTC'))", about: 'The client’s clock when it sent' },
];

/**
 * The order of columns in files that are read by their order alone (CSV): free JSON, the last in a body, stands behind what
 * the edge stamps. So what a type gets new comes last, if it comes last among the type's own fields.
 */
export function columnsByPlace({ columns }: Pick<TableDefinition, 'columns'>): readonly Column[] {
  const edge = columns.findIndex(({ name }) => name === edgeColumns.at(-1)?.name) + 1;
  const own = columns.slice(edge);
  return [
    ...columns.slice(0, edge),
    ...own.filter(({ isJson }) => isJson === true),
    ...own.filter(({ isJson }) => isJson !== true),
  ];
}
