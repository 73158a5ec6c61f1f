// The etl role, wired: the embedded engine or a server behind one client, its tables, the mover, and for the embedded
// engine the HTTP port through which everybody else reads.
//
// A server that cannot be reached or does not fit at start is waited for: its events lie in the log meanwhile. The
// embedded engine is part of this process, so what is wrong with it is told at once and ends the start, unless it only
// lacks room: that is waited for, too.

import { randomBytes } from 'node:crypto';
import { chdbConnection } from './adapters/chdb/connection.ts';
import type { Engine } from './adapters/chdb/engine.ts';
import { serveClickhouseHttp } from './adapters/chdb/http.ts';
import { type PatientEngine, patientEngine } from './adapters/chdb/patient.ts';
import { type ClickhouseClient, clickhouseClient } from './adapters/clickhouse/client.ts';
import { refreshesIn } from './adapters/clickhouse/refreshes.ts';
import { clickhouseSink } from './adapters/clickhouse/sink.ts';
import type { Config } from './config.ts';
import { messageOf, PipelineError } from './errors.ts';
import { type GrowingSink, growingSink } from './etl/growing-sink.ts';
import { type Mover, startMover } from './etl/loop.ts';
import { clickhouseFolder, removeInstance, urlOf, writeInstance } from './instance.ts';
import type { AggregateDefinition, JudgeForeign, Sink, Source, TableDefinition } from './ports.ts';
import { watchRefreshes } from './refreshes.ts';
import { sleep } from './sleep.ts';
import type { Logger, Metrics } from './telemetry.ts';

export interface StorageOptions {
  readonly config: Config;
  /** Opened anew when there is more to read than it knew of. */
  readonly openSource: () => Source;
  readonly tables: readonly TableDefinition[];
  readonly aggregates: readonly AggregateDefinition[];
  /** Of records that no edge of ours has written, or one of an older version. */
  readonly judge: JudgeForeign;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Storage {
  /** For whoever else reads the tables here. */
  readonly client: ClickhouseClient;
  /** Where the embedded engine answers queries; null without it. */
  readonly httpUrl: string | null;
  /** What does not work just now, in words, by table or part. */
  problems(): Readonly<Record<string, string>>;
  /** When the edge took the oldest record polled and not yet a row, by topic. */
  oldest(): ReadonlyMap<string, number>;
  /** Events not yet rows, by topic, where the log can tell. */
  lag(): Promise<ReadonlyMap<string, number>>;
  /** Sets the metrics of what is known of the engine now. */
  scrape(): void;
  /**
   * These tables from now on, and with `reopen` a source opened anew. A server that cannot be reached gets them once it
   * can, and until then their events wait. Rejects with `schema_incompatible`, and then nothing has changed.
   */
  define(tables: readonly TableDefinition[], reopen: boolean): Promise<void>;
  /** Resolves, with the reason, once moving can never go on. */
  readonly broken: Promise<string>;
  close(): Promise<void>;
}

/** An aggregate that fails is told of within this. */
const lookAtAggregatesMsMax = 30_000;

/** Rejects with `engine_missing`, `data_dir_locked`, `schema_incompatible` or `config_invalid`, everything closed. */
export async function startStorage(options: StorageOptions): Promise<Storage> {
  const { config, tables, aggregates, logger } = options;
  const isEmbedded = config.clickhouseUrl === '';
  const engine = isEmbedded ? openEngineOf(config) : null;
  const client = clickhouseClient(engine === null ? serverOf(config) : { connection: chdbConnection(engine) });
  const sinkOf = (known: readonly TableDefinition[]): Sink =>
    clickhouseSink({
      client,
      database: config.clickhouseDatabase,
      tables: known,
      migrate: config.clickhouseMigrate,
      timeoutMs: config.clickhouseTimeoutMs,
      embedded: isEmbedded,
      cluster: config.clickhouseCluster,
      aggregates,
      refreshSeconds: config.clickhouseRefreshSeconds,
      log: logger,
    });
  const sink = growingSink(sinkOf, tables);
  try {
    if (engine?.isOpen) await sink.prepare();
    const http = engine === null ? null : serveHttp(engine, config, logger);
    return run(options, { engine, client, sink, http });
  } catch (error) {
    await sink.close();
    await engine?.close();
    throw error;
  }
}

interface Opened {
  readonly engine: PatientEngine | null;
  readonly client: ClickhouseClient;
  readonly sink: GrowingSink;
  readonly http: { readonly url: string; stop(): Promise<void> } | null;
}

function run(options: StorageOptions, { engine, client, sink, http }: Opened): Storage {
  const { config, openSource, aggregates, judge, logger, metrics } = options;
  const stopping = new AbortController();
  const types = new Map(options.tables.map(({ type, version = 1 }) => [type, version]));
  const isPrepared = engine?.isOpen ?? false;
  let source: Source | null = null;
  let mover: Mover | null = null;
  let mustReopen = false;
  let unprepared: string | null = null;
  /** Defined while the server could not be asked. */
  let owed: readonly TableDefinition[] | null = null;

  const moving = (async () => {
    if (!isPrepared) await prepared(() => sink.prepare());
    while (!stopping.signal.aborted) {
      mustReopen = false;
      metrics.etlHalted.reset(); // what was told of by the one before
      metrics.etlWaiting.reset();
      source = openSource();
      mover = startMover({
        source,
        sink,
        types,
        unknownTypes: config.etlUnknownTypes,
        judge,
        blockRowsMax: config.etlBlockRowsMax,
        blockBytesMax: config.etlBlockBytesMax,
        intervalMs: config.etlIntervalMs,
        graceMs: config.shutdownTimeoutMs / 3,
        logger,
        metrics,
      });
      await mover.done;
      if (!mustReopen) return;
    }
  })();

  const refreshes = watchRefreshes({
    read: signal => refreshesIn(client, config.clickhouseDatabase, signal),
    names: new Set(aggregates.map(({ name }) => name)),
    everyMs: Math.min(config.clickhouseRefreshSeconds * 1_000, lookAtAggregatesMsMax),
    logger,
    metrics,
  });

  async function define(tables: readonly TableDefinition[], reopen: boolean): Promise<void> {
    try {
      await sink.define(tables);
      owed = null;
    } catch (error) {
      if (engine !== null || (error instanceof PipelineError && error.code === 'schema_incompatible')) throw error;
      const isPaying = owed !== null;
      owed = tables;
      if (!isPaying) void pay();
    }
    // What waited for a newer version is behind the reader: it has to be read again.
    const hasGrown = tables.some(({ type, version = 1 }) => version > (types.get(type) ?? version));
    for (const { type, version = 1 } of tables) types.set(type, version);
    if (!(reopen || hasGrown) || mover === null) return;
    mustReopen = true;
    await mover.stop();
  }

  /** Brings about what could not be when it was defined. */
  async function pay(): Promise<void> {
    while (owed !== null && !stopping.signal.aborted)
      await prepared(async () => {
        const tables = owed;
        if (tables !== null) await sink.define(tables);
        if (owed === tables) owed = null;
      });
  }

  return {
    client,
    httpUrl: http?.url ?? null,
    problems: () => ({
      ...(unprepared === null ? {} : { clickhouse: unprepared }),
      ...(source?.problem?.() ? { reading: source.problem()! } : {}),
      ...Object.fromEntries(mover?.halted() ?? []),
      ...refreshes.problems(),
    }),
    oldest: () => mover?.oldest() ?? new Map(),
    lag: async () => (await source?.lag?.()) ?? new Map(),
    scrape: refreshes.scrape,
    define,
    broken: brokenOf(moving),
    close: async () => {
      stopping.abort();
      if (http !== null) removeInstance(config.dataDir);
      await http?.stop();
      await mover?.stop();
      await moving.catch(() => {});
      await refreshes.stop();
      await sink.close();
      await engine?.close();
    },
  };

  async function prepared(prepare: () => Promise<void>): Promise<void> {
    for (let waitMs = 200; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, 10_000)) {
      try {
        await prepare();
        unprepared = null;
        return;
      } catch (error) {
        if (messageOf(error) !== unprepared)
          logger.error({ err: error }, 'ClickHouse is not ready; events wait in the log');
        unprepared = messageOf(error);
        await sleep(waitMs, stopping.signal);
      }
    }
  }
}

