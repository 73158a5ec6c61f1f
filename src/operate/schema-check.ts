// `ugc schema check` and `ugc schema diff`: the definitions beside what was published of them, and beside the tables of a
// live ClickHouse. Nothing is changed.

import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue as builtIn } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import publishedJson from '../../schemas/published.json' with { type: 'json' };
import { changesOf, type Published, refusalsOf } from '../../schemas/published.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../adapters/chdb/connection.ts';
import { type ClickhouseClient, clickhouseClient } from '../adapters/clickhouse/client.ts';
import { type Plan, planSchema } from '../adapters/clickhouse/schema/plan.ts';
import { readSchema } from '../adapters/clickhouse/schema/prepare.ts';
import { type WantedSchema, wantedSchema } from '../adapters/clickhouse/schema/tables.ts';
import { catalogueFor, warningsFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { messageOf } from '../errors.ts';
import { writeOut } from './output.ts';
import { asReader, engineHere, hasTablesHere, holderOf } from './tables.ts';

export interface Checking {
  readonly types: readonly EventType[];
  readonly isJson: boolean;
  readonly config: Config;
}

const published = publishedJson as unknown as Published;

/** 1 when something would break: what was published, or the tables there are. */
export async function check({ types, isJson, config }: Checking): Promise<0 | 1> {
  const refusals = refusalsOf(ofThese(types), builtInOf(types));
  const live = await liveOf(types, config);
  const failures = [...refusals, ...(live.error === null ? [] : [live.error]), ...live.plan.problems];
  const warnings = warningsFor(config, types);
  if (isJson)
    writeLine(JSON.stringify({ ok: failures.length === 0, published: refusals, warnings, clickhouse: flat(live) }));
  else {
    for (const warning of warnings) writeLine(`warning: ${warning}`);
    tell('what was published', refusals, `${types.length} types keep it`);
    tell(`ClickHouse, ${live.where}`, live.error === null ? live.plan.problems : [live.error], fitOf(live));
  }
  return failures.length === 0 ? 0 : 1;
}

/** 1 when there is a difference, as diff(1) has it. */
export async function diff({ types, isJson, config }: Checking): Promise<0 | 1> {
  const changes = changesOf(ofThese(types), builtInOf(types));
  const live = await liveOf(types, config);
  const differences = [...live.plan.problems, ...live.plan.statements, ...(live.error === null ? [] : [live.error])];
  if (isJson) writeLine(JSON.stringify({ published: changes, clickhouse: flat(live) }));
  else {
    const said = changes.map(({ type, what, breaks }) => `${breaks ? '!' : '+'} ${type}: ${what}`);
    tell('what was published', said, 'no difference');
    tell(`ClickHouse, ${live.where}`, differences, live.isThere ? 'no difference' : 'nothing to compare with');
  }
  return changes.length + differences.length === 0 ? 0 : 1;
}

/** Types of files are published by their folder alone. */
const builtInOf = (types: readonly EventType[]) => types.filter(({ name }) => builtIn.find(name) !== undefined);

/** Of the types that are asked about; those that are gone belong to everybody. */
function ofThese(types: readonly EventType[]): Published {
  const asked = new Set(types.map(({ name }) => name));
  return Object.fromEntries(Object.entries(published).filter(([name]) => asked.has(name)));
}

interface Live {
  readonly where: string;
  readonly isThere: boolean;
  /** It could not be asked. */
  readonly error: string | null;
  readonly plan: Plan;
}

/** The database as the server would make it for these types. */
export const wantedOf = (types: readonly EventType[], config: Config): WantedSchema =>
  wantedSchema({
    database: config.clickhouseDatabase,
    cluster: config.clickhouseCluster,
    tables: types.map(tableOf),
    embedded: config.clickhouseUrl === '',
    aggregates,
    refreshSeconds: config.clickhouseRefreshSeconds,
  });

/** Without what is made of all types, unless all are asked about: of some of them it would be another one. */
function ofThem(types: readonly EventType[], wanted: WantedSchema, config: Config): WantedSchema {
  if (types.length === catalogueFor(config).types.length) return wanted;
  return { ...wanted, views: wanted.views.filter(({ isOfAll }) => !isOfAll), aggregates: [] };
}

const flat = ({ where, error, plan }: Live) => ({ where, error, ...plan });

const nothing: Plan = { problems: [], statements: [] };

async function liveOf(types: readonly EventType[], config: Config): Promise<Live> {
  const found = await find(config);
  if (found === null)
    return {
      where: `none: no UGC_CLICKHOUSE_URL, no tables in ${config.dataDir}`,
      isThere: false,
      error: null,
      plan: nothing,
    };
  const { where, client, close } = found;
  try {
    const plan = planSchema(
      ofThem(types, wantedOf(types, config), config),
      await readSchema(client, config.clickhouseDatabase),
    );
    return { where, isThere: true, error: null, plan };
  } catch (error) {
    return { where, isThere: true, error: messageOf(error), plan: nothing };
  } finally {
    await client.close();
    await close();
  }
}

interface Found {
  readonly where: string;
  readonly client: ClickhouseClient;
  close(): Promise<void>;
}

/** The server or process that holds the tables, or their folder; null without any. */
async function find(config: Config): Promise<Found | null> {
  const holder = await holderOf(config);
  if (holder !== null) {
    const client = clickhouseClient(asReader(holder));
    return { where: new URL(holder.url).origin, client, close: async () => {} };
  }
  if (!hasTablesHere(config)) return null;
  const engine = engineHere(config);
  const client = clickhouseClient({ connection: chdbConnection(engine) });
  return { where: engine.path, client, close: () => engine.close() };
}

function fitOf({ isThere, plan }: Live): string {
  if (!isThere) return 'nothing to check';
  const count = plan.statements.length;
  return count === 0 ? 'the tables fit' : `the tables fit after ${count} statements that ugc schema diff shows`;
}

const writeLine = (text: string): void => writeOut(`${text}\n`);

function tell(about: string, found: readonly string[], otherwise: string): void {
  if (found.length === 0) writeLine(`${about}: ${otherwise}`);
  for (const item of found) writeLine(`${about}: ${item}`);
}
