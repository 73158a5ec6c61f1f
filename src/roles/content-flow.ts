// What flows between the content store and the log, in a process that has the store: its events go out (relay.ts), what
// players tell comes in (history.ts).

import { type History, startHistory } from '../content/history.ts';
import { startRelay } from '../content/relay.ts';
import { viewedTypes } from '../content/viewings.ts';
import { PipelineError } from '../errors.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { ContentStore } from '../ports/content.ts';
import { contentSource } from '../ports/own-source.ts';
import type { Source } from '../ports/source.ts';
import type { Metrics } from '../process/telemetry.ts';
import type { Parts, Role } from './role.ts';

export interface ContentFlow extends Required<Pick<Role, 'problems' | 'scrape' | 'close'>> {
  /** The store has changed: there may be an event to publish. Cheap. */
  wake(): void;
}

export interface ContentFlowOptions {
  readonly parts: Parts;
  readonly store: Pick<ContentStore, 'lead' | 'outbox' | 'mergeViewings'>;
  readonly watchedShare: number;
  /** Whether this process keeps the history. */
  readonly keepsHistory: boolean;
}

/** Of the disk buffer: less than this left is for new events alone. */
const roomShare = 0.25;

/** The name of its reader in the log. */
export const historyReader = 'history';

export function startContentFlow({ parts, store, watchedShare, keepsHistory }: ContentFlowOptions): ContentFlow {
  const { config, catalogue, logger, metrics } = parts;
  if (parts.log === null || parts.buffer === null)
    throw new Error('the role content writes: it has a log and a buffer');
  const { log, buffer } = { log: parts.log.log, buffer: parts.buffer };
  const history: History | null = keepsHistory
    ? startHistory({
        openSource: sourcesOf(parts, buffer),
        store,
        judge: catalogue.judgeForeign,
        versionOf: type => catalogue.accepted().find(type)?.version,
        watchedShare,
        // With a broker it is the broker's retention that bounds what waits.
        mustGiveWay: () => parts.transport === null && !buffer.hasRoom(config.bufferBytesMax * roomShare),
        logger,
        metrics: { read: (outcome, records) => metrics.contentHistory.inc({ outcome }, records) },
      })
    : null;
  const gate = parts.flows.gate({
    flow: 'content',
    left: async () => new Map([['content', (await store.outbox()).events]]),
  });
  const relay = startRelay({
    store,
    log,
    gate,
    judge: catalogue.judge,
    topicOf: catalogue.topicOf,
    setAside: records => buffer.setAside(records),
    onPassed: (envelopes, outcomes) =>
      parts.watched.now?.note(
        [],
        envelopes.map(envelope => ({ ok: true, envelope })),
        outcomes,
        { source: contentSource, receivedAtMs: Date.now() },
      ),
    logger,
    metrics: {
      relayed: (type, events) => metrics.contentRelayed.inc({ event_type: type }, events),
      leads: isLeading => metrics.contentRelayLeader.set(isLeading ? 1 : 0),
      waiting: (events, oldestMs) => {
        metrics.contentOutbox.set(events);
        metrics.contentOutboxOldest.set(oldestMs / 1000);
      },
    },
  });
  return {
    wake: relay.wake,
    problems: () => ({ ...relay.problems(), ...history?.problems() }),
    scrape: async () => {
      await relay.scrape();
      if (history !== null)
        await scrapeLag(history, { topics: topicsOf(parts), isDisk: parts.transport === null }, metrics);
    },
    close: async () => {
      await Promise.all([relay.stop(config.shutdownTimeoutMs / 3), history?.stop()]);
    },
  };
}

const topicsOf = ({ catalogue }: Parts): readonly string[] => [
  ...new Set(viewedTypes.flatMap(type => catalogue.topicOf(type) ?? [])),
];

/** The first one of the disk at once: nothing that is appended from now on is deleted before it was read. */
function sourcesOf(parts: Parts, buffer: DiskBuffer): () => Source {
  const { transport } = parts;
  if (transport !== null) return () => transport.openReader(historyReader, topicsOf(parts));
  let first: Source | null = buffer.source(historyReader);
  return () => {
    const source = first ?? buffer.source(historyReader);
    first = null;
    return source;
  };
}

interface Lagging {
  readonly topics: readonly string[];
  /** The log is the disk buffer, which says nothing of a topic that nothing waits in. */
  readonly isDisk: boolean;
}

/** Of the topics it is for; the disk buffer's reader passes all the others too. */
async function scrapeLag(history: History, { topics, isDisk }: Lagging, metrics: Metrics): Promise<void> {
  metrics.contentHistoryLag.reset();
  const lag = await history.lag().catch((error: unknown) => {
    if (error instanceof PipelineError) return null; // the file cannot tell just now
    throw error;
  });
  for (const topic of topics) {
    const events = lag?.get(topic) ?? (isDisk && lag !== null ? 0 : undefined);
    if (events !== undefined) metrics.contentHistoryLag.set({ topic }, events);
  }
}
