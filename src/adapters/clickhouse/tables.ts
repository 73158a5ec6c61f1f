// What lies in the database, as text. Per event type:
//
// <type>_rows   the rows: ReplacingMergeTree, key = event_id alone, so that one event_id is one row whatever else a
//               repetition says. UUIDToNum, because UUIDs themselves sort by their second half: by it UUIDv7s lie in time
//               order, parts hardly overlap, FINAL has next to nothing to merge and a search by id is a binary search.
//               `_version` falls as received_at grows: the first received of several wins, an acked event stays as acked.
// <type>        the exact view, FINAL over the rows. What people read.
// <type>_check  the same columns on a Null engine: parses an insert and stores nothing.
//
// and over all of them `events`, and `dead_letters` over `dead_letters_rows`, keyed by where the record came from.
// No PARTITION BY: an insert into several partitions would not be atomic.
//
// Numbers that stand for words are stored as numbers; the views add the words. So a new word, or a word for a number
// that was let in before it had one, is a new view and never another column, and rows written earlier have it too.
// Retention is a TTL on received_at, which repetitions of an event share or come after: while one of them is kept the
// event is one row, afterwards it is none.

import type { AggregateDefinition, Column, TableDefinition } from '../../ports.ts';
import { type WantedAggregate, wantedAggregate } from './aggregates.ts';
import { quoteName, quoteText } from './sql.ts';

export interface StoredColumn extends Column {
  readonly defaultSql?: string;
}

export interface WantedTable {
  readonly kind: 'rows' | 'check';
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  /** As in system.tables.sorting_key; null for the Null engine. */
  readonly sortingKey: string | null;
  readonly settings: Readonly<Record<string, number>>;
  /** Rows are kept at least so long after received_at; undefined = for ever. */
  readonly retentionDays?: number | undefined;
  readonly create: string;
}

export interface WantedView {
  readonly name: string;
  /** Made of all types, not of one. */
  readonly isOfAll: boolean;
  /** Tells an old definition of this view from the present one. */
  readonly comment: string;
  readonly create: string;
}

export interface WantedSchema {
  readonly database: string;
  readonly tables: readonly WantedTable[];
  /** After the tables; none reads another. */
  readonly views: readonly WantedView[];
  /** After all views. */
  readonly aggregates: readonly WantedAggregate[];
}

export interface SchemaOptions {
  readonly database: string;
  readonly tables: readonly TableDefinition[];
  /** The buffer forgets rows after their insert, so with the engine in this process the insert must be on disk too. */
  readonly embedded: boolean;
  readonly aggregates?: readonly AggregateDefinition[];
  /** Between two computations of an aggregate of pace 1. */
  readonly refreshSeconds?: number;
}

export const rowsTable = (type: string): string => `${type}_rows`;
export const checkTable = (type: string): string => `${type}_check`;
export const deadLettersTable = 'dead_letters_rows';

export const deadLetterColumns: readonly Column[] = [
  { name: 'topic', type: 'LowCardinality(String)', about: 'Topic of the record' },
  { name: 'partition', type: 'UInt32', about: 'Partition in the topic' },
  { name: 'position', type: 'UInt64', about: 'Position of the first record of its batch' },
  { name: 'index', type: 'UInt32', about: 'Index in that batch' },
  { name: 'reason', type: 'LowCardinality(String)', about: 'Why it cannot be a row, in a word' },
  { name: 'detail', type: 'String', about: 'Why, in full' },
  { name: 'raw', type: 'String', about: 'The record, byte for byte' },
  { name: 'recorded_at', type: "DateTime64(3, 'UTC')", about: 'The log’s time of the record' },
  { name: 'failed_at', type: "DateTime64(3, 'UTC')", about: 'When it was given up' },
];

/** Beside what is inserted with a letter. Set by whoever made a row of it after all. */
export const replayedColumn: Column = {
  name: 'replayed_at',
  type: "Nullable(DateTime64(3, 'UTC'))",
  about: 'When it became a row after all; null while it is open',
};
const allLetterColumns = [...deadLetterColumns, replayedColumn];

