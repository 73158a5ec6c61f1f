// What is missing between the database as it is and as the catalogue wants it: either what does not fit, in words, or the
// statements that bring it about. Pure: reads nothing, runs nothing.

import { quoteName } from '../sql.ts';
import { columnSql, ddlName, onCluster, type WantedTable } from './rows-table.ts';
import { ttlSql, type WantedSchema, type WantedView } from './tables.ts';

export interface FoundTable {
  readonly engine: string;
  readonly engineFull: string;
  readonly sortingKey: string;
  readonly comment: string;
  /** Type by column name; of what holds rows only. */
  readonly columns: ReadonlyMap<string, string>;
}

export type FoundSchema = ReadonlyMap<string, FoundTable>;

export interface Plan {
  readonly problems: readonly string[];
  readonly statements: readonly string[];
}

export function planSchema(wanted: WantedSchema, found: FoundSchema): Plan {
  const plans = [
    ...wanted.tables.map(table => planTable(wanted, table, found.get(table.name))),
    ...wanted.views.map(view => planView(wanted, { ...view, engine: 'View', replace: [view.create] }, found)),
    ...wanted.aggregates.map(view =>
      planView(wanted, { ...view, engine: 'MaterializedView', replace: [view.drop, view.create] }, found),
    ),
  ];
  const { problems, statements } = joined(plans);
  if (statements.length === 0 || found.size > 0) return { problems, statements };
  const database = `CREATE DATABASE IF NOT EXISTS ${quoteName(wanted.database)}${onCluster(wanted.cluster)}`;
  return { problems, statements: [database, ...statements] };
}

const joined = (plans: readonly Plan[]): Plan => ({
  problems: plans.flatMap(({ problems }) => problems),
  statements: plans.flatMap(({ statements }) => statements),
});

/** Where a table is made; the same clause says so of every change to it. */
type Target = Pick<WantedSchema, 'database' | 'cluster'>;

interface PlannedView extends Pick<WantedView, 'name' | 'comment' | 'create'> {
  readonly engine: 'View' | 'MaterializedView';
  /** In the place of an older one. */
  readonly replace: readonly string[];
}

function planView({ database }: Target, view: PlannedView, found: FoundSchema): Plan {
  const { name, comment, create, engine, replace } = view;
  const there = found.get(name);
  if (there === undefined) return { problems: [], statements: [create] };
  if (there.engine === engine) return { problems: [], statements: there.comment === comment ? [] : replace };
  const kind = engine === 'View' ? 'view' : 'materialized view';
  const problem = `${database}.${name} is a table (${there.engine}), wanted a ${kind}: rename it, or use another database with UGC_CLICKHOUSE_DATABASE.`;
  return { problems: [problem], statements: [] };
}

/**
 * Statements that clear away what older versions made and no version reads any more. What is wanted does not depend on
 * them.
 */
export const leftoversIn = ({ database, cluster, retired }: WantedSchema, found: FoundSchema): string[] =>
  retired
    .filter(({ name, engine }) => found.get(name)?.engine === engine)
    .map(({ name }) => `DROP TABLE IF EXISTS ${ddlName({ database, cluster }, name)} SYNC`);

function planTable(target: Target, wanted: WantedTable, there: FoundTable | undefined): Plan {
  if (there === undefined) return { problems: [], statements: [wanted.create] };
  const called = `${target.database}.${wanted.name}`;
  const both = { called, alter: `ALTER TABLE ${ddlName(target, wanted.name)}`, wanted, there };
  const plans: readonly ((both: Both) => Plan)[] =
    wanted.kind === 'distributed'
      ? [planDistributed, planColumns]
      : [planEngine, planColumns, planSettings, planRetention];
  const { problems, statements } = joined(plans.map(plan => plan(both)));
  const remedy = `Rename it (RENAME TABLE ${called} TO ${called}_old) and start again: ugc creates a new one; then copy what is worth it.`;
  return { problems: problems.map(problem => `${problem} ${remedy}`), statements };
}

/** A table that is there, and the one that is wanted in its place. */
interface Both {
  readonly called: string;
  /** How a change of it begins. */
  readonly alter: string;
  readonly wanted: WantedTable;
  readonly there: FoundTable;
}

const fits: Plan = { problems: [], statements: [] };

