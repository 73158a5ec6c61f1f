// Aggregates that are exact whatever was repeated. A materialized view that adds up inserted blocks counts a repetition
// again, and one that keeps sets of event_ids still counts it twice when it claims another day. So each aggregate is a
// refreshable materialized view: ClickHouse computes it from the exact tables, as a whole, and swaps it in at once.
//
// - Readers see the state of one moment, at most the interval and one computation old; inserts cost nothing more.
// - A new one, or one whose definition has changed, is filled from all rows there are by its first refresh.
// - The interval counts from the end of a computation to the start of the next, so that on ever more rows it takes a
//   bounded part of the machine: one thread, and beyond some memory its groups go to the disk.
// - On a cluster each node keeps its own, so that any of them answers.
// Measured beside the other ways: docs/decisions.md.

import type { AggregateDefinition, Column } from '../../../ports/tables.ts';
import { quoteName, quoteText } from '../sql.ts';
import { ddlName, type Target, tableName } from './rows-table.ts';

export interface WantedAggregate {
  readonly name: string;
  /** Tells an old definition from the present one. */
  readonly comment: string;
  readonly drop: string;
  readonly create: string;
}

export interface AggregateOptions extends Pick<Target, 'database' | 'cluster'> {
  /** Event types there are exact tables of. */
  readonly types: ReadonlySet<string>;
  readonly refreshSeconds: number;
}

/** None when no table it is made of exists. */
export function wantedAggregate(definition: AggregateDefinition, options: AggregateOptions): WantedAggregate[] {
  const { database, types, refreshSeconds } = options;
  const parts = definition.from.filter(({ type }) => type === 'events' || types.has(type));
  if (parts.length === 0 || types.size === 0) return [];
  const { name, summary, columns, key, pace } = definition;
  const selects = parts.map(({ type, as }) => {
    const fields = Object.entries(as).map(([field, sql]) => `${sql} AS ${quoteName(field)}`);
    return `  SELECT ${fields.join(', ')} FROM ${tableName(database, type)}`;
  });
  const groups = key.map(quoteName).join(', ');
  const rows =
    `SELECT ${columns.map(({ name: column, type, is }) => `CAST(${is}, ${quoteText(type)}) AS ${quoteName(`_${column}`)}`).join(', ')}\n` +
    `FROM (\n${selects.join('\n  UNION ALL\n')}\n)\nGROUP BY ${groups}`;
  // Named apart inside, so that no column is taken for the field it is counted from.
  const select =
    `SELECT ${columns.map(({ name: column }) => `${quoteName(`_${column}`)} AS ${quoteName(column)}`).join(', ')}\nFROM (\n${rows}\n)\n` +
    `SETTINGS max_threads = 1, max_bytes_before_external_group_by = ${groupBytesMax}`;
  const schedule = `REFRESH AFTER ${refreshSeconds * pace} SECOND`;
  const comment = `${summary} (ugc ${Bun.hash(schedule + select + columnsSql(columns)).toString(36)})`;
  return [
    {
      name,
      comment,
      drop: `DROP VIEW IF EXISTS ${ddlName(options, name)} SYNC`,
      create:
        `CREATE MATERIALIZED VIEW IF NOT EXISTS ${ddlName(options, name)}\n${schedule}\n(\n  ${columnsSql(columns)}\n)\n` +
        `ENGINE = MergeTree\nORDER BY (${groups})\nAS ${select}\nCOMMENT ${quoteText(comment)}`,
    },
  ];
}

/** A part of the least memory an engine may be given. */
const groupBytesMax = 64 * 2 ** 20;

const columnsSql = (columns: readonly Column[]): string =>
  columns.map(({ name, type, about }) => `${quoteName(name)} ${type} COMMENT ${quoteText(about)}`).join(',\n  ');
