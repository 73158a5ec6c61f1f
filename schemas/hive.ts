// The cold side of a type: the Hive table over its Parquet or CSV files, and the view by which people read either: typed, with
// the words for numbers that stand for words. And what ClickHouse is to select from CSV files. Shown on Hive 4.0.1.
//
// Parquet is read by the columns' names: what a file of before the type has grown has not is null. CSV is read by their
// order, and so a type's new field has to be the last of its own. OpenCSVSerde reads every column as text: types are made
// in the view.
//
// CSV files: a line an event, no header line (Hive ignores skip.header.line.count in MapReduce queries), fields quoted
// where they have to be, quotes doubled. Null is \N; in text a backslash is \s, a line feed \n, a carriage return \r,
// since Hive ends a line at either whatever is quoted. OpenCSVSerde takes a backslash away unless it is told another
// escape character, and with '"' it is not told; so the escape is a line feed, which no field can hold.

import { type Column, columnsByPlace, type TableDefinition } from './columns.ts';
import type { EventType } from './event.ts';
import { tableOf } from './table.ts';

export type HiveFormat = 'parquet' | 'csv';

/** Which files, and what stands over them. */
export interface HiveTarget {
  readonly format: HiveFormat;
  readonly database: string;
  /** The archive's root: a URL that Hive reads; below it <format>/<type>/dt=YYYY-MM-DD/. */
  readonly location: string;
}

/** Of one type. Each may be said again: only `grow` is refused for a column there is. */
export interface HiveStatements {
  /** The table's name, as SQL. */
  readonly table: string;
  /** In order: the database, the table. */
  readonly create: readonly string[];
  /** Makes it have every column, and no other. */
  readonly replaceColumns: string;
  readonly grow: (columns: readonly Column[]) => string;
  /** Each YYYY-MM-DD; one that is there stays where it is. `folders`, below the root: of those that lie elsewhere. */
  readonly addDays: (days: readonly string[], folders?: ReadonlyMap<string, string>) => string;
  /** A day that is there, to another folder below the root. */
  readonly moveDay: (day: string, folder: string) => string;
  /** Finds the days that lie there by itself. */
  readonly findDays: string;
  /** After the columns are there. */
  readonly view: string;
}

export function hiveStatements(
  definition: TableDefinition,
  { format, database, location }: HiveTarget,
): HiveStatements {
  const { type, columns, summary } = definition;
  const lying = format === 'csv' ? columnsByPlace(definition) : columns;
  const table = `\`${database}\`.\`${type}_${format}\``;
  const list = (some: readonly Column[]): string => some.map(column => declared(column, format)).join(',\n');
  return {
    table,
    create: [
      `CREATE DATABASE IF NOT EXISTS \`${database}\``,
      `CREATE EXTERNAL TABLE IF NOT EXISTS ${table} (
${list(lying)}
) COMMENT ${quoted(summary)}
PARTITIONED BY (\`dt\` string COMMENT 'Day of received_at, UTC')
${storedAs[format]}
LOCATION '${location}/${format}/${type}'`,
    ],
    replaceColumns: `ALTER TABLE ${table} REPLACE COLUMNS (\n${list(lying)}\n) CASCADE`,
    grow: some => `ALTER TABLE ${table} ADD COLUMNS (\n${list(some)}\n) CASCADE`,
    addDays: (days, folders) =>
      `ALTER TABLE ${table} ADD IF NOT EXISTS ${days
        .map(day => {
          const folder = folders?.get(day);
          return `PARTITION (\`dt\`='${day}')${folder === undefined ? '' : ` LOCATION '${location}/${folder}'`}`;
        })
        .join(' ')}`,
    moveDay: (day, folder) => `ALTER TABLE ${table} PARTITION (\`dt\`='${day}') SET LOCATION '${location}/${folder}'`,
    findDays: `MSCK REPAIR TABLE ${table}`,
    view: `CREATE OR REPLACE VIEW \`${database}\`.\`${type}\` COMMENT ${quoted(summary)} AS SELECT
${columns.flatMap(column => termsOf(column, format)).join(',\n')},
  \`dt\`
FROM ${table}`,
  };
}

const storedAs: Readonly<Record<HiveFormat, string>> = {
  parquet: 'STORED AS PARQUET',
  csv: `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('separatorChar'=',', 'quoteChar'='"', 'escapeChar'='\\n')
STORED AS TEXTFILE`,
};

/** The columns of a type's CSV files, in order. */
export const csvHeader = (type: EventType): string =>
  columnsByPlace(tableOf(type))
    .map(({ name }) => name)
    .join(',');

