// `?ack=stored`: waits until rows can be read. Those that wait are asked for together, type by type, every 25 ms or,
// where the tables are slower than that, after twice as long as they took; while no request waits nothing is asked.
//
// - A wait ends by itself in time, whatever the tables do: an event is durable before its request waits for its row, so
//   not to see the row is an answer and never an error.
// - What waits is bounded. Beyond it nothing is waited for: the answer is the same as if the time were over.

import type { Presence } from '../ports/event-tables.ts';
import type { Envelope, Outcome } from '../ports/log.ts';
import { sleep } from '../process/sleep.ts';

/** What a client is told of an event: where it lies, or that its row can be read. */
export type Told = Outcome | { readonly ok: true; readonly stored: 'clickhouse' };

export interface ReadableOptions {
  readonly presence: Presence;
  /** No request waits longer. */
  readonly timeoutMs: number;
  /** Why this process will never see a row, in words; null = it may. */
  readonly refusal?: () => string | null;
  /** Events waited for at once, of all requests. */
  readonly eventsMax?: number;
  readonly lookEveryMs?: number;
}

export interface Readable {
  /** Why it makes no sense to wait here, in words, or null. Asked before anything is stored. */
  refusal(): string | null;
  /** One for each envelope, in order: `clickhouse` where its row can be read by now, else its outcome. Never rejects. */
  told(envelopes: readonly Envelope[], outcomes: readonly Outcome[]): Promise<readonly Told[]>;
  /** The requests that wait are told what is known, and none waits any more. */
  stop(): void;
}

interface Waiter {
  /** Positions in its request, by what is still looked for. */
  readonly open: Map<string, number[]>;
  readonly found: Set<number>;
  readonly end: () => void;
}

/** One look. */
const lookMsMax = 2_000;
/** Looks are never further apart than so many times `lookEveryMs`. */
const slowest = 20;

export function readableOf(options: ReadableOptions): Readable {
  const { presence, timeoutMs, eventsMax = 50_000, lookEveryMs = 25 } = options;
  /** By type, by id. */
  const sought = new Map<string, Map<string, Set<Waiter>>>();
  const stopping = new AbortController();
  let events = 0;
  let isLooking = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    let waitMs = lookEveryMs;
    while (sought.size > 0 && !stopping.signal.aborted) {
      await sleep(waitMs, stopping.signal);
      const startedAt = performance.now();
      for (const [type, ids] of [...sought]) await lookFor(type, [...ids.keys()]); // inserts are not to queue behind it
      const tookMs = performance.now() - startedAt;
      waitMs = Math.min(Math.max(lookEveryMs, 2 * tookMs), slowest * lookEveryMs);
    }
    isLooking = false;
  }

  async function lookFor(type: string, ids: readonly string[]): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(lookMsMax)]);
    // What cannot be asked now is asked again a moment later, until the time of the request that waits is over.
    const present = await presence.present(type, ids, signal).catch(() => new Set<string>());
    for (const id of present) for (const waiter of sought.get(type)?.get(id) ?? []) settle(waiter, type, id);
  }

  function settle(waiter: Waiter, type: string, id: string): void {
    const key = keyOf(type, id);
    for (const at of waiter.open.get(key) ?? []) waiter.found.add(at);
    waiter.open.delete(key);
    leave(waiter, type, id);
    if (waiter.open.size === 0) waiter.end();
  }

  function leave(waiter: Waiter, type: string, id: string): void {
    const ids = sought.get(type);
    const waiters = ids?.get(id);
    if (ids === undefined || waiters === undefined || !waiters.delete(waiter)) return;
    events--;
    if (waiters.size === 0) ids.delete(id);
    if (ids.size === 0) sought.delete(type);
  }

  /** Positions whose rows can be read; resolves when all can, when time is up, or at the stop. */
  async function wait(envelopes: readonly (Envelope | null)[]): Promise<ReadonlySet<number>> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    const waiter: Waiter = { open: new Map(), found: new Set(), end };
    envelopes.forEach((envelope, at) => {
      if (envelope !== null) join(waiter, envelope, at);
    });
    if (waiter.open.size === 0) return waiter.found;
    const timer = setTimeout(end, timeoutMs);
    stopping.signal.addEventListener('abort', end, { once: true });
    void look();
    await promise;
    clearTimeout(timer);
    stopping.signal.removeEventListener('abort', end);
    for (const envelope of envelopes) if (envelope !== null) leave(waiter, envelope.type, envelope.id);
    return waiter.found;
  }

  function join(waiter: Waiter, { type, id }: Envelope, at: number): void {
    const key = keyOf(type, id);
    const places = waiter.open.get(key);
    if (places !== undefined) {
      places.push(at);
      return;
    }
    waiter.open.set(key, [at]);
    const ids = sought.get(type) ?? new Map<string, Set<Waiter>>();
    sought.set(type, ids);
    const waiters = ids.get(id);
    if (waiters === undefined) ids.set(id, new Set([waiter]));
    else waiters.add(waiter);
    events++;
  }

  return {
    refusal: options.refusal ?? (() => null),
    async told(envelopes, outcomes) {
      if (stopping.signal.aborted || events + envelopes.length > eventsMax) return outcomes;
      const found = await wait(envelopes.map((envelope, at) => (outcomes[at]?.ok ? envelope : null)));
      return outcomes.map((outcome, at) => (found.has(at) ? { ok: true, stored: 'clickhouse' } : outcome));
    },
    stop: () => stopping.abort(),
  };
}

const keyOf = (type: string, id: string): string => `${id}${type}`;

/** Where there are no tables to look into. */
export const unreadable: Readable = {
  refusal: () => 'this process has no tables to look into: it cannot wait for a row',
  told: async (_, outcomes) => outcomes,
  stop() {},
};
