// The group `clickhouse`: the server, or the engine of a running instance: whether it answers and lets us in, what we may
// there, whether the tables fit, and how its disks, parts and aggregates are. A stopped instance's own engine is not opened:
// that would lock its folder.

import { aggregates } from '../../../schemas/aggregates.ts';
import { type Health, healthIn, type ServerHealth } from '../../adapters/clickhouse/ask/health.ts';
import { refreshesIn } from '../../adapters/clickhouse/ask/refreshes.ts';
import { type ClickhouseClient, clickhouseClient } from '../../adapters/clickhouse/client.ts';
import { planSchema } from '../../adapters/clickhouse/schema/plan.ts';
import { readSchema } from '../../adapters/clickhouse/schema/prepare.ts';
import { catalogueFor } from '../../catalogue/type-folder.ts';
import type { Config } from '../../config/config.ts';
import { PipelineError } from '../../errors.ts';
import { countOf, duration, size } from '../output.ts';
import { wantedOf } from '../schema-check.ts';
import { asReader, holderOf } from '../tables.ts';
import { type Asked, type Check, doubtful, type GroupOf, good, type Probe, wrong } from './check.ts';

const down = 'docs/operate/incidents/clickhouse-down.md';
const full = 'docs/operate/incidents/disk-full.md';
const broken = 'docs/operate/incidents/broken-schema.md';
const wrongPassword = 'docs/operate/incidents/wrong-password.md';
const timeoutMs = 5_000;

