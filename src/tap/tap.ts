// The tap: while somebody reads, what passes is put aside request by request, and handed to the readers ten times a
// second. The path that serves events pays a reference a request, and once a reader is there, who refuses many, a look at
// some of them.
//
// - What no reader has room for, by the rate it asked for, is counted and not kept at all.
// - Nobody reads, and nobody has for half a minute: nothing is kept, and the edge is told so (`watched.now` is null).
// - A reader that comes again goes on after the last event it had, as far as those are kept; it is told how many are not.
// - Events have numbers, that begin anew with every epoch: each time the tap opens after it was shut.

import { type ErrorCode, PipelineError } from '../errors.ts';
import type { Streamed } from '../http/answer.ts';
import type { Glimpse, Passing, Stats, Watched } from '../ports/passing.ts';
import { sleep } from '../process/sleep.ts';
import type { Wish } from './filter.ts';
import { type Reader, readerOf } from './reader.ts';
import { type Entry, type Ring, ringOf } from './ring.ts';

export interface TapOptions {
  /** At once. */
  readonly readersMax: number;
  /** What can be told of an event that was rejected. */
  readonly glimpseOf: (event: unknown, type: string | null) => Glimpse;
  /** How the process is just now, null = that cannot be told yet; asked once a second while a reader wants to know. */
  readonly stats: () => Promise<Stats | null>;
  readonly onDropped: (events: number) => void;
  readonly ring?: Ring;
  /** Kept on after the last reader has gone. */
  readonly lingerMs?: number;
}

export interface Tap {
  readonly watched: Watched;
  readers(): number;
  /** `after`: Last-Event-ID, '' = none. Throws `overloaded` when there are as many readers as may be, `shutting_down` at the end. */
  read(wish: Wish, after: string): Streamed;
  /** Every reader has what it was told, and is let go. */
  finish(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

const handEveryMs = 100;
const tellEveryMs = 1_000;
/** Handed over earlier when there are so many, so that none is gone before it was looked at. */
const [freshEventsMax, freshLengthMax] = [1_024, 4_194_304];
/** Rejected events that are looked at in a second. */
const glimpsesMax = 1_000;

export function openTap(options: TapOptions): Tap {
  const { readersMax, glimpseOf, stats, onDropped, ring = ringOf(), lingerMs = 30_000 } = options;
  const readers = new Set<Reader>();
  const watched: { now: Passing | null } = { now: null };
  let epoch = '';
  let next = 1;
  let fresh: Entry[] = [];
  let [freshEvents, freshLength, glimpses] = [0, 0, 0];
  /** Events that may be put aside until the next hand: with more than that nobody could do anything. */
  let room = Number.POSITIVE_INFINITY;
  /** Since the last hand, behind all that is fresh. */
  let skipped = 0;
  let running: { readonly stop: AbortController; readonly done: Promise<unknown> } | null = null;
  let emptySinceMs = 0;
  let isFinished = false;

  function keep(entry: Omit<Entry, 'first'>): void {
    fresh.push({ ...entry, first: next });
    next += entry.judged.length;
    freshEvents += entry.judged.length;
    freshLength += entry.length;
    if (freshEvents >= freshEventsMax || freshLength >= freshLengthMax) hand();
  }

  function glimpse(event: unknown, type: string | null): Glimpse | null {
    if (glimpses >= glimpsesMax) return null;
    glimpses++;
    return glimpseOf(event, type);
  }

  const passing: Passing = {
    note(events, judged, outcomes, { source, receivedAtMs: atMs }) {
      if (freshEvents >= room) {
        next += judged.length;
        skipped += judged.length;
        return;
      }
      const seen: (Glimpse | null)[] = [];
      let length = 0;
      for (let at = 0; at < judged.length; at++) {
        const one = judged[at]!;
        if (one.envelope === undefined) seen.push(glimpse(events[at], one.ok ? null : one.type));
        else length += one.envelope.body.length;
      }
      keep({ atMs, source, judged, outcomes, glimpses: seen, length });
    },
    noteBody(error, source) {
      if (!(error instanceof PipelineError)) return;
      const { code: reason, message } = error;
      const judged = [{ ok: false, reason, type: null, errors: [{ path: '', message }] }] as const;
      keep({ atMs: Date.now(), source, judged, outcomes: [], glimpses: [null], length: 0 });
    },
  };

  function hand(): void {
    const [entries, beyond] = [fresh, skipped];
    [fresh, skipped, freshEvents, freshLength] = [[], 0, 0, 0];
    for (const reader of readers) {
      for (const entry of entries) reader.offer(entry);
      if (beyond > 0) reader.skip(beyond, next - 1);
    }
    ring.add(entries);
    makeRoom();
  }

  /** While nobody reads, all is kept for who comes again. */
  function makeRoom(): void {
    room = readers.size === 0 ? Number.POSITIVE_INFINITY : 0;
    for (const reader of readers) room = Math.max(room, reader.room(2 * handEveryMs)); // a hand may be late
  }

  async function handOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      hand();
      if (readers.size === 0 && performance.now() - emptySinceMs > lingerMs) return shut();
      await sleep(handEveryMs, signal);
    }
  }