const versionColumn: StoredColumn = {
  name: '_version',
  type: 'UInt64',
  about: 'The greater wins: the first received',
  defaultSql: '18446744073709551615 - toUnixTimestamp64Milli(received_at)',
};

/** Inserts remembered by token. A repetition of an older one is still one row, by its event_ids. */
const deduplicationWindow = 1000;

export function wantedSchema(options: SchemaOptions): WantedSchema {
  const { database, tables, embedded, aggregates = [], refreshSeconds = 60 } = options;
  const types = new Set(tables.map(({ type }) => type));
  for (const { type } of tables) assertName(type);
  const shown = tables.filter(({ isInternal }) => isInternal !== true);
  const settings = {
    non_replicated_deduplication_window: deduplicationWindow,
    ...(embedded && { fsync_after_insert: 1, fsync_part_directory: 1 }),
  };
  return {
    database,
    tables: [
      ...tables.flatMap(table => [rowsOf(database, table, settings), checkOf(database, table)]),
      deadLetterRows(database, settings),
    ],
    views: [
      ...tables.map(table => exactView(database, table)),
      ...(shown.length > 0 ? [eventsView(database, shown)] : []),
      view(
        database,
        'dead_letters',
        `SELECT ${namesOf(allLetterColumns)}\nFROM ${tableName(database, deadLettersTable)} FINAL`,
        'Records that could not become a row',
      ),
    ],
    aggregates: aggregates.flatMap(definition => wantedAggregate(definition, { database, types, refreshSeconds })),
  };
}

export const tableName = (database: string, table: string): string => `${quoteName(database)}.${quoteName(table)}`;

export const namesOf = (columns: readonly Column[]): string => columns.map(({ name }) => quoteName(name)).join(', ');

export const columnSql = ({ name, type, about, defaultSql }: StoredColumn): string =>
  `${quoteName(name)} ${type}${defaultSql ? ` DEFAULT ${defaultSql}` : ''} COMMENT ${quoteText(about)}`;

function assertName(type: string): void {
  if (!/^[a-z][a-z0-9_]*$/.test(type) || /^(events|dead_letters)$|_(rows|check)$/.test(type))
    throw new Error(`an event type cannot be called ${type}: its tables would not be`);
}

function rowsOf(database: string, table: TableDefinition, settings: Readonly<Record<string, number>>): WantedTable {
  const name = rowsTable(table.type);
  const columns = [...table.columns, versionColumn];
  const sortingKey = 'UUIDToNum(event_id)';
  const parts = [
    ...columns.map(columnSql),
    'INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1',
    'INDEX received_at_minmax received_at TYPE minmax GRANULARITY 1',
  ];
  const create =
    `CREATE TABLE IF NOT EXISTS ${tableName(database, name)} (\n  ${parts.join(',\n  ')}\n)\n` +
    `ENGINE = ReplacingMergeTree(_version)\nORDER BY ${sortingKey}\n${ttlOf(table)}SETTINGS ${settingsSql(settings)}\n` +
    `COMMENT ${quoteText(`${table.summary}. Storage: read ${table.type} instead`)}`;
  return { kind: 'rows', name, columns, sortingKey, settings, retentionDays: table.retentionDays, create };
}

export const ttlSql = (days: number): string => `toDateTime(received_at) + toIntervalDay(${days})`;

const ttlOf = ({ retentionDays }: TableDefinition): string =>
  retentionDays === undefined ? '' : `TTL ${ttlSql(retentionDays)}\n`;

function checkOf(database: string, { type, columns }: TableDefinition): WantedTable {
  const name = checkTable(type);
  const create =
    `CREATE OR REPLACE TABLE ${tableName(database, name)} (\n  ${columns.map(columnSql).join(',\n  ')}\n)\n` +
    `ENGINE = Null\nCOMMENT ${quoteText(`Takes what ${rowsTable(type)} takes and stores nothing`)}`;
  return { kind: 'check', name, columns, sortingKey: null, settings: {}, create };
}

