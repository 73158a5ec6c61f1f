// The ledger of this instance: the event_id of every event it has answered `accepted`, by type and minute, written
// through the same log as the events, in entries numbered without a gap. `ugc reconcile` holds it against the tables.
//
// - What is noted is written after a few seconds, or at once when an entry is full, and at the stop. A killed instance
//   takes what it has not written with it: its events are rows that no ledger knows, never the other way round.
// - An entry the log does not take now is written later under the same number and id, so it counts once whatever is
//   repeated. What waits is bounded; beyond it entries are dropped, which reconcile sees by the gap in the numbers.

import type { Envelope, Log, Outcome } from '../ports/log.ts';
import { isoOf } from '../process/clock.ts';
import { sleep } from '../process/sleep.ts';
import { stampStart, stampText } from '../record/stamp.ts';
import { writtenLater } from './written-later.ts';

export interface LedgerOptions {
  readonly log: Log;
  readonly type: string;
  readonly topic: string;
  readonly writeEveryMs?: number;
  /** Of one entry. */
  readonly idsMax?: number;
  /** Entries that wait for the log. */
  readonly waitingMax?: number;
  readonly onDropped: (entries: number) => void;
}

export interface Ledger {
  note(envelopes: readonly Envelope[], outcomes: readonly Outcome[]): void;
  /** Dropped by a rule, or diverted: no rows are to be looked for. */
  noteRuled(envelopes: readonly Envelope[]): void;
  /** Writes what is left, and that this was all. After the last note, before the log is closed. */
  close(): Promise<void>;
}

interface Page {
  readonly type: string;
  readonly minuteMs: number;
  ids: string[];
  ruled: string[];
  unsure: string[];
}

const isEmpty = ({ ids, ruled, unsure }: Page): boolean => ids.length + ruled.length + unsure.length === 0;

const emptyPage = (type: string, minuteMs: number): Page => ({ type, minuteMs, ids: [], ruled: [], unsure: [] });

const minute = 60_000;

export function startLedger(options: LedgerOptions): Ledger {
  const { log, topic, writeEveryMs = 5_000, idsMax = 1_000, waitingMax = 1_000 } = options;
  const instance = crypto.randomUUID();
  const pages = new Map<string, Page>();
  const stopping = new AbortController();
  const later = writtenLater(log, waitingMax);
  let sequence = 0;
  const done = run();

  function pageOf({ type, receivedAtMs }: Envelope): Page {
    const minuteMs = receivedAtMs - (receivedAtMs % minute);
    const key = `${type} ${minuteMs}`;
    const page = pages.get(key) ?? emptyPage(type, minuteMs);
    pages.set(key, page);
    return page;
  }

  function turn(page: Page, isLast = false): void {
    if (!later.add(entryOf(page, isLast))) options.onDropped(1);
    page.ids = [];
    page.ruled = [];
    page.unsure = [];
  }

  function entryOf({ type, minuteMs, ids, ruled, unsure }: Page, isLast: boolean): Envelope {
    const id = Bun.randomUUIDv7();
    const receivedAtMs = Date.now();
    const head = `${stampStart}${id}${stampText({ type: options.type, version: 1 })}"received_at":"${isoOf(receivedAtMs)}","timestamp":"${isoOf(minuteMs)}"`;
    const own = `"instance":"${instance}","sequence":${++sequence},"is_last":${isLast},"type":"${type}"`;
    // An etl of before rules has no such column: it is met only by who has rules.
    const byRule = ruled.length === 0 ? '' : `,"ruled":${JSON.stringify(ruled)}`;
    const body = `${head},${own},"ids":${JSON.stringify(ids)}${byRule},"unsure":${JSON.stringify(unsure)}}`;
    return { id, type: options.type, version: 1, topic, key: null, body, receivedAtMs };
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(writeEveryMs, stopping.signal);
      turnAll();
      await later.write();
    }
  }

  function turnAll(): void {
    for (const page of pages.values()) if (!isEmpty(page)) turn(page);
    pages.clear();
  }

  return {
    note(envelopes, outcomes) {
      let page: Page | null = null;
      let type = '';
      for (const [at, envelope] of envelopes.entries()) {
        if (page === null || type !== envelope.type) {
          page = pageOf(envelope);
          type = envelope.type;
        }
        (outcomes[at]?.ok ? page.ids : page.unsure).push(envelope.id);
        if (page.ids.length + page.unsure.length >= idsMax) turn(page);
      }
      if (later.waiting > 0 && !stopping.signal.aborted) void later.write();
    },
    noteRuled(envelopes) {
      for (const envelope of envelopes) {
        const page = pageOf(envelope);
        page.ruled.push(envelope.id);
        if (page.ruled.length >= idsMax) turn(page);
      }
    },
    async close() {
      stopping.abort();
      await done;
      const isUsed = sequence > 0;
      if (isUsed) turn(emptyPage('', Date.now()), true);
      await later.write();
    },
  };
}
