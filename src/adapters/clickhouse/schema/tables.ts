// What lies in the database, as text. Per event type:
//
// <type>_rows   the rows: ReplacingMergeTree, key = event_id alone, so that one event_id is one row whatever else a
//               repetition says. UUIDToNum, because UUIDs themselves sort by their second half: by it UUIDv7s lie in time
//               order, parts hardly overlap, FINAL has next to nothing to merge and a search by id is a binary search.
//               `_version` falls as received_at grows: the first received of several wins, an acked event stays as acked.
// <type>        the exact view, FINAL over the rows. What people read.
//
// and over all of them `events`, and `dead_letters` over `dead_letters_rows`, keyed by where the record came from.
// No PARTITION BY: an insert into several partitions would not be atomic.
//
// Numbers that stand for words are stored as numbers; the views add the words. So a new word, or a word for a number
// that was let in before it had one, is a new view and never another column, and rows written earlier have it too.
// The views add two more names: `person`, who it was, and the alias of a column that types are joined by. A field of such a
// name goes before: its view has that one alone.
// Retention is a TTL on received_at, which repetitions of an event share or come after: while one of them is kept the
// event is one row, afterwards it is none.

import type { AggregateDefinition, Column, TableDefinition } from '../../../ports/tables.ts';
import { quoteName, quoteText } from '../sql.ts';
import { type WantedAggregate, wantedAggregate } from './aggregates.ts';
import {
  columnSql,
  ddlName,
  rowsTables,
  type StoredColumn,
  type Target,
  tableName,
  type WantedTable,
} from './rows-table.ts';

export { tableName } from './rows-table.ts';

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
  /** '' = one node. */
  readonly cluster: string;
  readonly tables: readonly WantedTable[];
  /** After the tables; none reads another. */
  readonly views: readonly WantedView[];
  /** After all views. */
  readonly aggregates: readonly WantedAggregate[];
  /** What older versions made and this one does not use, where no other process can be using it. */
  readonly retired: readonly { readonly name: string; readonly engine: string }[];
}

export interface SchemaOptions {
  readonly database: string;
  readonly tables: readonly TableDefinition[];
  /** The engine runs in this process. */
  readonly embedded: boolean;
  /** The name of the cluster the server is one node of; '' or nothing = it is alone. */
  readonly cluster?: string;
  readonly aggregates?: readonly AggregateDefinition[];
  /** Between two computations of an aggregate of pace 1. */
  readonly refreshSeconds?: number;
}

export const rowsTable = (type: string): string => `${type}_rows`;
export const deadLettersTable = 'dead_letters_rows';

const letterLogColumn: Column = {
  name: 'log',
  type: 'String',
  about: 'Which log it lay in: a buffer’s identity, a topic’s id; empty = not known',
};

export const deadLetterColumns: readonly Column[] = [
  { name: 'topic', type: 'LowCardinality(String)', about: 'Topic of the record' },
  { name: 'partition', type: 'UInt32', about: 'Partition in the topic' },
  { name: 'position', type: 'UInt64', about: 'Position of the record, or of the first of its batch' },
  { name: 'index', type: 'UInt32', about: 'Index from there; 0 where the position is its own' },
  letterLogColumn,
  { name: 'reason', type: 'LowCardinality(String)', about: 'Why it cannot be a row, in a word' },
  { name: 'detail', type: 'String', about: 'Why, in full' },
  { name: 'raw', type: 'String', about: 'The record, byte for byte' },
  { name: 'recorded_at', type: "DateTime64(3, 'UTC')", about: 'The log’s time of the record' },
  { name: 'failed_at', type: "DateTime64(3, 'UTC')", about: 'When it was given up' },
];

/** Beside what is inserted with a letter: what became of it. Open while it is neither replayed nor dismissed. */
export const letterMarkColumns: readonly Column[] = [
  { name: 'replayed_at', type: "Nullable(DateTime64(3, 'UTC'))", about: 'When it became a row after all, or null' },
  { name: 'dismissed_at', type: "Nullable(DateTime64(3, 'UTC'))", about: 'When it was given up for good, or null' },
  { name: 'dismissed_why', type: 'String', about: 'What was said of it then' },
];
const allLetterColumns = [...deadLetterColumns, ...letterMarkColumns];

const versionColumn: StoredColumn = {
  name: '_version',
  type: 'UInt64',
  about: 'The greater wins: the first received',
  defaultSql: '18446744073709551615 - toUnixTimestamp64Milli(received_at)',
};