export interface Server {
  readonly client: ClickhouseClient;
  readonly health: Health;
  readonly about: ServerHealth;
  /** When it was asked for the time, and when it had answered, by this machine's clock. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * The server that holds the tables, asked once for all probes. Null: there is none to be asked, no instance runs on the
 * folder. Rejects with a PipelineError where it does not answer.
 */
export async function serverOf(config: Config): Promise<Server | null> {
  const holder = await holderOf(config);
  if (holder === null) return null;
  const client = clickhouseClient({ ...asReader(holder), timeoutMs });
  const health = healthIn(client, config.clickhouseDatabase);
  const askedAtMs = Date.now();
  const about = await health.server(AbortSignal.timeout(timeoutMs));
  return { client, health, about, askedAtMs, answeredAtMs: Date.now() };
}

export const clickhouseGroup =
  (server: () => Promise<Server | null>): GroupOf =>
  asked => {
    const { config, isBeforeStart } = asked;
    if (isBeforeStart && config.clickhouseUrl === '') return null;
    /** Where it does not answer the first probe says so, and the others say nothing. */
    const probe = (id: string, ask: (server: Server, signal: AbortSignal) => Promise<readonly Check[]>): Probe => ({
      id,
      hint: 'see the server’s log',
      page: down,
      look: async signal => {
        const reached = await server().catch(() => null);
        return reached === null ? [] : ask(reached, signal);
      },
    });
    return {
      name: 'clickhouse',
      probes: [
        reachProbe(server, config),
        ...(config.clickhouseUrl === '' ? [] : [probe('clickhouse.rights', rightsOf(config))]),
        probe('clickhouse.tables', tablesOf(asked)),
        probe('clickhouse.disks', disksOf),
        ...(isBeforeStart
          ? []
          : [
              probe('clickhouse.parts', partsOf),
              probe('clickhouse.mutations', mutationsOf),
              probe('clickhouse.readonly', readonlyOf(config)),
              probe('clickhouse.aggregates', aggregatesOf(config)),
            ]),
      ],
    };
  };

const reachProbe = (server: () => Promise<Server | null>, config: Config): Probe => ({
  id: 'clickhouse.reach',
  hint: 'start it, or see UGC_CLICKHOUSE_URL; events wait in the log and become rows once it answers',
  page: down,
  look: async () => {
    try {
      return [reachedCheck(await server(), config)];
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      return [unreachedCheck(error.message.trim())];
    }
  },
});

function reachedCheck(server: Server | null, { clickhouseUrl }: Config): Check {
  const id = 'clickhouse.reach';
  if (server === null)
    return good(id, 'it is part of ugc, and none runs on this folder: it is looked at when one does');
  const { version, user, isReadonly } = server.about;
  const seen = `ClickHouse ${version} answers, as user ${user}`;
  if (!isReadonly || clickhouseUrl === '') return good(id, seen);
  return wrong(id, {
    seen: `${seen}, who may only read`,
    follows: 'no row is inserted',
    hint: 'give the user of UGC_CLICKHOUSE_USER a profile with readonly=0',
    page: wrongPassword,
  });
}

function unreachedCheck(seen: string): Check {
  const follows = 'events wait in the log, none is lost, and none becomes a row';
  if (/\((192|193|194|195|497|516) /.test(seen))
    return wrong('clickhouse.login', {
      seen,
      follows,
      hint: 'set UGC_CLICKHOUSE_USER and UGC_CLICKHOUSE_PASSWORD as the server has them',
      page: wrongPassword,
    });
  if (seen.includes('no TLS to ClickHouse'))
    return wrong('clickhouse.tls', {
      seen,
      follows,
      hint: 'renew its certificate, or name its authority in UGC_CLICKHOUSE_TLS_CA',
      page: 'docs/operate/incidents/certificate-expired.md',
    });
  return wrong('clickhouse.reach', {
    seen,
    follows,
    hint: 'start it, or set UGC_CLICKHOUSE_URL right; rows go on by themselves once it answers',
    page: down,
  });
}

const neededAlways = ['SELECT', 'INSERT'];
const neededToGrow = ['CREATE', 'ALTER', 'DROP'];

const rightsOf =
  ({ clickhouseMigrate, clickhouseDatabase }: Config) =>
  async ({ health }: Server, signal: AbortSignal): Promise<readonly Check[]> => {
    const id = 'clickhouse.rights';
    const wanted = clickhouseMigrate === 'auto' ? [...neededAlways, ...neededToGrow] : neededAlways;
    const lacking = await health.lacks(wanted, signal);
    if (lacking === null) return [good(id, 'this server cannot say what a user may')];
    if (lacking.length === 0) return [good(id, `it may ${wanted.join(', ')} in ${clickhouseDatabase}`)];
    return [
      wrong(id, {
        seen: `it may not ${lacking.join(', ')} in ${clickhouseDatabase}`,
        follows: 'what needs it is refused; events whose rows are wait in the log',
        hint: `GRANT ${lacking.join(', ')} ON ${clickhouseDatabase}.* TO the user of UGC_CLICKHOUSE_USER`,
        page: wrongPassword,
      }),
    ];
  };

const tablesOf =
  ({ config, isBeforeStart }: Asked) =>
  async ({ client }: Server): Promise<readonly Check[]> => {
    const id = 'clickhouse.tables';
    const found = await readSchema(client, config.clickhouseDatabase);
    const { problems, statements } = planSchema(wantedOf(catalogueFor(config).types, config), found);
    if (problems.length > 0)
      return problems.map(seen =>
        wrong(id, {
          seen,
          follows: 'the rows of that table wait in the log; after a restart those of all tables, until it fits',
          hint: 'do what it says, or go back to the definitions before: ugc schema check',
          page: broken,
        }),
      );
    if (statements.length === 0) return [good(id, `${found.size} tables and views fit the event types`)];
    const seen = `${countOf(statements.length, 'statement')} missing until the tables fit the event types`;
    if (config.clickhouseMigrate === 'auto' && (isBeforeStart || found.size === 0))
      return [good(id, `${seen}: the start makes them`)];
    const hint =
      config.clickhouseMigrate === 'auto'
        ? 'a start of etl makes them: ugc schema diff shows which'
        : 'run what ugc schema diff shows';
    const isRefused = config.clickhouseMigrate === 'check';
    const follows = isRefused
      ? 'no row is inserted: the events of all types wait in the log'
      : 'rows that have no table, or no column of it, wait in the log';
    return [(isRefused ? wrong : doubtful)(id, { seen, follows, hint, page: broken })];
  };

const scarce = { bytes: 5 * 2 ** 30, share: 0.1 };

async function disksOf({ health }: Server, signal: AbortSignal): Promise<readonly Check[]> {
  const id = 'clickhouse.disks';
  return (await health.disks(signal)).map(({ name, freeBytes, bytes }) => {
    const seen = `disk ${name}: ${size(freeBytes)} free of ${size(bytes)}`;
    // Of object storage and the like the size is no size.
    if (freeBytes >= scarce.bytes || freeBytes > bytes * scarce.share) return good(id, seen);
    return doubtful(id, {
      seen,
      follows: 'merges and inserts stop when it is full; rows then wait in the log',
      hint: 'enlarge it, or shorten what tables keep (TTL)',
      page: full,
    });
  });
}

async function partsOf({ health }: Server, signal: AbortSignal): Promise<readonly Check[]> {
  const id = 'clickhouse.parts';
  const [most] = await health.parts(signal);
  if (most === undefined) return [];
  const { delay, refuse } = most;
  const seen = `${most.table} has ${most.parts} parts in a partition; from ${delay} on inserts are slowed down, from ${refuse} on refused`;
  if (most.parts < delay / 2) return [good(id, seen)];
  return [
    (most.parts >= delay ? wrong : doubtful)(id, {
      seen,
      follows: 'merges do not keep up with inserts, and rows fall behind',
      hint: 'see whether merges run (SYSTEM START MERGES); raise UGC_ETL_INTERVAL_MS, run fewer etl processes, or give ClickHouse a faster disk',
      page: 'docs/operate/freshness.md',
    }),
  ];
}

async function mutationsOf({ health }: Server, signal: AbortSignal): Promise<readonly Check[]> {
  const failing = await health.failingMutations(signal);
  return failing.map(({ table, command, why }) =>
    wrong('clickhouse.mutations', {
      seen: `${table}: ${command} fails: ${why}`,
      follows: 'it is tried again and again, and what is behind it waits; inserts go on',
      hint: `see system.mutations; KILL MUTATION gives it up`,
      page: down,
    }),
  );
}

const readonlyOf =
  ({ clickhouseDatabase }: Config) =>
  async ({ health }: Server, signal: AbortSignal): Promise<readonly Check[]> => {
    const [replicas, tables] = await Promise.all([health.readonlyReplicas(signal), health.readonlyTables(signal)]);
    const follows = 'they take no rows, whose events wait in the log; etl goes on by itself';
    const found = (id: string, seen: string, hint: string): Check => wrong(id, { seen, follows, hint, page: down });
    return [
      ...(replicas.length === 0
        ? []
        : [found('clickhouse.replicas', `read-only replicas: ${replicas.join(', ')}`, 'look at ClickHouse Keeper')]),
      ...(tables.length === 0
        ? []
        : [
            found(
              'clickhouse.readonly',
              `tables that were made read-only: ${tables.join(', ')}`,
              `ALTER TABLE ${clickhouseDatabase}.${tables[0]} RESET SETTING table_readonly, once what it was for is over`,
            ),
          ]),
    ];
  };

/** So many times the pace an aggregate is to have before it is late. */
const lateFactor = 5;

const aggregatesOf =
  ({ clickhouseDatabase, clickhouseRefreshSeconds }: Config) =>
  async ({ client, about }: Server, signal: AbortSignal): Promise<readonly Check[]> => {
    const id = 'clickhouse.aggregates';
    const known = new Map(aggregates.map(({ name, pace }) => [name, pace]));
    const found = (await refreshesIn(client, clickhouseDatabase, signal)).filter(({ name }) => known.has(name));
    const checks = found.flatMap(({ name, failure, ageSeconds }): readonly Check[] => {
      if (failure !== null)
        return [
          wrong(id, {
            seen: `${name} could not be computed: ${failure}`,
            follows: 'readers see what it was before; the exact tables are not touched by it',
            hint: `repair what it says, then SYSTEM REFRESH VIEW ${clickhouseDatabase}.${name}`,
            page: 'docs/operate/freshness.md',
          }),
        ];
      const dueS = clickhouseRefreshSeconds * (known.get(name) ?? 1) * lateFactor;
      const sinceS = ageSeconds ?? about.uptimeSeconds;
      if (sinceS <= dueS) return [];
      return [
        doubtful(id, {
          seen: `${name} was last computed ${duration(sinceS * 1_000)} ago`,
          follows: 'what readers see of it is as old',
          hint: 'see system.view_refreshes, and what keeps the server busy',
          page: 'docs/operate/freshness.md',
        }),
      ];
    });
    return checks.length > 0 ? checks : [good(id, `${found.length} aggregates are fresh`)];
  };
