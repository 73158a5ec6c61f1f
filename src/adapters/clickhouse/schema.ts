// Brings the database to what the catalogue wants: read what is there, plan, and only then write. The plan is pure; it
// either names what does not fit, or the statements that are missing. What fits costs two small queries.
//
// Invariants: nothing is written while anything does not fit. No statement loses a row. Two processes may do it at once:
// every statement tolerates its own repetition, and whoever loses a race looks again.

import { ClickHouseError } from '@clickhouse/client';
import { PipelineError } from '../../errors.ts';
import type { ClickhouseClient } from './client.ts';
import { sinkError } from './errors.ts';
import { columnSql, ddlName, onCluster, type WantedTable } from './rows-table.ts';
import { quoteName } from './sql.ts';
import { ttlSql, type WantedSchema } from './tables.ts';

export type Migrate = 'auto' | 'check' | 'off';

export interface FoundTable {
  readonly engine: string;
  readonly engineFull: string;
  readonly sortingKey: string;
  readonly comment: string;
  /** Type by column name. */
  readonly columns: ReadonlyMap<string, string>;
}

export type FoundSchema = ReadonlyMap<string, FoundTable>;

export interface Plan {
  readonly problems: readonly string[];
  readonly statements: readonly string[];
}

export interface PrepareOptions {
  readonly client: ClickhouseClient;
  readonly wanted: WantedSchema;
  readonly migrate: Migrate;
  readonly log?: { info(about: object, message: string): void } | undefined;
}

/** Rejects with `schema_incompatible`, or with what the sink's errors are. */
export async function prepareSchema({ client, wanted, migrate, log }: PrepareOptions): Promise<void> {
  if (migrate === 'off') return;
  for (let attempt = 1; ; attempt++) {
    const plan = planSchema(wanted, await readSchema(client, wanted.database));
    if (plan.problems.length > 0) throw new PipelineError('schema_incompatible', plan.problems.join('\n'));
    if (plan.statements.length === 0) return;
    if (migrate === 'check')
      throw new PipelineError(
        'schema_incompatible',
        `Database ${wanted.database} lacks something. Set UGC_CLICKHOUSE_MIGRATE=auto, or run:\n${plan.statements.join(';\n')};`,
      );
    const clickhouse_settings = wanted.cluster === '' ? {} : clusterDdlSettings;
    const run = (query: string) => client.command({ query, clickhouse_settings });
    if (await apply(run, stagesOf(wanted, plan.statements), attempt < attemptsMax, log)) return;
  }
}

const attemptsMax = 5;

/** A node that is down makes up for it when it is back; nobody waits for it. */
const clusterDdlSettings = { distributed_ddl_output_mode: 'null_status_on_timeout_only_active' } as const;

export function planSchema(wanted: WantedSchema, found: FoundSchema): Plan {
  const problems: string[] = [];
  const statements: string[] = [];
  for (const table of wanted.tables) {
    const there = found.get(table.name);
    if (there === undefined) statements.push(table.create);
    else if (table.kind === 'check') statements.push(...(isTwin(table, there) ? [] : [table.create]));
    else if (table.kind === 'distributed') planDistributed(wanted, table, there, problems, statements);
    else planRows(wanted, table, there, problems, statements);
  }
  planViews(wanted, found, problems, statements);
  if (statements.length > 0 && found.size === 0)
    statements.unshift(`CREATE DATABASE IF NOT EXISTS ${quoteName(wanted.database)}${onCluster(wanted.cluster)}`);
  return { problems, statements };
}