export function wantedSchema(options: SchemaOptions): WantedSchema {
  const { database, tables, embedded, cluster = '', aggregates = [], refreshSeconds = 60 } = options;
  const types = new Set(tables.map(({ type }) => type));
  for (const { type } of tables) assertName(type);
  const shown = tables.filter(({ isInternal }) => isInternal !== true);
  const target = { database, cluster, embedded };
  return {
    database,
    cluster,
    tables: [...tables.flatMap(table => rowsOf(table, target)), ...deadLetterRows(target)],
    views: [
      ...tables.map(table => exactView(table, target)),
      ...(shown.length > 0 ? [eventsView(shown, target)] : []),
      view(target, {
        name: 'dead_letters',
        columns: allLetterColumns,
        select: `SELECT ${namesOf(allLetterColumns)}\nFROM ${tableName(database, deadLettersTable)} FINAL`,
        about: 'Records that could not become a row',
      }),
    ],
    aggregates: aggregates.flatMap(definition => wantedAggregate(definition, { ...target, types, refreshSeconds })),
    retired: embedded ? tables.map(({ type }) => ({ name: `${type}_check`, engine: 'Null' })) : [],
  };
}

export const namesOf = (columns: readonly Column[]): string => columns.map(({ name }) => quoteName(name)).join(', ');

function assertName(type: string): void {
  if (!/^[a-z][a-z0-9_]*$/.test(type) || /^(events|dead_letters)$|_(rows|local|check)$/.test(type))
    throw new Error(`an event type cannot be called ${type}: its tables would not be`);
}

function rowsOf({ type, summary, columns, retentionDays }: TableDefinition, target: Target): WantedTable[] {
  const spec = {
    name: rowsTable(type),
    columns: [...columns, versionColumn],
    indexes: [
      'INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1',
      'INDEX received_at_minmax received_at TYPE minmax GRANULARITY 1',
    ],
    version: versionColumn.name,
    sortingKey: 'UUIDToNum(event_id)',
    orderBy: 'UUIDToNum(event_id)',
    shardBy: 'cityHash64(event_id)',
    ...(retentionDays === undefined ? {} : { retentionDays, ttl: ttlSql(retentionDays) }),
    about: `${summary}. Storage: read ${type} instead`,
  };
  return rowsTables(spec, target);
}

export const ttlSql = (days: number): string => `toDateTime(received_at) + toIntervalDay(${days})`;

function deadLetterRows(target: Target): WantedTable[] {
  const key = 'topic, partition, position, index, log';
  const spec = {
    name: deadLettersTable,
    columns: allLetterColumns,
    version: 'failed_at',
    sortingKey: key,
    orderBy: `(${key})`,
    // Without the log, which older tables do not have: what lies together may well be of two.
    shardBy: 'cityHash64(topic, partition, position, index)',
    lateKey: [letterLogColumn],
    about: 'Storage: read dead_letters instead',
  };
  return rowsTables(spec, target);
}

function exactView({ type, columns, summary }: TableDefinition, target: Target): WantedView {
  const read = readOf(columns);
  const select = `SELECT ${termsOf(read)}\nFROM ${tableName(target.database, rowsTable(type))} FINAL`;
  return view(target, { name: type, columns: read, select, about: summary });
}

/** What readers get: a stored column as it is, or something made of it. */
interface Read extends Column {
  readonly sql: string;
}

/** The columns as readers get them: each itself, its words and its alias; behind the ids of a person the one that counts. */
function readOf(columns: readonly Column[]): Read[] {
  const isTaken = (wanted: string): boolean => columns.some(named(wanted));
  return columns.flatMap(column => {
    const itself = { name: column.name, type: column.type, about: column.about, sql: quoteName(column.name) };
    const isPersonNext = column.name === 'anonymous_id' && isTaken('user_id') && !isTaken(person.name);
    return [itself, ...wordsOf(column), ...aliasOf(column), ...(isPersonNext ? [person] : [])];
  });
}

/** By the same rule as the partition key of a record: an empty text is nobody. */
const person: Read = {
  name: 'person',
  type: 'Nullable(String)',
  about: 'Who it was: user_id, else anonymous_id, else null',
  sql: `coalesce(nullIf(CAST(user_id, 'Nullable(String)'), ''), nullIf(anonymous_id, ''))`,
};

function wordsOf({ name, about, words }: Column): Read[] {
  if (words === undefined) return [];
  const numbers = Object.keys(words.of).map(Number);
  const texts = numbers.map(number => quoteText(words.of[number]!));
  const word = `transform(${quoteName(name)}, [${numbers.join(', ')}], [${texts.join(', ')}], '')`;
  const type = 'LowCardinality(String)';
  const sql = `CAST(${word}, ${quoteText(type)})`;
  return [{ name: words.column, type, about: `${about}, in words`, sql }];
}

