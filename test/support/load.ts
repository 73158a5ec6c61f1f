// Mixed traffic against a running ugc, and the ledger that remembers what it was told: the oracle's input.

import { type ClientEvent, clientEvent, typeOf } from './events.ts';
import type { Random } from './random.ts';

export interface Ledger {
  /** event_id → stored type, of every event that was answered "accepted". */
  readonly acked: Map<string, string>;
  /** Answered "rejected". */
  readonly rejected: Set<string>;
  /** How often each id was sent. */
  readonly sent: Map<string, number>;
  /** Accepted events by the `stored` of their answer. */
  readonly stored: Map<string, number>;
  /** Answers that were neither 2xx nor a rejection, by status; connections cut are counted under 0. */
  readonly failures: Map<number, number>;
}

export const newLedger = (): Ledger => ({
  acked: new Map(),
  rejected: new Set(),
  sent: new Map(),
  stored: new Map(),
  failures: new Map(),
});

export interface LoadOptions {
  readonly url: string;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly clients: number;
  readonly signal: AbortSignal;
  /** A client's pause after each answer, at most; 0 = none. */
  readonly pauseMsMax?: number;
  /** Told of every answer, status 0 where the connection was cut; times are performance.now(). */
  readonly onAnswer?: (answer: Timed) => void;
}

export interface Timed {
  readonly status: number;
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** Posts singles, arrays, wrapped lists and NDJSON, good events, bad ones and repetitions, until aborted. */
export async function load(options: LoadOptions): Promise<void> {
  const { url, random, ledger, clients, signal, pauseMsMax = 0, onAnswer } = options;
  const recent: ClientEvent[] = [];
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      const events = Array.from({ length: random.pick([1, 1, 1, 2, 20, 100]) }, () => next(recent, random));
      for (const { event_id } of events) ledger.sent.set(event_id, (ledger.sent.get(event_id) ?? 0) + 1);
      const sentAt = performance.now();
      const status = await post({ url, events, isSingle: events.length === 1 && random.next() < 0.7, random, ledger });
      onAnswer?.({ status, sentAt, answeredAt: performance.now() });
      if (pauseMsMax > 0) await Bun.sleep(random.between(0, pauseMsMax));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

function next(recent: ClientEvent[], random: Random): ClientEvent {
  const roll = random.next();
  const old = recent.length > 0 ? random.pick(recent) : undefined;
  if (roll < 0.05 && old !== undefined) return old; // sent twice
  if (roll < 0.1 && old !== undefined)
    return { ...old, timestamp: new Date(Date.now() - random.between(0, 1e9)).toISOString() };
  const event = clientEvent(random);
  if (roll < 0.15) return { ...event, country: 5 }; // never valid
  if (recent.length > 200) recent.shift();
  recent.push(event);
  return event;
}

interface Posting {
  readonly url: string;
  readonly events: readonly ClientEvent[];
  readonly isSingle: boolean;
  readonly random: Random;
  readonly ledger: Ledger;
}

/** The status, or 0. */
async function post({ url, events, isSingle, random, ledger }: Posting): Promise<number> {
  const form = isSingle ? 'single' : random.pick(['array', 'events', 'lines'] as const);
  const body = {
    single: () => JSON.stringify(random.next() < 0.5 ? events[0] : { event: events[0] }),
    array: () => JSON.stringify(events),
    events: () => JSON.stringify({ events }),
    lines: () => events.map(event => JSON.stringify(event)).join('\n'),
  }[form]();
  const type = form === 'lines' ? 'application/x-ndjson' : 'application/json';
  try {
    const response = await fetch(`${url}/v1/events`, { method: 'POST', headers: { 'content-type': type }, body });
    const answer = (await response.json()) as Answer;
    if (response.status >= 500) count(ledger, response.status);
    else note(ledger, events, answer.results ?? [answer]);
    return response.status;
  } catch {
    count(ledger, 0); // cut off: nothing was promised
    await Bun.sleep(5);
    return 0;
  }
}

interface Result {
  readonly outcome?: string;
  readonly event_id?: string;
  readonly stored?: string;
}

interface Answer extends Result {
  readonly results?: readonly Result[];
}

function note(ledger: Ledger, events: readonly ClientEvent[], results: readonly Result[]): void {
  results.forEach((result, at) => {
    const event = events[at]!;
    if (result.outcome === 'accepted') {
      ledger.acked.set(event.event_id, typeOf(event));
      if (result.stored !== undefined) ledger.stored.set(result.stored, (ledger.stored.get(result.stored) ?? 0) + 1);
    } else if (result.outcome !== 'failed') ledger.rejected.add(event.event_id);
  });
}

const count = ({ failures }: Ledger, status: number): void =>
  void failures.set(status, (failures.get(status) ?? 0) + 1);
