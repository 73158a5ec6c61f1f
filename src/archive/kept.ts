// The chains that an archiver has open, and what is to be said of all of them.

import type { Batch } from '../ports/source.ts';
import type { OpenChain } from './chain.ts';

export interface Kept {
  readonly chain: OpenChain;
  /** The first batch of its ownership. */
  readonly first: Batch;
  readonly ending: AbortController;
  readonly topic: string;
  stepping: boolean;
  failures: number;
  retryAtMs: number;
  /** In words why it takes no more. */
  held: string | null;
}

interface Room {
  readonly topics: () => readonly string[];
  readonly memoryBytes: number;
}

/** All while there is no room, but those whose plan has to be filled before anything of them can be written. */
export function pausedOf(kept: Iterable<Kept>, { topics, memoryBytes }: Room): ReadonlySet<string> {
  const all = [...kept];
  const held = all.filter(own => own.held !== null).map(({ topic }) => topic);
  if (gatheredBy(all).bytes <= memoryBytes) return new Set(held);
  const short = new Set(all.filter(({ chain, held: why }) => chain.isShort && why === null).map(({ topic }) => topic));
  const everyTopic = [...topics(), ...all.map(({ topic }) => topic)];
  return new Set([...held, ...everyTopic.filter(topic => !short.has(topic))]);
}

/** When the edge took the oldest gathered record, by topic. */
export function oldestOf(kept: Iterable<Kept>): ReadonlyMap<string, number> {
  const byTopic = new Map<string, number>();
  for (const { chain, topic } of kept) {
    const { oldestAtMs: atMs } = chain.gathered;
    if (atMs !== null) byTopic.set(topic, Math.min(atMs, byTopic.get(topic) ?? atMs));
  }
  return byTopic;
}

export function heldWordsOf(kept: Iterable<Kept>): Readonly<Record<string, string>> {
  const held = [...kept].filter(own => own.held !== null);
  return Object.fromEntries(held.map(own => [`archive of ${own.topic}`, own.held ?? '']));
}

export function gatheredBy(kept: Iterable<Kept>) {
  let [events, bytes] = [0, 0];
  let sinceMs: number | null = null;
  for (const { chain } of kept) {
    const { gathered } = chain;
    events += gathered.events;
    bytes += gathered.bytes;
    if (gathered.sinceMs !== null) sinceMs = Math.min(gathered.sinceMs, sinceMs ?? gathered.sinceMs);
  }
  return { events, bytes, sinceMs };
}