const aliasOf = ({ name, type, about, alias }: Column): Read[] =>
  alias === undefined
    ? []
    : [{ name: alias, type, about: `${about}: ${name} by the name all types share`, sql: quoteName(name) }];

const termsOf = (read: readonly Read[]): string =>
  read.map(({ name, sql }) => (sql === quoteName(name) ? sql : `${sql} AS ${quoteName(name)}`)).join(', ');

const named =
  (wanted: string) =>
  ({ name }: Column): boolean =>
    name === wanted;

/**
 * What all types have, column by column, as text where its types differ, and the rest of a row as the JSON text of an
 * object. From the rows, not from the exact views: planning through views takes twice the time, most of a small query's.
 */
function eventsView(tables: readonly TableDefinition[], target: Target): WantedView {
  const [first, ...others] = tables as [TableDefinition, ...TableDefinition[]];
  const common = first.columns.filter(column => others.every(table => table.columns.some(named(column.name))));
  const commonNames = new Set(common.map(({ name }) => name));
  const shared = readOf(common).map(column => {
    const differs =
      commonNames.has(column.name) && others.some(table => typeIn(table, column.name) !== typeIn(first, column.name));
    return differs ? { ...column, type: 'Nullable(String)', sql: `CAST(${column.sql}, 'Nullable(String)')` } : column;
  });
  const terms = termsOf(shared);
  const selects = tables.map(({ type, columns }) => {
    const own = readOf(columns.filter(({ name }) => !commonNames.has(name))).map(column =>
      // An alias goes before a column, so a field of this name says that it is the column.
      shared.some(named(column.name)) ? { ...column, sql: `own.${column.sql}` } : column,
    );
    return `SELECT ${terms}, ${restSql(own)} AS fields\nFROM ${tableName(target.database, rowsTable(type))} AS own FINAL`;
  });
  const select = selects.join('\nUNION ALL\n');
  const columns = [...shared, fieldsColumn];
  const about = 'Every event of every type; fields = its own columns';
  return { ...view(target, { name: 'events', columns, select, about }), isOfAll: true };
}

const typeIn = ({ columns }: TableDefinition, name: string): string | undefined => columns.find(named(name))?.type;

const fieldsColumn: Column = { name: 'fields', type: 'String', about: 'What else its type has, a JSON object' };

/** The text of a JSON object with these columns. */
function restSql(read: readonly Read[]): string {
  if (read.length === 0) return quoteText('{}');
  if (!read.some(isDouble)) return objectSql(read);
  const members = read.map((column, at) => {
    const head = `${at === 0 ? '{' : ','}${JSON.stringify(column.name)}:`;
    const value = isDouble(column) ? doubleSql(column) : `toJSONString(CAST(${column.sql}, ${quoteText(column.type)}))`;
    return `${quoteText(head)}, ${/\bNullable\b/.test(column.type) ? `ifNull(${value}, 'null')` : value}`;
  });
  return `concat(${members.join(', ')}, '}')`;
}

function objectSql(read: readonly Read[]): string {
  const tuple = read.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ');
  return `toJSONString(CAST(tuple(${read.map(({ sql }) => sql).join(', ')}), ${quoteText(`Tuple(${tuple})`)}))`;
}

const isDouble = ({ type }: Read): boolean => /\bFloat64\b/.test(type);

/** ClickHouse spells a double below 1e21 as digits alone, and reads no JSON with more of them than 64 bits hold. */
const doubleSql = ({ sql }: Read): string =>
  `concat(toJSONString(${sql}), if(abs(${sql}) >= 9223372036854775808 AND abs(${sql}) < 1e21, 'e0', ''))`;

interface ViewSpec {
  readonly name: string;
  /** What `select` gives: the engine believes it, which costs half of working it out. */
  readonly columns: readonly Column[];
  readonly select: string;
  readonly about: string;
}

function view(target: Target, { name, columns, select, about }: ViewSpec): WantedView {
  const columnsSql = columns.map(columnSql).join(',\n  ');
  const comment = `${about} (ugc ${Bun.hash(columnsSql + select).toString(36)})`;
  return {
    name,
    isOfAll: false,
    comment,
    create:
      `CREATE OR REPLACE VIEW ${ddlName(target, name)} (\n  ${columnsSql}\n)\n` +
      `AS ${select}\nCOMMENT ${quoteText(comment)}`,
  };
}
