// What the roles of a process share, opened before any of them: the event types, the disk buffer, the log.

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { sqliteBuffer } from '../adapters/disk/log/buffer.ts';
import { liveCatalogue } from '../catalogue/live.ts';
import { bufferReadersOf } from '../config/buffer-readers.ts';
import type { Config } from '../config/config.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { recentOf } from '../ingest/recent.ts';
import { type DurableLog, diskOnlyLog, openBrokerLog } from '../log/durable-log.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { FlowControl } from '../ports/flow-control.ts';
import type { Tracer } from '../ports/tracing.ts';
import { bufferFile } from '../process/instance.ts';
import type { Logger, Logs, Metrics } from '../process/telemetry.ts';
import { type WatchedClock, watchClock } from './clock-watch.ts';
import { flowControlOf } from './flow-control.ts';
import { type OpenFlows, openFlows } from './flows.ts';
import type { Parts, Role, RoleDefinition } from './role.ts';
import { openStream, type Stream } from './stream.ts';
import { transportOf } from './transport.ts';

export interface PartsOptions {
  readonly config: Config;
  /** Of ugc. */
  readonly version: string;
  readonly logs: Logs;
  readonly metrics: Metrics;
  readonly tracer: Tracer | null;
  /** Those of this process. */
  readonly roles: readonly RoleDefinition[];
  /** The process cannot go on. */
  readonly onBroken: (reason: string) => void;
}

export interface SharedParts {
  readonly parts: Parts;
  /** What they have to say and how they are closed, like a role's. */
  readonly shared: Role;
  readonly stream: Stream;
}

/** Rejects with `config_invalid` and the like, everything closed. */
export async function openParts(options: PartsOptions): Promise<SharedParts> {
  const { config, version, logs, metrics, tracer, roles, onBroken } = options;
  const { logger } = logs;
  makeFolder(resolve(config.dataDir));
  const catalogue = liveCatalogue(config, logger);
  const transport = transportOf({ config, catalogue, logger, metrics, isTraced: tracer !== null });
  const writes = roles.some(role => role.writes);
  const stream = openStream({ config, version, roles: roles.map(({ name }) => name), catalogue, metrics, logger });
  const clock = watchClock(config, writes, logger);
  const buffer = writes || transport === null ? await openBuffer(config, logger, onBroken) : null;
  if (buffer !== null) await keepReaders(buffer, config, logger);
  const flows = openFlows({
    control: await controlOf({ config, transport, buffer, logger }),
    topicOf: catalogue.topicOf,
    logger,
    metrics,
  });
  const log = writes ? await openLog({ transport, buffer: buffer!, flows, catalogue, config, logger, metrics }) : null;
  if (log !== null) catalogue.join({ apply: ({ topics }) => log.want(topics.written) });
  const parts: Parts = {
    config,
    version,
    logs,
    logger,
    metrics,
    catalogue,
    clock,
    watched: stream.watched,
    flows,
    tracer,
    transport,
    buffer,
    log,
    tables: null,
    recent: recentOf(),
  };
  return { parts, shared: sharedOf(parts, clock, flows), stream };
}

function sharedOf({ config, metrics, catalogue, buffer, log }: Parts, clock: WatchedClock, flows: OpenFlows): Role {
  return {
    isReady: () => clock.problem()?.isCertain !== true,
    problems: () => ({
      ...(clock.problem() === null ? {} : { clock: clock.problem()!.words }),
      ...(log === null || buffer === null || buffer.hasRoom(config.eventBytesMax)
        ? {}
        : { buffer: buffer.problem() ?? 'full' }),
      ...(catalogue.problem() === null ? {} : { schemas: catalogue.problem()! }),
      ...log?.problems(),
      ...flows.problems(),
    }),
    scrape: async () => {
      if (buffer === null || buffer.problem() !== null) return;
      const { events, bytes, oldestAtMs, quarantined } = await buffer.stats();
      metrics.bufferEvents.set(events);
      metrics.bufferBytes.set(bytes);
      metrics.bufferOldest.set(oldestAtMs === null ? 0 : Math.max(0, Date.now() - oldestAtMs) / 1000);
      metrics.bufferQuarantined.set(quarantined);
    },
    ...(log !== null && { broken: log.broken }),
    close: async () => {
      await flows.close();
      await log?.close();
      await buffer?.close();
      await clock.close();
    },
  };
}

interface LogOptions extends Pick<Parts, 'config' | 'catalogue' | 'transport' | 'logger' | 'metrics'> {
  readonly flows: OpenFlows;
  readonly buffer: DiskBuffer;
}

/** Rejects with `config_invalid` when the file of wishes is wrong, everything closed. */
async function controlOf({
  config,
  transport,
  buffer,
  logger,
}: Pick<Parts, 'config' | 'transport' | 'buffer' | 'logger'>): Promise<FlowControl> {
  try {
    return flowControlOf(config, transport, logger);
  } catch (error) {
    await buffer?.close();
    throw error;
  }
}

async function openLog(options: LogOptions): Promise<DurableLog> {
  const { transport, buffer, flows, catalogue, config, logger, metrics } = options;
  if (transport === null) return diskOnlyLog(buffer);
  const { written: topics } = catalogue.topics();
  const { topicOf } = catalogue;
  const { ackBudgetMs } = config;
  const gate = flows.gate({
    flow: 'drain',
    left: async () => (buffer.problem() === null ? new Map([['drain', (await buffer.stats()).events]]) : null),
  });
  try {
    return await openBrokerLog({ transport, buffer, topics, topicOf, ackBudgetMs, gate, logger, metrics });
  } catch (error) {
    await flows.close();
    await buffer.close();
    throw error;
  }
}

const openBuffer = (config: Config, log: Logger, onBroken: (reason: string) => void): Promise<DiskBuffer> =>
  sqliteBuffer({
    path: bufferFile(config.dataDir),
    bytesMax: config.bufferBytesMax,
    diskReserveBytes: config.bufferDiskReserveBytes,
    log,
    onFailure: error => onBroken(`the disk buffer failed: ${messageOf(error)}`),
  });

/** Before anything reads or writes. Where there is no room to open the file it is done once there is. */
async function keepReaders(buffer: DiskBuffer, config: Config, logger: Logger): Promise<void> {
  const kept = bufferReadersOf(config);
  const keeping = buffer.keepReaders(kept).then(forgotten => {
    for (const { reader, behind } of forgotten)
      logger[behind === 0 ? 'info' : 'warn'](
        { reader, behind, readers: kept },
        `the disk buffer forgets its reader ${reader}, which these settings have not; ${behind ?? 'an unknown number of'} events it had not passed are kept for ${kept.join(' and ')} only`,
      );
  });
  if (buffer.problem() === null) await keeping;
  else keeping.catch(error => logger.error({ err: error }, 'the readers of the disk buffer could not be set'));
}

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