function planViews(wanted: WantedSchema, found: FoundSchema, problems: string[], statements: string[]): void {
  const plan = (name: string, kind: 'View' | 'MaterializedView', comment: string, create: readonly string[]): void => {
    const there = found.get(name);
    if (there !== undefined && there.engine !== kind)
      problems.push(
        `${wanted.database}.${name} is a table (${there.engine}), wanted a ${kind === 'View' ? 'view' : 'materialized view'}: rename it, or use another database with UGC_CLICKHOUSE_DATABASE.`,
      );
    else if (there?.comment !== comment) statements.push(...create);
  };
  for (const { name, comment, create } of wanted.views) plan(name, 'View', comment, [create]);
  for (const { name, comment, drop, create } of wanted.aggregates)
    plan(name, 'MaterializedView', comment, found.has(name) ? [drop, create] : [create]);
}

function isTwin(wanted: WantedTable, there: FoundTable): boolean {
  return there.engine === 'Null' && wanted.columns.every(({ name, type }) => sameType(there.columns.get(name), type));
}

/** Where a table is made; the same clause says so of every change to it. */
type Place = Pick<WantedSchema, 'database' | 'cluster'>;

const remedyOf = (called: string): string =>
  `Rename it (RENAME TABLE ${called} TO ${called}_old) and start again: ugc creates a new one; then copy what is worth it.`;

function planDistributed(
  place: Place,
  wanted: WantedTable,
  there: FoundTable,
  problems: string[],
  statements: string[],
): void {
  const called = `${place.database}.${wanted.name}`;
  const over = /Distributed\((.*)\)\n/.exec(wanted.create)![1]!;
  if (there.engine !== 'Distributed' || !there.engineFull.includes(over))
    problems.push(
      `${called} is ${there.engineFull.split(' SETTINGS')[0]}, wanted Distributed(${over}). ${remedyOf(called)}`,
    );
  planColumns(place, wanted, there, problems, statements);
}

function planRows(
  place: Place,
  wanted: WantedTable,
  there: FoundTable,
  problems: string[],
  statements: string[],
): void {
  const called = `${place.database}.${wanted.name}`;
  const remedy = remedyOf(called);
  const version = /ReplacingMergeTree\((?:[^)]*, )?(\w+)\)/.exec(wanted.create)?.[1];
  const engine = /^(?:Replicated|Shared)?ReplacingMergeTree$/.test(there.engine);
  if (!engine || !new RegExp(`[(, ]${version}\\)`).test(there.engineFull))
    problems.push(
      `${called} has the engine ${there.engineFull.split(' ')[0]}, wanted ReplacingMergeTree(${version}). ${remedy}`,
    );
  if (there.sortingKey !== wanted.sortingKey)
    problems.push(`${called} is ordered by (${there.sortingKey}), wanted (${wanted.sortingKey}). ${remedy}`);

  planColumns(place, wanted, there, problems, statements);
  for (const [name, value] of Object.entries(wanted.settings)) {
    if (name === 'non_replicated_deduplication_window' && there.engine !== 'ReplacingMergeTree') continue;
    const set = new RegExp(`\\b${name} = (\\d+)`).exec(there.engineFull)?.[1];
    if (!(Number(set) >= value))
      // an operator may have asked for more
      statements.push(`ALTER TABLE ${ddlName(place, wanted.name)} MODIFY SETTING ${name} = ${value}`);
  }
  statements.push(...planRetention(place, wanted, there));
}

/** Columns that are missing are added where they belong. */
function planColumns(
  place: Place,
  wanted: WantedTable,
  there: FoundTable,
  problems: string[],
  statements: string[],
): void {
  const called = `${place.database}.${wanted.name}`;
  let previous: string | undefined;
  for (const column of wanted.columns) {
    const type = there.columns.get(column.name);
    if (type === undefined)
      statements.push(
        `ALTER TABLE ${ddlName(place, wanted.name)} ADD COLUMN IF NOT EXISTS ${columnSql(column)}` +
          (previous === undefined ? ' FIRST' : ` AFTER ${quoteName(previous)}`),
      );
    else if (!sameType(type, column.type))
      problems.push(
        `${called}: column ${column.name} is ${type}, wanted ${column.type}. If every value fits: ALTER TABLE ${called} MODIFY COLUMN ${column.name} ${column.type}. Else: ${remedyOf(called)}`,
      );
    previous = column.name;
  }
}

