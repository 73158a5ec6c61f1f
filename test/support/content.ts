// What tests of the content store share: changes with ids of their own, and an outbox read to its end.

import type { Change, ContentStore, Outbox, OutboxEvent, ViewingRules } from '../../src/ports/content.ts';

export const rules: ViewingRules = { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 };

export interface MakeContent {
  /** A store on the same state as every other that was opened by it. */
  open(): Promise<ContentStore>;
  /** The state is removed; the stores are closed. */
  dispose(): Promise<void>;
}

let lastMs = 1_750_000_000_000;

/** By this user, later than each before it. */
export const by = (userId: string, atMs = ++lastMs): Change => ({ userId, atMs, eventId: Bun.randomUUIDv7() });

export async function leadOf(store: ContentStore): Promise<Outbox> {
  const outbox = await store.lead(AbortSignal.timeout(60_000));
  if (outbox === null) throw new Error('the outbox could not be had');
  return outbox;
}

/** All that waits, taken out. */
export async function drained(store: ContentStore, atOnce = 1_000): Promise<readonly OutboxEvent[]> {
  const outbox = await leadOf(store);
  const all: OutboxEvent[] = [];
  for (;;) {
    const events = await outbox.read(atOnce);
    if (events.length === 0) break;
    all.push(...events);
    await outbox.published(events);
  }
  await outbox.close();
  return all;
}

export async function gathered<T>(chunks: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}
