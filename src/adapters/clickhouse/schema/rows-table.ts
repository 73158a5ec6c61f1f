// The tables rows lie in, on one node or on a cluster.
//
// One node: `x_rows`, a ReplacingMergeTree.
// A cluster: `x_local` on every node, replicated within a shard, and `x_rows`, a Distributed table over all of them, sharded
// by the key of a row. So repetitions of a row meet on one shard, and FINAL, which each shard does for itself, is exact.
// A repeated block is cut into shards the same way each time, and each shard knows its piece by the block's token.

import type { Column } from '../../../ports/tables.ts';
import { quoteName, quoteText } from '../sql.ts';

export interface StoredColumn extends Column {
  readonly defaultSql?: string;
}

export interface WantedTable {
  readonly kind: 'rows' | 'distributed';
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  /** As in system.tables.sorting_key; null for engines without. */
  readonly sortingKey: string | null;
  /** The last parts of the key that tables of an older ugc do not have: they get column and key at once. */
  readonly lateKey?: readonly StoredColumn[];
  readonly settings: Readonly<Record<string, number>>;
  /** Rows are kept at least so long after received_at; undefined = for ever. */
  readonly retentionDays?: number | undefined;
  readonly create: string;
}

/** Where tables are made: `cluster` is '' on one node. */
export interface Target {
  readonly database: string;
  readonly cluster: string;
  /** The engine runs in this process. */
  readonly embedded: boolean;
}

export interface RowsSpec {
  /** Of the table that is inserted into. */
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly indexes?: readonly string[];
  /** Column whose greatest value wins. */
  readonly version: string;
  readonly sortingKey: string;
  /** The same in brackets where it has several parts. */
  readonly orderBy: string;
  /** The last parts of the key that tables of an older ugc do not have. */
  readonly lateKey?: readonly StoredColumn[];
  /** Of the key: which shard a row lies on. */
  readonly shardBy: string;
  readonly ttl?: string;
  readonly retentionDays?: number | undefined;
  readonly about: string;
}

/** Inserts remembered by token. A repetition of an older one is still one row, by its key. */
const deduplicationWindow = 1000;
/** A cluster shares its window among all writers of a shard, and forgets by time too. */
const replicatedWindow = { blocks: 10_000, seconds: 86_400 };

/** A row is as durable as the 200 was: once an insert is answered its log forgets it, or passes it. */
const onDisk = { fsync_after_insert: 1, fsync_part_directory: 1 } as const;

/** What an insert has to say besides, on a cluster: it is resolved only when every shard has its rows. */
export const clusterInsertSettings = { distributed_foreground_insert: 1 } as const;

export const tableName = (database: string, table: string): string => `${quoteName(database)}.${quoteName(table)}`;

/** A table's name in DDL, with the clause that has it done on every node. */
export const ddlName = ({ database, cluster }: Pick<Target, 'database' | 'cluster'>, table: string): string =>
  tableName(database, table) + onCluster(cluster);

export const onCluster = (cluster: string): string => (cluster === '' ? '' : ` ON CLUSTER ${quoteName(cluster)}`);

export const columnSql = ({ name, type, about, defaultSql }: StoredColumn): string =>
  `${quoteName(name)} ${type}${defaultSql ? ` DEFAULT ${defaultSql}` : ''} COMMENT ${quoteText(about)}`;

export const localTable = (rows: string): string => rows.replace(/_rows$/, '_local');

export function rowsTables(spec: RowsSpec, target: Target): WantedTable[] {
  return target.cluster === '' ? [onOneNode(spec, target)] : [local(spec, target), distributed(spec, target)];
}

function onOneNode(spec: RowsSpec, target: Target): WantedTable {
  const settings = {
    non_replicated_deduplication_window: deduplicationWindow,
    ...onDisk,
  };
  return stored(spec, target, { name: spec.name, engine: `ReplacingMergeTree(${spec.version})`, settings });
}

/** Shards and replicas are what each node's macros say: a node that joins later finds its place by them. */
function local(spec: RowsSpec, target: Target): WantedTable {
  const settings = {
    replicated_deduplication_window: replicatedWindow.blocks,
    replicated_deduplication_window_seconds: replicatedWindow.seconds,
    ...onDisk,
  };
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  const engine = `ReplicatedReplacingMergeTree(${path}, ${spec.version})`;
  return stored(spec, target, { name: localTable(spec.name), engine, settings });
}

interface Storing {
  readonly name: string;
  readonly engine: string;
  readonly settings: Readonly<Record<string, number>>;
}

function stored(spec: RowsSpec, target: Target, { name, engine, settings }: Storing): WantedTable {
  const { columns, indexes = [], sortingKey, orderBy, lateKey = [], ttl = '', retentionDays, about } = spec;
  const parts = [...columns.map(columnSql), ...indexes];
  const settingsSql = Object.entries(settings).map(([setting, value]) => `${setting} = ${value}`);
  const create =
    `CREATE TABLE IF NOT EXISTS ${ddlName(target, name)} (\n  ${parts.join(',\n  ')}\n)\n` +
    `ENGINE = ${engine}\nORDER BY ${orderBy}\n${ttl === '' ? '' : `TTL ${ttl}\n`}SETTINGS ${settingsSql.join(', ')}\n` +
    `COMMENT ${quoteText(about)}`;
  return { kind: 'rows', name, columns, sortingKey, lateKey, settings, retentionDays, create };
}

/** Without columns that have a default: the nodes count those themselves. */
function distributed({ name, columns, shardBy, about }: RowsSpec, target: Target): WantedTable {
  const own = columns.filter(({ defaultSql }) => defaultSql === undefined);
  const arguments_ = [target.cluster, target.database, localTable(name)].map(quoteText).join(', ');
  const create =
    `CREATE TABLE IF NOT EXISTS ${ddlName(target, name)} (\n  ${own.map(columnSql).join(',\n  ')}\n)\n` +
    `ENGINE = Distributed(${arguments_}, ${shardBy})\nCOMMENT ${quoteText(about)}`;
  return { kind: 'distributed', name, columns: own, sortingKey: null, settings: {}, create };
}