  async function tellOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      glimpses = 0;
      const asking = [...readers].filter(({ wish }) => wish.kinds.has('stats'));
      const told = asking.length === 0 ? null : await stats();
      const data = JSON.stringify(told);
      if (told !== null) for (const reader of asking) reader.tell('stats', data);
      for (const reader of readers) reader.beat();
      await sleep(tellEveryMs - (performance.now() - startedAt), signal);
    }
  }

  function open(): void {
    if (running !== null) return;
    emptySinceMs = performance.now();
    epoch = crypto.randomUUID().slice(0, 8);
    next = 1;
    const stop = new AbortController();
    running = { stop, done: Promise.all([handOn(stop.signal), tellOn(stop.signal)]) };
    watched.now = passing;
  }

  function shut(): void {
    running?.stop.abort();
    running = null;
    watched.now = null;
    [fresh, skipped, freshEvents, freshLength] = [[], 0, 0, 0];
    ring.clear();
  }

  /** The number of the event that a reader names as its last; null: of no event of this epoch. */
  function numberOf(after: string): number | null {
    const [, ofEpoch, number = ''] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(after) ?? [];
    return ofEpoch === epoch && Number(number) < next ? Number(number) : null;
  }

  function resume(reader: Reader, last: number): void {
    let wanted = last + 1;
    const goneUpTo = (number: number): void => {
      if (number > wanted) reader.miss('gone', number - wanted);
    };
    for (const entry of ring.from(wanted)) {
      goneUpTo(entry.first);
      reader.offer(since(wanted, entry));
      wanted = entry.first + entry.judged.length;
    }
    goneUpTo(next);
  }

  return {
    watched,
    readers: () => readers.size,
    read(wish, after) {
      if (isFinished) throw new PipelineError('shutting_down' satisfies ErrorCode);
      if (readers.size >= readersMax)
        throw new PipelineError(
          'overloaded',
          `${readersMax} read the stream already, as many as may (UGC_STREAM_READERS)`,
        );
      open();
      hand(); // what was before it is not for it
      const last = numberOf(after);
      const reader = readerOf({
        wish,
        at: last ?? next - 1,
        idOf: at => `${epoch}-${at}`,
        onDropped,
        onEnd: () => {
          readers.delete(reader);
          makeRoom();
          if (readers.size === 0) emptySinceMs = performance.now();
        },
      });
      if (last !== null) resume(reader, last);
      else if (after !== '') reader.miss('unwatched', null);
      readers.add(reader);
      makeRoom();
      return reader.streamed;
    },
    finish() {
      isFinished = true;
      hand();
      for (const reader of [...readers]) {
        reader.beat();
        reader.end();
      }
    },
    async close() {
      const { done } = running ?? {};
      shut();
      for (const reader of [...readers]) reader.end();
      await done;
    },
  };
}

/** An entry without its events before this number. */
function since(number: number, entry: Entry): Entry {
  const skipped = number - entry.first;
  if (skipped <= 0) return entry;
  const before = entry.judged.slice(0, skipped);
  const good = before.filter(({ ok }) => ok).length;
  const refused = before.filter(({ envelope }) => envelope === undefined).length;
  return {
    ...entry,
    first: number,
    judged: entry.judged.slice(skipped),
    outcomes: entry.outcomes.slice(good),
    glimpses: entry.glimpses.slice(refused),
  };
}