/** Pending while all is well and after a clean stop. */
function brokenOf(moving: Promise<void>): Promise<string> {
  return new Promise(resolve => {
    moving.catch(error => resolve(`moving events into ClickHouse broke: ${messageOf(error)}`));
  });
}

const openEngineOf = ({ dataDir, clickhouseMemoryBytesMax }: Config): PatientEngine =>
  patientEngine({ path: clickhouseFolder(dataDir), memoryBytesMax: clickhouseMemoryBytesMax });

const serverOf = (config: Config) => ({
  url: config.clickhouseUrl,
  user: config.clickhouseUser,
  password: config.clickhousePassword,
  timeoutMs: config.clickhouseTimeoutMs,
});

function serveHttp(engine: Engine, config: Config, logger: Logger): Opened['http'] {
  const { clickhouseHttpHost: host, clickhouseHttpPort: asked } = config;
  if (asked < 0) return null;
  const clickhouseKey = randomBytes(24).toString('base64url');
  const { port, stop } = listening(host, asked, () =>
    serveClickhouseHttp({
      engine,
      host,
      port: asked,
      readonly: config.clickhouseHttpReadonly,
      key: clickhouseKey,
      database: config.clickhouseDatabase,
      log: logger,
    }),
  );
  const url = urlOf(host, port);
  try {
    writeInstance(config.dataDir, { pid: process.pid, clickhouseUrl: url, clickhouseKey });
  } catch (error) {
    // A full disk: the port answers all the same.
    logger.error({ err: error }, 'other processes of this data folder will not find the ClickHouse port');
  }
  return { url, stop };
}

function listening<T>(host: string, port: number, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    const words = `cannot listen on ${host}:${port} for ClickHouse's HTTP interface: ${messageOf(error)}`;
    const remedy = 'set UGC_CLICKHOUSE_HTTP_PORT to another port, or to -1 to do without';
    throw new PipelineError('config_invalid', `${words}; ${remedy}`, { cause: error });
  }
}
