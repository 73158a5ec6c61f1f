// The server: configuration → adapters → roles → signals → everything closed in reverse. Wiring only.

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { aggregates } from '../schemas/aggregates.ts';
import { catalogue } from '../schemas/catalogue.ts';
import { sqliteBuffer } from './adapters/disk/log/buffer.ts';
import { followTypes, type LiveTopics, liveTopics, tablesOf } from './catalogue/follow-types.ts';
import { type Judges, judgesOf } from './catalogue/judges.ts';
import { type RunTimeTypes, runTimeTypes } from './catalogue/run-time-types.ts';
import { topicOfType } from './catalogue/topics.ts';
import type { Config, Role } from './config/config.ts';
import { roles } from './config/config.ts';
import { messageOf, PipelineError } from './errors.ts';
import { type Server, startServer } from './http/server.ts';
import { acceptOf } from './ingest/accept.ts';
import type { Ledger } from './ingest/ledger.ts';
import { readableOf } from './ingest/readable.ts';
import { receiptsOf } from './ingest/receipts.ts';
import { recentOf } from './ingest/recent.ts';
import { diskLog } from './log/disk-log.ts';
import type { DiskBuffer, Log, Source } from './ports/ports.ts';
import { endAtBugs, signalled, within } from './process/ending.ts';
import { bufferFile, typesFolder, urlOf } from './process/instance.ts';
import { type Health, type Logger, type Logs, type Metrics, openLogs, openMetrics } from './process/telemetry.ts';
import { type WatchedClock, watchClock } from './roles/clock-watch.ts';
import { type KafkaEdge, kafkaReader, openKafkaEdge, refuseStrange } from './roles/kafka.ts';
import { openLedger } from './roles/ledger.ts';
import { type Lookup, openLookup } from './roles/lookup.ts';
import { scrapeOf } from './roles/scrape.ts';
import { type Storage, startStorage } from './roles/storage.ts';
import { strandedIn } from './roles/stranded.ts';

/** Resolves with the exit code once the process may end. */
export async function serve(config: Config, version: string): Promise<0 | 1> {
  endAtBugs();
  const logs = openLogs({ level: config.logLevel, requests: config.requestLog });
  const closing: (() => Promise<void>)[] = [];
  /** In reverse order; what cannot be closed keeps nothing else open. */
  const closeAll = async () => {
    for (let close = closing.pop(); close !== undefined; close = closing.pop())
      await close().catch(error => logs.logger.error({ err: error }, 'something could not be closed'));
  };
  try {
    const signal = signalled(logs); // from the first moment on
    const { broken } = await start({ config, version, logs, closing });
    const reason = await Promise.race([signal, broken]);
    const failure = await within(config.shutdownTimeoutMs, closeAll());
    if (failure !== null)
      logs.logger.error({ reason: failure }, 'stopped before everything was closed; nothing acked is lost');
    else logs.logger.info({ reason }, 'stopped');
    return reason.startsWith('SIG') ? 0 : 1;
  } catch (error) {
    await within(config.shutdownTimeoutMs, closeAll());
    throw error;
  } finally {
    await logs.close();
  }
}

interface Started {
  readonly config: Config;
  readonly version: string;
  readonly logs: Logs;
  /** What has to be closed, in the order it was opened. */
  readonly closing: (() => Promise<void>)[];
}

/** Opens everything. `broken` resolves, with the reason, when it cannot go on. */
async function start({ config, version, logs, closing }: Started): Promise<{ readonly broken: Promise<string> }> {
  const { logger } = logs;
  const startedAt = performance.now();
  const metrics = openMetrics();
  const active = rolesOf(config);
  const dataDir = resolve(config.dataDir);
  makeFolder(dataDir);
  const broken = Promise.withResolvers<string>();
  const clock = watchClock(config, active.has('ingest'), logger);
  closing.push(clock.close);

  const types = runTimeTypes({ folder: config.schemasDir, keptIn: typesFolder(dataDir), builtIn: catalogue, logger });
  const judges = judgesOf(config, version, types.known());
  const hasKafka = config.kafkaBrokers !== '';
  const topics = liveTopics(config, types.known().all);
  // A mover that reads Kafka has no business with the disk.
  const buffer = active.has('ingest') || !hasKafka ? await openBuffer(config, dataDir, logger, broken.resolve) : null;
  if (buffer !== null) closing.push(() => buffer.close());

  // A folder that was used without Kafka and now is with it, or the other way round: whoever drains it now has all that
  // is left, from the first moment on, so the other need not be waited for.
  let kafka: KafkaEdge | null = null;
  if (hasKafka && buffer !== null) {
    kafka = await openKafkaEdge({
      config,
      buffer,
      topics: topics.now().written,
      topicOf: type => topicOfType(config, types.known().all, type),
      logger,
      metrics,
    });
    closing.push(kafka.close);
    void kafka.broken.then(broken.resolve);
    await buffer.retire('etl');
  }
  let storage: Storage | null = null;
  let reader: Source | null = null;
  if (active.has('etl')) {
    refuseStrange(config.from, topics.now().read);
    // Registered before anything is appended, however long ClickHouse is waited for.
    reader = buffer !== null && !hasKafka ? buffer.source('etl') : null;
    let first = reader;
    storage = await startStorage({
      config,
      openSource: () => {
        if (buffer === null || hasKafka) return kafkaReader({ config, topics: topics.now, logger, metrics });
        const source = first ?? buffer.source('etl');
        first = null;
        return source;
      },
      tables: tablesOf(types.known().all),
      aggregates,
      judge: judges.judgeForeign,
      clock,
      logger,
      metrics,
    });
    const { close } = storage;
    closing.push(close);
    void storage.broken.then(broken.resolve);
    if (!hasKafka) await buffer!.retire('drain');
  }
  const log = kafka?.log ?? (buffer === null ? null : diskLog(buffer));
  const takes = active.has('ingest') ? log : null;
  const lookup = openLookup(config, storage, () => types.known().all.types.map(({ name }) => name));
  closing.push(lookup.close);
  const ledger = takes === null ? null : openLedger(config, takes, logger);
  if (ledger !== null) closing.push(ledger.close);
  const { server, stop } = openEdge({
    config,
    types,
    judges,
    buffer,
    kafka,
    storage,
    reader,
    topics,
    lookup,
    ledger,
    log: takes,
    clock,
    logs,
    metrics,
  });
  closing.push(stop);
  followTypes({ config, types, judges, topics, storage, kafka });
  closing.push(() => types.close());
  logger.info(
    {
      version,
      roles: [...active],
      url: urlOf(config.host, server.port),
      admin: urlOf(config.host, server.adminPort),
      clickhouse_http: storage?.httpUrl ?? undefined,
      data_dir: dataDir,
      start_ms: Math.round(performance.now() - startedAt),
    },
    'ready',
  );
  if (process.stderr.isTTY) greet(urlOf(config.host, server.port), active, storage?.httpUrl ?? null);
  return { broken: broken.promise };
}