function planDistributed({ called, wanted, there }: Both): Plan {
  const over = /Distributed\((.*)\)\n/.exec(wanted.create)![1]!;
  if (there.engine === 'Distributed' && there.engineFull.includes(over)) return fits;
  return {
    ...fits,
    problems: [`${called} is ${there.engineFull.split(' SETTINGS')[0]}, wanted Distributed(${over}).`],
  };
}

function planEngine({ called, wanted, there }: Both): Plan {
  const problems: string[] = [];
  const version = /ReplacingMergeTree\((?:[^)]*, )?(\w+)\)/.exec(wanted.create)?.[1];
  const isReplacing = /^(?:Replicated|Shared)?ReplacingMergeTree$/.test(there.engine);
  if (!isReplacing || !new RegExp(`[(, ]${version}\\)`).test(there.engineFull))
    problems.push(`${called} has the engine ${there.engineFull.split(' ')[0]}, wanted ReplacingMergeTree(${version}).`);
  if (there.sortingKey !== wanted.sortingKey && !lacksLateKey({ wanted, there }))
    problems.push(`${called} is ordered by (${there.sortingKey}), wanted (${wanted.sortingKey}).`);
  return { ...fits, problems };
}

/** A column can join the key only with the statement that adds it. */
function lacksLateKey({ wanted: { lateKey = [], sortingKey }, there }: Pick<Both, 'wanted' | 'there'>): boolean {
  const names = lateKey.map(({ name }) => name);
  if (names.length === 0 || names.some(name => there.columns.has(name))) return false;
  return `${there.sortingKey}, ${names.join(', ')}` === sortingKey;
}

/** Columns that are missing are added where they belong. */
function planColumns({ called, alter, wanted, there }: Both): Plan {
  const problems: string[] = [];
  const statements: string[] = [];
  let previous: string | undefined;
  const isLate = lacksLateKey({ wanted, there });
  if (isLate) {
    const added = wanted.lateKey!.map(column => `ADD COLUMN ${columnSql(column)}`);
    statements.push(`${alter} ${[...added, `MODIFY ORDER BY (${wanted.sortingKey})`].join(', ')}`);
  }
  for (const column of wanted.columns) {
    if (isLate && wanted.lateKey!.includes(column)) continue;
    const type = there.columns.get(column.name);
    const position = previous === undefined ? 'FIRST' : `AFTER ${quoteName(previous)}`;
    if (type === undefined) statements.push(`${alter} ADD COLUMN IF NOT EXISTS ${columnSql(column)} ${position}`);
    else if (!isSameType(type, column.type))
      problems.push(
        `${called}: column ${column.name} is ${type}, wanted ${column.type}. If every value fits: ALTER TABLE ${called} MODIFY COLUMN ${column.name} ${column.type}. Else:`,
      );
    previous = column.name;
  }
  return { problems, statements };
}

const isSameType = (found: string, wanted: string): boolean => found.replaceAll(' ', '') === wanted.replaceAll(' ', '');

function planSettings({ alter, wanted, there }: Both): Plan {
  // An operator has made a table of another kind on one node, a replicated one: its settings are that one's.
  if (!wanted.create.includes(`ENGINE = ${there.engine}(`)) return fits;
  const missing = Object.entries(wanted.settings).filter(([name, value]) => {
    const set = new RegExp(`\\b${name} = (\\d+)`).exec(there.engineFull)?.[1];
    return !(Number(set) >= value); // an operator may have asked for more
  });
  if (missing.length === 0) return fits;
  return {
    ...fits,
    statements: [`${alter} MODIFY SETTING ${missing.map(([name, value]) => `${name} = ${value}`).join(', ')}`],
  };
}

/**
 * A table that would let rows go too early gets the longer time. One that keeps them longer, or for ever, stays as it is:
 * a shorter time loses rows, so an operator has to want it.
 */
function planRetention({ alter, wanted: { retentionDays }, there }: Both): Plan {
  const days = /TTL toDateTime\(received_at\) \+ toIntervalDay\((\d+)\)/.exec(there.engineFull)?.[1];
  if (days === undefined || Number(days) >= (retentionDays ?? 0)) return fits;
  return { ...fits, statements: [`${alter} MODIFY TTL ${ttlSql(retentionDays!)}`] };
}
