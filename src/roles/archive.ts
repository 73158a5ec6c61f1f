// The role `archive`: the log → cold files, for ever.

import { join } from 'node:path';
import { hiveLocation, hiveTables } from '../adapters/hive/tables.ts';
import { giveWay } from '../adapters/linux/priority.ts';
import { type Archiver, startArchiver } from '../archive/archiver.ts';
import { deadTable } from '../archive/dead.ts';
import type { Entry } from '../archive/manifest.ts';
import { assertSameStore } from '../archive/same-store.ts';
import { type HiveTelling, startHiveTelling } from '../archive/tell-hive.ts';
import { hasArchive } from '../config/archive.ts';
import type { Config } from '../config/config.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { Left } from '../ports/flow-control.ts';
import type { HiveTables } from '../ports/hive-tables.ts';
import type { Source } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import type { Transport } from '../ports/transport.ts';
import type { Metrics } from '../process/telemetry.ts';
import { openColdStore } from './cold-stores.ts';
import { type RetentionWatch, watchRetention } from './retention-watch.ts';
import type { Parts, RoleDefinition } from './role.ts';
import { formatsOf } from './row-files/formats.ts';
import { encodingThread } from './row-files/thread.ts';
import { watchVerification } from './verification-watch.ts';

/** The name of its reader in the log. */
const reader = 'archive';

export const archive: RoleDefinition = {
  name: 'archive',
  writes: false,
  hasNoCallers: true,
  isMeant: hasArchive,
  async open(parts) {
    const { config, catalogue, transport, buffer, logger, metrics } = parts;
    const store = sameStore(openColdStore(config), config);
    const formats = formatsOf(config);
    if (config.role.every(name => name === 'archive')) giveWay(config.archiveNice);
    const thread = encodingThread(config);
    const topics = () => catalogue.topics().read;
    const hive = tellingOf(parts, store);
    const gate = parts.flows.gate({
      flow: 'archive',
      topics,
      left: async () => leftOf(archiver, topics(), transport),
      ...(transport?.behind !== undefined && {
        leftAnywhere: async () => transport.behind!(reader, catalogue.topics().written),
      }),
    });
    const archiver = startArchiver({
      openSource: sourcesOf(parts),
      topics,
      store,
      formats: config.archiveFormat.map(name => formats[name]),
      everyFormat: Object.values(formats),
      encode: thread.encode,
      definitionOf: definitionsOf(parts),
      judge: catalogue.judgeForeign,
      unknownTypes: config.etlUnknownTypes,
      isDense: transport?.name === 'kafka',
      fileBytes: config.archiveFileBytes,
      fileSeconds: config.archiveFileSeconds,
      memoryBytes: config.archiveMemoryBytes,
      gate,
      by: `ugc ${parts.version}`,
      logger,
      metrics: {
        entered: entry => {
          countEntry(entry, metrics);
          hive?.entered(entry);
        },
      },
      graceMs: config.shutdownTimeoutMs / 3,
    });
    const oldest = () => gate.withWaiting(archiver.oldest());
    const retention = watchRetention({ transport, topics, oldest, done: 'archived', logger });
    const verification = watchVerification({ store, logger, metrics });
    catalogue.join({ apply: () => archiver.reopen() });
    return {
      problems: () => ({
        ...archiver.problems(),
        ...(retention.problem() === null ? {} : { archive_retention: retention.problem()! }),
        ...(verification.problem() === null ? {} : { archive_verified: verification.problem()! }),
        ...(hive?.problem() ? { archive_hive: hive.problem()! } : {}),
        // Without a broker what is not archived yet takes up the room of new events.
        ...(transport !== null || buffer!.hasRoom(config.bufferBytesMax * roomShare)
          ? {}
          : {
              archive_room:
                'less than a quarter of the disk buffer’s room is left, and what is not archived stays in it: when it is full no event is taken',
            }),
      }),
      scrape: () => {
        verification.scrape();
        return scrape({ archiver, oldest: oldest(), retention, topics: topics(), isDisk: transport === null, metrics });
      },
      ready: { archive: store.title },
      close: async () => {
        await Promise.all([retention.stop(), verification.stop()]);
        await archiver.stop();
        thread.close();
        await hive?.stop();
        await store.close();
      },
    };
  },
};