/** For whoever sits in front of it; the log says the same for machines. */
function greet(url: string, active: ReadonlySet<Role>, clickhouseUrl: string | null): void {
  const events = active.has('ingest') ? `  events      POST ${url}/v1/events\n` : '';
  const tables = clickhouseUrl === null ? '' : `  ClickHouse  ${clickhouseUrl}   or: ugc query "SELECT …"\n`;
  process.stderr.write(
    `\nugc is ready\n${events}${tables}  health      ${url}/healthz/ready   metrics: ${url}/metrics\n\n`,
  );
}

const openBuffer = (config: Config, dataDir: string, log: Logger, onBroken: (reason: string) => void) =>
  sqliteBuffer({
    path: bufferFile(dataDir),
    bytesMax: config.bufferBytesMax,
    diskReserveBytes: config.bufferDiskReserveBytes,
    log,
    onFailure: error => onBroken(`the disk buffer failed: ${messageOf(error)}`),
  });

interface EdgeParts {
  readonly config: Config;
  readonly types: RunTimeTypes;
  readonly judges: Judges;
  readonly buffer: DiskBuffer | null;
  readonly kafka: KafkaEdge | null;
  readonly storage: Storage | null;
  /** The mover's, where the disk is the log. */
  readonly reader: Source | null;
  readonly topics: LiveTopics;
  readonly lookup: Lookup;
  readonly ledger: Ledger | null;
  /** Where events go; null = this process takes none. */
  readonly log: Log | null;
  readonly clock: WatchedClock;
  readonly logs: Logs;
  readonly metrics: Metrics;
}

interface Edge {
  readonly server: Server;
  /** Nobody waits for rows any more, then nobody for an answer. */
  stop(): Promise<void>;
}

function openEdge({
  config,
  types,
  judges,
  buffer,
  kafka,
  storage,
  reader,
  topics,
  lookup,
  ledger,
  log,
  clock,
  logs,
  metrics,
}: EdgeParts): Edge {
  const { tables } = lookup;
  const readable = readableOf({ presence: tables, refusal: lookup.refusal, timeoutMs: config.ackStoredTimeoutMs });
  const recent = recentOf();
  const accept = log === null ? null : acceptOf({ judge: judges.judge, log, metrics, ledger, recent, readable, clock });
  const receipts = receiptsOf({ tables, database: config.clickhouseDatabase, buffer, recent });
  const stranded = buffer === null ? strandedIn(config, logs.logger) : () => null;
  const health = (): Health => {
    const hasRoom = log === null || buffer === null || buffer.hasRoom(config.eventBytesMax);
    const clockProblem = clock.problem();
    const detail = {
      ...(clockProblem === null ? {} : { clock: clockProblem.words }),
      ...(hasRoom ? {} : { buffer: buffer?.problem() ?? 'full' }),
      ...(stranded() === null ? {} : { buffer: stranded()! }),
      ...(types.problem() === null ? {} : { schemas: types.problem()! }),
      ...kafka?.problems(),
      ...storage?.problems(),
    };
    return { ready: (hasRoom || kafka?.isUp === true) && clockProblem?.isCertain !== true, detail };
  };
  const onScrape = scrapeOf({ buffer, storage, reader, topics: () => topics.now().read, metrics });
  const { host, port, adminPort } = config;
  try {
    const server = startServer({
      host,
      port,
      adminPort,
      accept,
      clock,
      receipts,
      limits: config,
      connectionsMax: config.connectionsMax,
      api: judges.api,
      graceMs: config.shutdownTimeoutMs / 3,
      health,
      onScrape,
      metrics,
      logs,
    });
    return {
      server,
      stop: () => {
        readable.stop();
        return server.stop();
      },
    };
  } catch (error) {
    throw new PipelineError(
      'config_invalid',
      `cannot listen on ${host}:${port}: ${messageOf(error)} (UGC_HOST, UGC_PORT)`,
      { cause: error },
    );
  }
}

const rolesOf = (config: Config): ReadonlySet<Role> =>
  new Set(config.role.flatMap(role => (role === 'all' ? roles : [role])));

const noRoomCodes = new Set(['ENOSPC', 'EDQUOT']);

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    // The disk buffer makes it once there is room, and takes nothing until then.
    if (noRoomCodes.has((error as NodeJS.ErrnoException).code ?? '')) return;
    throw new PipelineError(
      'config_invalid',
      `cannot make the data folder ${path}: ${messageOf(error)} (UGC_DATA_DIR)`,
      { cause: error },
    );
  }
}
