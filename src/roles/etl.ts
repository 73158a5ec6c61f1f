// The role `etl`: the log → ClickHouse, and the aggregates kept fresh there.
//
// A server that cannot be reached or does not fit at the start is waited for: its events lie in the log meanwhile.

import { aggregates } from '../../schemas/aggregates.ts';
import { refreshesIn } from '../adapters/clickhouse/ask/refreshes.ts';
import { clickhouseSink } from '../adapters/clickhouse/write/sink.ts';
import { growingSink } from '../mover/growing-sink.ts';
import { supervise } from '../mover/supervise.ts';
import type { Left } from '../ports/flow-control.ts';
import type { SinkWithDeadLetters } from '../ports/sink.ts';
import type { Source } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import type { Transport } from '../ports/transport.ts';
import type { Metrics } from '../process/telemetry.ts';
import { type Clickhouse, openClickhouse } from './clickhouse.ts';
import { moverMetricsOf } from './mover-metrics.ts';
import { watchRefreshes } from './refreshes.ts';
import { watchRetention } from './retention-watch.ts';
import type { Parts, Role, RoleDefinition } from './role.ts';
import { strandedIn } from './stranded.ts';

export const etl: RoleDefinition = {
  name: 'etl',
  writes: false,
  hasNoCallers: true,
  async open(parts) {
    parts.transport?.assertKnown(parts.catalogue.topics().read);
    const clickhouse = openClickhouse(parts.config, parts.logger);
    try {
      return await openOver(clickhouse, parts);
    } catch (error) {
      await clickhouse.close();
      throw error;
    }
  },
};

/** An aggregate that fails is told of within this. */
const lookAtAggregatesMsMax = 30_000;

async function openOver(clickhouse: Clickhouse, parts: Parts): Promise<Role> {
  const { config, catalogue, transport, logger, metrics } = parts;
  const { client, isOpenHere } = clickhouse;
  const { openSource, reader } = sourcesOf(parts);
  const topics = () => catalogue.topics().read;
  const gate = parts.flows.gate({
    flow: 'tables',
    topics,
    left: async () => (reader === null ? knownOf(await moving.lag(), topics(), transport) : behindOf(reader, topics())),
    ...(transport?.behind !== undefined && {
      leftAnywhere: async () => transport.behind!(null, catalogue.topics().written),
    }),
  });
  const sink = growingSink(sinksOver(clickhouse, parts), catalogue.tables());
  if (isOpenHere) await sink.prepare();
  const httpUrl = clickhouse.serve();
  const moving = supervise({
    sink,
    deadLetters: sink,
    isPrepared: isOpenHere,
    tables: catalogue.tables(),
    openSource,
    unknownTypes: config.etlUnknownTypes,
    judge: catalogue.judgeForeign,
    // By a clock that is wrong for certain no record is judged: what is right would be dead.
    mayNotYet: () => parts.clock.problem()?.isCertain === true,
    blockRowsMax: config.etlBlockRowsMax,
    blockBytesMax: config.etlBlockBytesMax,
    intervalMs: config.etlIntervalMs,
    gate,
    graceMs: config.shutdownTimeoutMs / 3,
    logger,
    metrics: moverMetricsOf(metrics, parts.tracer),
  });
  const refreshes = watchRefreshes({
    read: signal => refreshesIn(client, config.clickhouseDatabase, signal),
    names: new Set(aggregates.map(({ name }) => name)),
    everyMs: Math.min(config.clickhouseRefreshSeconds * 1_000, lookAtAggregatesMsMax),
    logger,
    metrics,
  });
  catalogue.join({
    prepare: ({ tables, hasNewTopics }) => moving.define(tables, transport !== null && hasNewTopics),
  });
  parts.tables = { client, reader: clickhouse.reader, httpUrl };
  const oldest = () => gate.withWaiting(moving.oldest(), moving.reached());
  const retention = watchRetention({ transport, topics, oldest, done: 'a row', logger });
  // With a broker the disk is no business of this role: what another has left there is at least told.
  const stranded = parts.buffer === null ? strandedIn({ config, logger, transport: transport! }) : () => null;
  return {
    problems: () => ({
      ...(stranded() === null ? {} : { buffer: stranded()! }),
      ...moving.problems(),
      ...refreshes.problems(),
      ...(retention.problem() === null ? {} : { retention: retention.problem()! }),
    }),
    scrape: async () => {
      refreshes.scrape();
      scrapeAge(oldest(), topics(), metrics);
      metrics.etlRetentionLeft.reset();
      for (const [topic, left] of retention.left()) metrics.etlRetentionLeft.set({ topic }, left);
      setBehind((reader === null ? await moving.lag() : await behindOf(reader, topics())) ?? new Map(), metrics);
    },
    broken: moving.broken,
    ready: { clickhouse_http: httpUrl ?? undefined },
    close: async () => {
      await clickhouse.unserve();
      await retention.stop();
      await moving.stop();
      await refreshes.stop();
      await clickhouse.close();
    },
  };
}

const sinksOver =
  ({ client, isEmbedded }: Clickhouse, { config, logger }: Parts) =>
  (tables: readonly TableDefinition[]): SinkWithDeadLetters =>
    clickhouseSink({
      client,
      database: config.clickhouseDatabase,
      tables,
      migrate: config.clickhouseMigrate,
      timeoutMs: config.clickhouseTimeoutMs,
      embedded: isEmbedded,
      cluster: config.clickhouseCluster,
      insertQuorum: config.clickhouseInsertQuorum,
      aggregates,
      refreshSeconds: config.clickhouseRefreshSeconds,
      log: logger,
    });

/** What the mover reads; `reader` is the disk's, which can be asked for its lag also while the mover waits. */
function sourcesOf({ transport, buffer, catalogue }: Parts) {
  const known = () => Object.values(catalogue.topics()).flat();
  if (transport !== null)
    return { openSource: () => transport.openSource(catalogue.topics().read, known), reader: null };
  // Registered before anything is appended, however long ClickHouse is waited for.
  const reader = buffer!.source('etl');
  let first: Source | null = reader;
  return {
    openSource: () => {
      const source = first ?? buffer!.source('etl');
      first = null;
      return source;
    },
    reader,
  };
}

function scrapeAge(oldest: ReadonlyMap<string, number>, topics: readonly string[], metrics: Metrics): void {
  metrics.etlLag.reset();
  // At rest too there is a sample of each: an absent one could be anything.
  for (const topic of topics) metrics.etlLag.set({ topic }, 0);
  for (const [topic, atMs] of oldest) metrics.etlLag.set({ topic }, Math.max(0, Date.now() - atMs) / 1000);
}

/** Of a broker that leaves out what it does not know; who can be asked for all processes together is asked then. */
const knownOf = (lag: Left, topics: readonly string[], transport: Transport | null): Left =>
  transport?.behind !== undefined || topics.every(topic => lag?.has(topic)) ? lag : null;

/** Of every topic; null when the file cannot tell. */
async function behindOf(reader: Source, topics: readonly string[]): Promise<Left> {
  try {
    return new Map([...topics.map(topic => [topic, 0] as const), ...((await reader.lag?.()) ?? [])]);
  } catch {
    return null; // a damaged page: the reader meets it, mends it and says so
  }
}

/** What is not known has no sample: a zero would say that nothing is left to do. */
function setBehind(behind: ReadonlyMap<string, number>, metrics: Metrics): void {
  metrics.etlLagEvents.reset();
  for (const [topic, events] of behind) metrics.etlLagEvents.set({ topic }, events);
}
