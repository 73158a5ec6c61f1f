// What /metrics says of states rather than of happenings: asked for at the moment it is read.

import type { DiskBuffer, Source } from '../ports/ports.ts';
import type { Metrics } from '../process/telemetry.ts';
import type { Storage } from './storage.ts';

export interface ScrapeOptions {
  readonly buffer: DiskBuffer | null;
  readonly storage: Storage | null;
  /** The mover's, where the disk is the log: it is there also while the mover waits for ClickHouse. */
  readonly reader: Source | null;
  /** Those the mover reads. */
  readonly topics: () => readonly string[];
  readonly metrics: Metrics;
}

export function scrapeOf({ buffer, storage, reader, topics, metrics }: ScrapeOptions): () => Promise<void> {
  return async () => {
    if (buffer !== null && buffer.problem() === null) await scrapeBuffer(buffer, metrics);
    if (storage === null) return;
    storage.scrape();
    scrapeAge(storage, topics(), metrics);
    setBehind(reader === null ? await storage.lag() : await behindOf(reader, topics()), metrics);
  };
}

async function scrapeBuffer(buffer: DiskBuffer, metrics: Metrics): Promise<void> {
  const { events, bytes, oldestAtMs, quarantined } = await buffer.stats();
  metrics.bufferEvents.set(events);
  metrics.bufferBytes.set(bytes);
  metrics.bufferOldest.set(oldestAtMs === null ? 0 : Math.max(0, Date.now() - oldestAtMs) / 1000);
  metrics.bufferQuarantined.set(quarantined);
}

function scrapeAge(storage: Storage, topics: readonly string[], metrics: Metrics): void {
  metrics.etlLag.reset();
  // At rest too there is a sample of each: an absent one could be anything.
  for (const topic of topics) metrics.etlLag.set({ topic }, 0);
  for (const [topic, atMs] of storage.oldest()) metrics.etlLag.set({ topic }, Math.max(0, Date.now() - atMs) / 1000);
}

/** Of every topic; of none when the file cannot tell. */
async function behindOf(reader: Source, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  try {
    return new Map([...topics.map(topic => [topic, 0] as const), ...((await reader.lag?.()) ?? [])]);
  } catch {
    return new Map(); // a damaged page; whoever reads meets it, mends it and says so
  }
}

/** What is not known has no sample: a zero would say that nothing is left to do. */
function setBehind(behind: ReadonlyMap<string, number>, metrics: Metrics): void {
  metrics.etlLagEvents.reset();
  for (const [topic, events] of behind) metrics.etlLagEvents.set({ topic }, events);
}
