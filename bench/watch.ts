// When an event can be read. A row is readable for whoever asks then, however long the answer takes: so the start of the
// first query that has it counts, and what a query takes is told beside it. Only the tables in use are asked: `events`
// reads every table there is, and would take from the server what is to be measured.

import type { Ugc } from '../test/support/ugc.ts';
import { percentile } from './process.ts';

export interface Seen {
  /** Monotonic, as performance.now(). */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

export interface Watch {
  readonly byId: ReadonlyMap<string, Seen>;
  /** In words: what its queries take. */
  cost(): string;
  stop(): Promise<void>;
}

export interface WatchOptions {
  /** Whose exact tables are asked. */
  readonly types: readonly string[];
  /** Of the oldest row that is still to be seen, or before, epoch milliseconds; asked before each query. */
  readonly sinceMs: (byId: ReadonlyMap<string, Seen>) => number;
}

const pauseMs = 20;

export function watch({ query }: Pick<Ugc, 'query'>, { types, sinceMs }: WatchOptions): Watch {
  const byId = new Map<string, Seen>();
  const tookMs: number[] = [];
  let isRunning = true;
  const watching = (async () => {
    while (isRunning) {
      const from = Math.floor(sinceMs(byId));
      const selects = types.map(
        type =>
          `SELECT toString(event_id) AS id FROM ugc.${type} WHERE received_at >= fromUnixTimestamp64Milli(toInt64(${from}))`,
      );
      const askedAtMs = performance.now();
      const rows = await query<{ id: string }>(`SELECT id FROM (${selects.join(' UNION ALL ')})`);
      const seen = { askedAtMs, answeredAtMs: performance.now() };
      tookMs.push(seen.answeredAtMs - askedAtMs);
      for (const { id } of rows) if (!byId.has(id)) byId.set(id, seen);
      await Bun.sleep(pauseMs);
    }
  })();
  return {
    byId,
    cost: () => {
      const sorted = tookMs.toSorted((a, b) => a - b);
      return `asked ${pauseMs} ms after each answer, which takes p50 ${Math.round(percentile(sorted, 0.5))}, p95 ${Math.round(percentile(sorted, 0.95))} ms`;
    },
    stop: () => {
      isRunning = false;
      return watching;
    },
  };
}

export interface Coming {
  readonly id: string;
  /** Not later than it is received, epoch milliseconds. */
  readonly sinceMs: number;
}

/** The first of them that has not been seen; they are in order, and may become more. */
export function firstUnseen(coming: readonly Coming[]): WatchOptions['sinceMs'] {
  let next = 0;
  return byId => {
    while (next < coming.length && byId.has(coming[next]!.id)) next++;
    return coming[next]?.sinceMs ?? Date.now();
  };
}

export interface Due {
  readonly id: string;
  /** Monotonic. */
  readonly dueAtMs: number;
}

/** Columns of a row, and in words when the answers came. */
export function freshnessOf(sent: readonly Due[], { byId, cost }: Watch) {
  const times = (which: keyof Seen): number[] =>
    sent.flatMap(({ id, dueAtMs }) => (byId.has(id) ? [byId.get(id)![which] - dueAtMs] : [])).toSorted((a, b) => a - b);
  const [asked, answered] = [times('askedAtMs'), times('answeredAtMs')];
  return {
    columns: {
      'fresh p50 ms': percentile(asked, 0.5),
      'fresh p95 ms': percentile(asked, 0.95),
      'fresh p99 ms': percentile(asked, 0.99),
    },
    note: `${cost()}; it came p50 ${Math.round(percentile(answered, 0.5))}, p95 ${Math.round(percentile(answered, 0.95))} ms after the event was due`,
  };
}