/** All of a type, to be fed to beeline. ${hivevar:location} is the archive's root. */
export function hiveDdl(type: EventType, format: HiveFormat = 'parquet'): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is beeline's
  const target = { format, database: 'ugc', location: '${hivevar:location}' };
  const { create, replaceColumns, findDays, view } = hiveStatements(tableOf(type), target);
  // OpenCSVSerde's columns cannot be replaced: a table that lacks some is made anew. Its files stay: it is external.
  const { table } = hiveStatements(tableOf(type), target);
  const [database = '', external = ''] = create;
  const statements =
    format === 'csv'
      ? [`DROP VIEW IF EXISTS \`ugc\`.\`${type.name}\``, `DROP TABLE IF EXISTS ${table}`, external, findDays, view]
      : [external, replaceColumns, findDays, view];
  const title = format === 'csv' ? `-- CSV: ${csvHeader(type)}` : `-- Parquet: ${type.name}`;
  return `${title}\n${[database, ...statements].join(';\n')};`;
}

const hiveTypes: Readonly<Record<string, string>> = {
  Int8: 'tinyint',
  UInt8: 'smallint',
  UInt16: 'int',
  Int32: 'int',
  Int16: 'smallint',
  UInt32: 'bigint',
  UInt64: 'bigint',
  Int64: 'bigint',
  Float64: 'double',
};

const bareOf = (type: string): string =>
  type.replace(/^LowCardinality\((.+)\)$/, '$1').replace(/^Nullable\((.+)\)$/, '$1');

/** The type of a Parquet column. */
function hiveTypeOf(column: string): string {
  const type = bareOf(column);
  if (type.startsWith('DateTime64')) return 'timestamp';
  if (type === 'Bool') return 'boolean';
  return type === 'Array(String)' ? 'array<string>' : (hiveTypes[type] ?? 'string');
}

const declared = ({ name, type, about }: Column, format: HiveFormat): string =>
  `  \`${name}\` ${format === 'csv' ? 'string' : hiveTypeOf(type)} COMMENT ${quoted(about)}`;

function termsOf({ name, type, words }: Column, format: HiveFormat): readonly string[] {
  const value = format === 'csv' ? `  ${castOf(`\`${name}\``, type)} AS \`${name}\`` : `  \`${name}\``;
  return words === undefined ? [value] : [value, `  ${caseOf(name, words.of, format)} AS \`${words.column}\``];
}

/** `\N` becomes null in a cast by itself. The escapes are told apart whatever the order, as each has one letter. */
function castOf(name: string, column: string): string {
  const type = bareOf(column);
  if (type.startsWith('DateTime64')) return `cast(replace(replace(${name}, 'T', ' '), 'Z', '') AS timestamp)`;
  if (type === 'Bool') return `CASE ${name} WHEN 'true' THEN true WHEN 'false' THEN false END`;
  const number = hiveTypes[type];
  if (number !== undefined) return `cast(${name} AS ${number})`;
  if (type === 'UUID') return column.includes('Nullable') ? `nullif(${name}, '\\\\N')` : name;
  const text = `replace(replace(replace(${name}, '\\\\n', '\\n'), '\\\\r', '\\r'), '\\\\s', '\\\\')`;
  return column.includes('Nullable') ? `CASE ${name} WHEN '\\\\N' THEN NULL ELSE ${text} END` : text;
}

const caseOf = (name: string, words: Readonly<Record<number, string>>, format: HiveFormat): string =>
  `CASE \`${name}\` ${Object.entries(words)
    .map(([number, word]) => `WHEN ${format === 'csv' ? `'${number}'` : number} THEN ${quoted(word)}`)
    .join(' ')} END`;

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll(';', ',')}'`;

/**
 * What ClickHouse is to select from CSV files, whatever they are read from: a table function such as file(), s3() or
 * hdfs() with `clickhouseCsvColumns`, or a table of them.
 */
export const clickhouseCsvSelect = ({ columns }: TableDefinition, source: string): string =>
  `SELECT\n${columns.map(({ name, type }) => `  ${clickhouseCast(`\`${name}\``, type)} AS \`${name}\``).join(',\n')}\nFROM ${source}`;

export const clickhouseCsvColumns = (definition: TableDefinition): string =>
  columnsByPlace(definition)
    .map(({ name }) => `\`${name}\` Nullable(String)`)
    .join(', ');

function clickhouseCast(name: string, column: string): string {
  const type = bareOf(column);
  const orNull = column.includes('Nullable') ? name : `assumeNotNull(${name})`;
  if (type.startsWith('DateTime64'))
    return `parseDateTime64BestEffort${column.includes('Nullable') ? 'OrNull' : ''}(${orNull}, 3, 'UTC')`;
  if (type !== 'String' && type !== 'Array(String)') return `CAST(${orNull}, '${column}')`;
  const text = `replaceAll(replaceAll(replaceAll(${orNull}, '\\\\n', '\\n'), '\\\\r', '\\r'), '\\\\s', '\\\\')`;
  return type === 'String' ? text : `JSONExtract(${text}, 'Array(String)')`;
}