/** One that is not taken for an empty archive when it is not there. */
function sameStore(store: ColdStore, { dataDir }: Config): ColdStore {
  return {
    ...store,
    async prepare() {
      await store.prepare();
      await assertSameStore(store, join(dataDir, 'archives.json'));
    },
  };
}

/** Of the disk buffer: less than this left is said aloud. */
const roomShare = 0.25;

/** Null: none is named. */
export const hiveTablesOf = ({ hiveUrl, archiveUrl, archiveTimeoutMs }: Config): HiveTables | null =>
  hiveUrl === '' ? null : hiveTables({ url: hiveUrl, location: hiveLocation(archiveUrl), timeoutMs: archiveTimeoutMs });

function tellingOf(parts: Parts, store: ColdStore): HiveTelling | null {
  const { config, catalogue, logger } = parts;
  const tables = hiveTablesOf(config);
  if (tables === null) return null;
  return startHiveTelling({
    tables,
    store,
    formats: config.archiveFormat,
    types: () => catalogue.tables().map(({ type }) => type),
    definitionOf: definitionsOf(parts),
    logger,
  });
}

/** Looked up for every batch, so kept as long as the types are the same. */
function definitionsOf({ catalogue }: Parts): (type: string) => TableDefinition | undefined {
  let of: unknown = null;
  let byType: ReadonlyMap<string, TableDefinition> = new Map();
  return type => {
    const accepted = catalogue.accepted();
    if (of !== accepted) {
      of = accepted;
      byType = new Map([...catalogue.tables(), deadTable].map(table => [table.type, table]));
    }
    return byType.get(type);
  };
}

/** The first one of the disk at once: nothing that is appended from now on is deleted before it was read. */
function sourcesOf({ transport, buffer, catalogue }: Parts): () => Source {
  if (transport !== null) return () => transport.openReader(reader, catalogue.topics().read);
  let first: Source | null = buffer!.source(reader);
  return () => {
    const source = first ?? buffer!.source(reader);
    first = null;
    return source;
  };
}

function countEntry({ files, formats }: Entry, metrics: Metrics): void {
  for (const { type, format, rows, bytes } of files) {
    if (format === formats[0]) metrics.archiveEvents.inc({ event_type: type }, rows);
    metrics.archiveBytes.inc({ event_type: type, format }, bytes);
    metrics.archiveFiles.inc({ event_type: type, format });
  }
}

/** The disk says nothing of a topic that nothing waits in; of a broker that cannot be asked for all it is not known. */
async function leftOf(archiver: Archiver, topics: readonly string[], transport: Transport | null): Promise<Left> {
  const lag = await archiver.lag();
  const isWhole = transport === null || transport.behind !== undefined || topics.every(topic => lag?.has(topic));
  return isWhole ? lag : null;
}

interface Scraped {
  readonly archiver: Archiver;
  readonly oldest: ReadonlyMap<string, number>;
  readonly retention: RetentionWatch;
  readonly topics: readonly string[];
  /** The log is the disk buffer, which says nothing of a topic that nothing waits in. */
  readonly isDisk: boolean;
  readonly metrics: Metrics;
}

async function scrape({ archiver, oldest, retention, topics, isDisk, metrics }: Scraped): Promise<void> {
  const { events, bytes, sinceMs } = archiver.gathered();
  metrics.archiveGathered.set(events);
  metrics.archiveGatheredBytes.set(bytes);
  metrics.archiveGatheredAge.set(sinceMs === null ? 0 : Math.max(0, Date.now() - sinceMs) / 1000);
  metrics.archiveLag.reset();
  for (const topic of topics) metrics.archiveLag.set({ topic }, 0);
  for (const [topic, atMs] of oldest) metrics.archiveLag.set({ topic }, Math.max(0, Date.now() - atMs) / 1000);
  metrics.archiveRetentionLeft.reset();
  for (const [topic, left] of retention.left()) metrics.archiveRetentionLeft.set({ topic }, left);
  metrics.archiveLagEvents.reset();
  const lag = await archiver.lag().catch(() => null); // the log cannot tell just now
  if (lag === null) return;
  for (const topic of isDisk ? topics : []) metrics.archiveLagEvents.set({ topic }, 0);
  for (const [topic, behind] of lag) metrics.archiveLagEvents.set({ topic }, behind);
}
