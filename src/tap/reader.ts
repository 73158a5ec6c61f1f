// One reader of the stream: what it wants, at most so much a second, through a queue that is bounded. What it does not take
// in time is counted and told, once a second, and is lost to the stream alone.
//
// At most a queue, a message, and what the socket holds lie in memory for a reader that has stopped reading.

import type { Streamed } from '../http/answer.ts';
import type { Glimpse } from '../ports/passing.ts';
import { type OneJudged, typeOf, type Wish } from './filter.ts';
import { beatText, type Frame, frameText, openingText, passedFrame } from './frame.ts';
import type { Entry } from './ring.ts';

/** Why events are missing: `rate` more than was asked for, `slow` the reader, `gone` from memory, `unwatched` nobody looked. */
export type Missing = 'rate' | 'slow' | 'gone' | 'unwatched';

export interface ReaderOptions {
  readonly wish: Wish;
  /** Of the last event that had passed when it came. */
  readonly at: number;
  readonly idOf: (at: number) => string;
  readonly onDropped: (events: number) => void;
  /** It has gone away, or was ended; once. */
  readonly onEnd: () => void;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly random?: () => number;
}

export interface Reader {
  readonly wish: Wish;
  readonly streamed: Streamed;
  /** Whatever of these events it wants. */
  offer(entry: Entry): void;
  /**
   * So many events it can take at most in as many milliseconds, where it takes them as they come: what is beyond need not be
   * kept for it. Infinity: it has to look at each.
   */
  room(withinMs: number): number;
  /** Events up to this number were not kept, since nobody has room for them. */
  skip(events: number, upTo: number): void;
  tell(event: string, data: string): void;
  /** `events` null: it is not known how many. */
  miss(why: Missing, events: number | null): void;
  /** Once a second: what is missing is told, and that the connection lives. */
  beat(): void;
  /** What is queued is sent, then nothing more. Idempotent. */
  end(): void;
}

/** Characters. */
export const queueMax = 262_144;
const beatEveryMs = 10_000;
const retryMs = 2_000;
/** What is queued leaves within this at the end. */
const endMsMax = 300;

export function readerOf(options: ReaderOptions): Reader {
  const { wish, idOf, onDropped, onEnd, now = () => performance.now(), random = Math.random } = options;
  const encoder = new TextEncoder();
  const missing = new Map<Missing, number | null>();
  let queue = openingText(idOf(options.at), retryMs);
  let at = options.at;
  const over = Promise.withResolvers<void>();
  let endedAtMs = Number.POSITIVE_INFINITY;
  let isEnded = false;
  let wake = () => {};
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let saidAtMs = now();
  let budget = wish.perSecond;
  let budgetAtMs = now();

  function put(text: string): boolean {
    if (isEnded || queue.length + text.length > queueMax) return false;
    queue += text;
    saidAtMs = now();
    wake();
    return true;
  }

  const framed = (event: string, data: string): string => frameText({ event, id: idOf(at), data });

  function miss(why: Missing, events: number | null): void {
    const before = missing.get(why);
    missing.set(why, events === null || before === null ? null : (before ?? 0) + events);
    if (events !== null && why !== 'unwatched') onDropped(events);
  }

  function refill(): void {
    const nowMs = now();
    budget = Math.min(wish.perSecond, budget + ((nowMs - budgetAtMs) * wish.perSecond) / 1_000);
    budgetAtMs = nowMs;
  }

  function offerOne(passed: OneJudged, entry: Entry): void {
    if (!wish.fits(passed)) return;
    if (budget < 1) {
      miss('rate', 1);
      return;
    }
    budget--;
    const frame: Frame = passedFrame(passed, entry.atMs, idOf(at));
    if (!put(frameText(frame))) miss('slow', 1);
  }

  function offer(entry: Entry): void {
    if (isEnded || !wish.kinds.has('events')) return;
    refill();
    const { judged: all, outcomes, glimpses, source } = entry;
    const { ofType, sample, isAll } = wish;
    let [next, refused] = [0, 0];
    for (let index = 0; index < all.length; index++) {
      const judged = all[index]!;
      const outcome = judged.ok ? outcomes[next++] : undefined;
      const glimpse: Glimpse | null = judged.envelope === undefined ? (glimpses[refused++] ?? null) : null;
      if (sample < 1 && random() >= sample) continue;
      if (ofType !== null && !ofType(typeOf(judged))) continue;
      at = entry.first + index;
      if (budget < 1 && isAll && sample === 1) {
        miss('rate', all.length - index);
        break;
      }
      offerOne({ judged, outcome, glimpse, source }, entry);
    }
    at = entry.first + all.length - 1;
  }

  function room(withinMs: number): number {
    if (isEnded || !wish.kinds.has('events')) return 0;
    if (!wish.isAll || wish.sample < 1) return Number.POSITIVE_INFINITY;
    refill();
    return Math.min(wish.perSecond, Math.ceil(budget + (withinMs * wish.perSecond) / 1_000));
  }

  function skip(events: number, upTo: number): void {
    if (isEnded || !wish.kinds.has('events')) return;
    miss('rate', events);
    at = upTo;
  }

  const woken = (): Promise<void> =>
    new Promise(resolve => {
      wake = resolve;
    });

  function letGo(): void {
    controller?.close();
    controller = null;
    over.resolve();
  }

  function end(): void {
    if (isEnded) return;
    isEnded = true;
    wake();
    onEnd();
    endedAtMs = now();
  }

  const bytes = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    async pull() {
      if (queue === '' && !isEnded) await woken();
      const text = queue;
      queue = '';
      if (text !== '') controller?.enqueue(encoder.encode(text));
      if (isEnded) letGo();
    },
    cancel() {
      queue = '';
      controller = null;
      end();
      over.resolve();
    },
  });

  return {
    wish,
    streamed: { bytes, over: over.promise, isStuck: () => controller !== null && now() - endedAtMs > endMsMax },
    offer,
    room,
    skip,
    miss,
    end,
    tell: (event, data) => void put(framed(event, data)),
    beat() {
      for (const [why, events] of missing)
        if (put(framed('dropped', JSON.stringify({ count: events, why })))) missing.delete(why);
      if (now() - saidAtMs >= beatEveryMs) put(beatText);
    },
  };
}
