// Brings the database to what the catalogue wants: read what is there, plan, and only then write. The plan is pure; it
// either names what does not fit, or the statements that are missing. What fits costs two small queries.
//
// Invariants: nothing is written while anything does not fit. No statement loses a row. Two processes may do it at once:
// every statement tolerates its own repetition, and a process that loses a race looks again.

import { ClickHouseError } from '@clickhouse/client';
import { PipelineError } from '../../../errors.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { type FoundSchema, type FoundTable, leftoversIn, planSchema } from './plan.ts';
import type { WantedSchema } from './tables.ts';

export type Migrate = 'auto' | 'check' | 'off';

export interface PrepareOptions {
  readonly client: ClickhouseClient;
  readonly wanted: WantedSchema;
  readonly migrate: Migrate;
  /**
   * Several statements may be sent as one text: the embedded engine takes that, and a call costs it as much as a
   * statement.
   */
  readonly takesSeveral: boolean;
  readonly log?: SchemaLog | undefined;
}

interface SchemaLog {
  debug(about: object, message: string): void;
  info(about: object, message: string): void;
}

/** Rejects with `schema_incompatible`, or with what the sink's errors are. */
export async function prepareSchema({ client, wanted, migrate, takesSeveral, log }: PrepareOptions): Promise<void> {
  if (migrate === 'off') return;
  for (let attempt = 1; ; attempt++) {
    const found = await readSchema(client, wanted.database);
    const { problems, statements } = planSchema(wanted, found);
    if (problems.length > 0) throw new PipelineError('schema_incompatible', problems.join('\n'));
    if (migrate === 'check' && statements.length > 0)
      throw new PipelineError(
        'schema_incompatible',
        `Database ${wanted.database} lacks something. Set UGC_CLICKHOUSE_MIGRATE=auto, or run:\n${statements.join(';\n')};`,
      );
    const all = migrate === 'check' ? [] : [...statements, ...leftoversIn(wanted, found)];
    if (all.length === 0) return;
    if (log !== undefined) tell(log, wanted.database, all);
    const settings = wanted.cluster === '' ? {} : clusterDdlSettings;
    const run = (query: string) => client.run(query, { settings });
    if (await apply(run, stagesOf(wanted, all, takesSeveral ? textStatementsMax : 1), attempt < attemptsMax)) return;
  }
}

/** A first start makes a hundred tables and views: one line. What changes a table with rows in it is a line each. */
export function tell(log: SchemaLog, database: string, statements: readonly string[]): void {
  const makes = statements.filter(statement => statement.startsWith('CREATE '));
  const tables = makes.filter(statement => statement.startsWith('CREATE TABLE ')).length;
  const views = makes.filter(statement => /^CREATE (OR REPLACE |MATERIALIZED )?VIEW /.test(statement)).length;
  if (makes.length > 0)
    log.info(
      { 'db.name': database },
      `making ${tables} tables and ${views} views in ClickHouse's database ${database}`,
    );
  for (const statement of statements) {
    const level = makes.includes(statement) ? 'debug' : 'info';
    log[level]({ 'db.statement': headOf(statement) }, 'changing the ClickHouse schema');
  }
}

const attemptsMax = 5;

/** A node that is down makes up for it when it is back; no statement waits for it. */
const clusterDdlSettings = { distributed_ddl_output_mode: 'null_status_on_timeout_only_active' } as const;

/** What is there. Of views only what they are: the engine takes three times as long to tell how each is defined. */
export async function readSchema(client: ClickhouseClient, database: string): Promise<FoundSchema> {
  const read = <Row>(query: string): Promise<Row[]> => client.read<Row>(query, { params: { database } });
  const isIn = 'database = {database:String}';
  const holdsRows = (name: string): string => `match(${name}, '_(rows|local)$')`;
  try {
    const [tables, columns] = await Promise.all([
      read<Omit<FoundTable, 'columns'> & { readonly name: string }>(
        `SELECT name, engine, comment, engine_full AS engineFull, sorting_key AS sortingKey FROM system.tables
         WHERE ${isIn} AND ${holdsRows('name')}
         UNION ALL
         SELECT name, engine, comment, '', '' FROM system.tables WHERE ${isIn} AND NOT ${holdsRows('name')}`,
      ),
      read<{ readonly table: string; readonly types: Readonly<Record<string, string>> }>(
        `SELECT table, CAST(groupArray((name, type)), 'Map(String, String)') AS types FROM system.columns
         WHERE ${isIn} AND ${holdsRows('table')} GROUP BY table`,
      ),
    ]);
    const typesOf = new Map(columns.map(({ table, types }) => [table, types]));
    return new Map(
      tables.map(({ name, ...about }) => [
        name,
        { ...about, columns: new Map(Object.entries(typesOf.get(name) ?? {})) },
      ]),
    );
  } catch (cause) {
    throw sinkError(cause, `reading the tables of ${database}`);
  }
}

/**
 * 15 column exists, 44/517 another ALTER runs, 57 table exists, 60/218 being replaced, 82 database exists, 473 deadlock
 * avoided.
 */
const raceCodes = new Set(['15', '44', '57', '60', '82', '218', '473', '517']);

/**
 * Texts in order, those of a stage at once: they hold statements that need not wait for each other. Most of a statement's
 * time goes into its fsyncs.
 */
function stagesOf({ tables, views }: WantedSchema, statements: readonly string[], perText: number): string[][] {
  const sorts = new Map([
    ...tables.map(({ create }) => [create, 'table'] as const),
    ...views.map(({ create }) => [create, 'view'] as const),
  ]);
  const runs: string[][] = [];
  let last: string | undefined;
  for (const statement of statements) {
    const sort = sorts.get(statement);
    if (sort !== undefined && sort === last) runs.at(-1)!.push(statement);
    else runs.push([statement]);
    last = sort;
  }
  return runs.flatMap(run =>
    partsOf(
      partsOf(run, perText).map(part => part.join(';\n')),
      togetherMax,
    ),
  );
}

const togetherMax = 16;
const textStatementsMax = 16;

const partsOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));

/** False when another process got in between and `retry` allows to look again. */
async function apply(
  command: (query: string) => Promise<unknown>,
  stages: readonly (readonly string[])[],
  retry: boolean,
): Promise<boolean> {
  for (const texts of stages) {
    const results = await Promise.allSettled(texts.map(command)); // none goes on behind an error of another
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      if (retry && result.reason instanceof ClickHouseError && raceCodes.has(result.reason.code)) return false;
      throw sinkError(result.reason, headOf(texts[at]!).slice(0, 200));
    }
  }
  return true;
}

const headOf = (statement: string): string => statement.split('\n', 1)[0]!;