/**
 * A table that would let rows go too early gets the longer time. One that keeps them longer, or for ever, stays as it is:
 * a shorter time loses rows, so somebody has to want it.
 */
function planRetention(place: Place, { name, retentionDays }: WantedTable, there: FoundTable): string[] {
  const days = /TTL toDateTime\(received_at\) \+ toIntervalDay\((\d+)\)/.exec(there.engineFull)?.[1];
  if (days === undefined || Number(days) >= (retentionDays ?? 0)) return [];
  return [`ALTER TABLE ${ddlName(place, name)} MODIFY TTL ${ttlSql(retentionDays!)}`];
}

const sameType = (found: string | undefined, wanted: string): boolean =>
  found?.replaceAll(' ', '') === wanted.replaceAll(' ', '');

export async function readSchema(client: ClickhouseClient, database: string): Promise<FoundSchema> {
  try {
    const read = async <Row>(query: string): Promise<Row[]> => {
      const answer = await client.query({ query, query_params: { database }, format: 'JSONEachRow' });
      return answer.json<Row>();
    };
    const [tables, columns] = await Promise.all([
      read<{ name: string; engine: string; engine_full: string; sorting_key: string; comment: string }>(
        'SELECT name, engine, engine_full, sorting_key, comment FROM system.tables WHERE database = {database:String}',
      ),
      read<{ table: string; name: string; type: string }>(
        'SELECT table, name, type FROM system.columns WHERE database = {database:String}',
      ),
    ]);
    const columnsOf = Map.groupBy(columns, ({ table }) => table);
    return new Map(
      tables.map(({ name, engine, engine_full: engineFull, sorting_key: sortingKey, comment }) => [
        name,
        {
          engine,
          engineFull,
          sortingKey,
          comment,
          columns: new Map((columnsOf.get(name) ?? []).map(column => [column.name, column.type])),
        },
      ]),
    );
  } catch (cause) {
    throw sinkError(cause, `reading the tables of ${database}`);
  }
}

/** 15 column exists, 44/517 another ALTER runs, 57 table exists, 60/218 being replaced, 82 database exists, 473 deadlock avoided. */
const raceCodes = new Set(['15', '44', '57', '60', '82', '218', '473', '517']);

/** Statements in order, those together that need not wait for each other: most of the time goes into their fsyncs. */
function stagesOf({ tables, views }: WantedSchema, statements: readonly string[]): string[][] {
  const sorts = new Map([
    ...tables.map(({ create }) => [create, 'table'] as const),
    ...views.map(({ create }) => [create, 'view'] as const),
  ]);
  const stages: string[][] = [];
  let last: string | undefined;
  for (const statement of statements) {
    const sort = sorts.get(statement);
    if (sort !== undefined && sort === last && stages.at(-1)!.length < togetherMax) stages.at(-1)!.push(statement);
    else stages.push([statement]);
    last = sort;
  }
  return stages;
}

const togetherMax = 16;

/** False when another process got in between and `retry` allows to look again. */
async function apply(
  command: (query: string) => Promise<unknown>,
  stages: readonly (readonly string[])[],
  retry: boolean,
  log: PrepareOptions['log'],
): Promise<boolean> {
  for (const statements of stages) {
    const run = async (statement: string) => {
      log?.info({ 'db.statement': headOf(statement) }, 'changing the ClickHouse schema');
      await command(statement);
    };
    const results = await Promise.allSettled(statements.map(run)); // none goes on behind an error of another
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      if (retry && result.reason instanceof ClickHouseError && raceCodes.has(result.reason.code)) return false;
      throw sinkError(result.reason, headOf(statements[at]!).slice(0, 200));
    }
  }
  return true;
}

const headOf = (statement: string): string => statement.split('\n', 1)[0]!;