function deadLetterRows(database: string, settings: Readonly<Record<string, number>>): WantedTable {
  const sortingKey = 'topic, partition, position, index';
  const create =
    `CREATE TABLE IF NOT EXISTS ${tableName(database, deadLettersTable)} (\n  ${allLetterColumns.map(columnSql).join(',\n  ')}\n)\n` +
    `ENGINE = ReplacingMergeTree(failed_at)\nORDER BY (${sortingKey})\nSETTINGS ${settingsSql(settings)}\n` +
    `COMMENT ${quoteText('Storage: read dead_letters instead')}`;
  return { kind: 'rows', name: deadLettersTable, columns: allLetterColumns, sortingKey, settings, create };
}

const settingsSql = (settings: Readonly<Record<string, number>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');

function exactView(database: string, { type, columns, summary }: TableDefinition): WantedView {
  const read = columns
    .flatMap(readOf)
    .map(({ name, sql }) => (sql === quoteName(name) ? sql : `${sql} AS ${quoteName(name)}`));
  const select = `SELECT ${read.join(', ')}\nFROM ${tableName(database, rowsTable(type))} FINAL`;
  return view(database, type, select, summary);
}

/** What readers get: a stored column as it is, or something made of it. */
interface Read {
  readonly name: string;
  readonly type: string;
  readonly sql: string;
}

/** A column as readers get it: itself, and its words. */
function readOf({ name, type, words }: Column): Read[] {
  const itself = { name, type, sql: quoteName(name) };
  if (words === undefined) return [itself];
  const numbers = Object.keys(words.of).map(Number);
  const texts = numbers.map(number => quoteText(words.of[number]!));
  const word = `transform(${quoteName(name)}, [${numbers.join(', ')}], [${texts.join(', ')}], '')`;
  const wordType = 'LowCardinality(String)';
  return [itself, { name: words.column, type: wordType, sql: `CAST(${word}, ${quoteText(wordType)})` }];
}

const named =
  (wanted: string) =>
  ({ name }: Column): boolean =>
    name === wanted;

/**
 * What all types have, column by column, as text where its types differ, and the rest of a row as the JSON text of an
 * object. From the rows, not from the exact views: planning through views takes twice the time, most of a small query's.
 */
function eventsView(database: string, tables: readonly TableDefinition[]): WantedView {
  const [first, ...others] = tables as [TableDefinition, ...TableDefinition[]];
  const common = first.columns.filter(column => others.every(table => table.columns.some(named(column.name))));
  const commonNames = new Set(common.map(({ name }) => name));
  const shared = common.map(({ name, type }) => {
    const differs = others.some(table => table.columns.find(named(name))?.type !== type);
    return differs ? `CAST(${quoteName(name)}, 'Nullable(String)') AS ${quoteName(name)}` : quoteName(name);
  });
  const selects = tables.map(({ type, columns }) => {
    const own = columns.flatMap(readOf).filter(({ name }) => !commonNames.has(name));
    return `SELECT ${shared.join(', ')}, ${restSql(own)} AS fields\nFROM ${tableName(database, rowsTable(type))} FINAL`;
  });
  const select = selects.join('\nUNION ALL\n');
  return { ...view(database, 'events', select, 'Every event of every type; fields = its own columns'), isOfAll: true };
}

function restSql(read: readonly Read[]): string {
  if (read.length === 0) return quoteText('{}');
  const tuple = read.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ');
  return `toJSONString(CAST(tuple(${read.map(({ sql }) => sql).join(', ')}), ${quoteText(`Tuple(${tuple})`)}))`;
}

function view(database: string, name: string, select: string, about: string): WantedView {
  const comment = `${about} (ugc ${Bun.hash(select).toString(36)})`;
  return {
    name,
    isOfAll: false,
    comment,
    create: `CREATE OR REPLACE VIEW ${tableName(database, name)} AS\n${select}\nCOMMENT ${quoteText(comment)}`,
  };
}
