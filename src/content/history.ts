// The history: what players tell in the log → where each user is in each film, in the content store.
//
// - It reads with a reader of its own: the tables and the history do not wait for each other.
// - A position in the log is committed after the store has what was read up to it. A crash repeats events, and merging them
//   again changes nothing.
// - A store that is away is waited for; the log keeps what comes. Where that would leave no room for new events the history
//   gives way: what it passes then, and says that it has, comes back by `ugc content rebuild`.
// - What says nothing of a registered user, or cannot be understood, is passed and counted: dead letters are the business of
//   who writes the tables.

import { messageOf, PipelineError } from '../errors.ts';
import type { ContentStore, Viewing } from '../ports/content.ts';
import type { Batch, ForeignRecord, JudgeForeign, Source } from '../ports/source.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { linesOf } from '../record/lines.ts';
import { merged, type StoredEvent, viewedTypes, viewingOf } from './viewings.ts';

export interface HistoryMetrics {
  /**
   * Records read: for a history (`viewed`), of nobody's (`passed`), or none that can be understood (`unreadable`). What was
   * viewed and is not in the store, by films of users: `given_up`.
   */
  read(outcome: 'viewed' | 'passed' | 'unreadable' | 'given_up', records: number): void;
}

export interface HistoryOptions {
  /** Goes on where the reader was; opened anew after it broke. */
  readonly openSource: () => Source;
  readonly store: Pick<ContentStore, 'mergeViewings'>;
  /** Makes events of today's shape of what another, or an older ugc, has written. */
  readonly judge: JudgeForeign;
  /** Of the event types it knows, by name. */
  readonly versionOf: (type: string) => number | undefined;
  /** What waits in the log for it keeps others from writing there, or soon would. */
  readonly mustGiveWay?: () => boolean;
  /** Watched from this part of the length on. */
  readonly watchedShare: number;
  readonly logger: Logger;
  readonly metrics: HistoryMetrics;
  readonly pollBytesMax?: number;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export interface History {
  problems(): Readonly<Record<string, string>>;
  /** Events not yet in the store, by topic, where the log can tell. */
  lag(): Promise<ReadonlyMap<string, number> | null>;
  /** Idempotent. What is being merged is merged, or read again after the next start. */
  stop(): Promise<void>;
}

const gapWords =
  'while the content store was away what players sent was passed to leave room for new events: ugc content rebuild makes the history whole again';

const nothingPaused: ReadonlySet<string> = new Set();

export function startHistory(options: HistoryOptions): History {
  const { store, judge, versionOf, watchedShare, logger, metrics, mustGiveWay = () => false } = options;
  const { pollBytesMax = 2 ** 20, retryMsMin = 200, retryMsMax = 10_000 } = options;
  const stopping = new AbortController();
  let source: Source | null = null;
  let trouble: string | null = null;
  let givenUp = 0;

  const done = run();
  return {
    problems: () => {
      const words = trouble ?? source?.problem?.() ?? null;
      return {
        ...(words === null ? {} : { content_history: words }),
        ...(givenUp === 0 ? {} : { content_history_gap: gapWords }),
      };
    },
    lag: async () => (await source?.lag?.()) ?? null,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        source = options.openSource();
        await readFrom(source, () => {
          failures = 0;
        });
      } catch (error) {
        told(error, 'the log cannot be read for the history just now; it is tried again');
        await sleep(pauseMs(failures), stopping.signal);
      } finally {
        await source?.close().catch(error => logger.warn({ err: error }, 'the reader of the history was not closed'));
      }
    }
  }

  function pauseMs(failures: number): number {
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 20));
  }

  /** Once, as long as it is the same. */
  function told(error: unknown, words: string): void {
    if (trouble !== messageOf(error)) logger.warn({ err: error }, words);
    trouble = messageOf(error);
  }

  async function readFrom(from: Source, onRead: () => void): Promise<void> {
    while (!stopping.signal.aborted) {
      // After a trouble nothing need come: that nothing is wrong any more is known without.
      const { signal } = stopping;
      const until = trouble === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(retryMsMax)]);
      const batches = await from.poll({ paused: nothingPaused, bytesMax: pollBytesMax }, until);
      const viewings = merged(batches.flatMap(viewingsIn));
      if (viewings.length > 0 && !(await isPassed(viewings))) return;
      await Promise.all(lastOfEach(batches).map(({ ack }) => from.commit(ack)));
      trouble = null;
      onRead();
    }
  }

  /** The store has them, or they were given up; false when stopping meanwhile. */
  async function isPassed(viewings: readonly Viewing[]): Promise<boolean> {
    for (let failures = 0; ; failures++) {
      try {
        await store.mergeViewings(viewings);
        return true;
      } catch (error) {
        told(error, 'the content store does not take the history just now; it waits in the log');
        if (mustGiveWay()) {
          giveUp(viewings.length);
          return true;
        }
        const isHalted = error instanceof PipelineError && error.retry === 'halt';
        await sleep(isHalted ? retryMsMax : pauseMs(failures), stopping.signal);
        if (stopping.signal.aborted) return false;
      }
    }
  }

  function giveUp(films: number): void {
    if (givenUp === 0) logger.error(gapWords);
    givenUp += films;
    metrics.read('given_up', films);
  }

  function viewingsIn(batch: Batch): readonly Viewing[] {
    const viewings: Viewing[] = [];
    let unreadable = 0;
    for (const event of eventsIn(batch)) {
      const viewing = event === null ? undefined : viewingOf(event, watchedShare);
      if (viewing === undefined) unreadable++;
      else if (viewing !== null) viewings.push(viewing);
    }
    metrics.read('viewed', viewings.length);
    metrics.read('unreadable', unreadable);
    metrics.read('passed', Math.max(0, batch.count - viewings.length - unreadable));
    return viewings;
  }

  /** Those that are for it; null for one that cannot be understood. */
  function eventsIn(batch: Batch): readonly (StoredEvent | null)[] {
    const { type, version, form, ndjson } = batch;
    if (type !== null && !isViewed(type)) return [];
    if (form !== undefined) return []; // one that is no line: it is no edge's
    const known = type === null ? undefined : versionOf(type);
    const isOurs = type !== null && (version === undefined || version === known);
    return linesOf(ndjson).flatMap((line, at) => {
      const event = isOurs ? parsed(line) : judged(line, at, batch);
      return event === undefined ? [] : [event];
    });
  }

  /** Undefined: it is of another type. */
  function judged(value: Uint8Array, index: number, batch: Batch): StoredEvent | null | undefined {
    if (!mayBeViewed(value)) return undefined;
    const position = batch.first === undefined ? null : batch.first + index;
    const record: ForeignRecord = { position, atMs: batch.oldestAtMs, value };
    try {
      const verdict = judge(record, batch);
      if (!verdict.ok) return null;
      return isViewed(verdict.type) ? parsed(verdict.body) : undefined;
    } catch {
      return null; // anybody may write to a log: no record does more than be passed
    }
  }
}

const viewed: ReadonlySet<string> = new Set(viewedTypes);
const isViewed = (type: string): boolean => viewed.has(type);

/** Each of them names a film so; it spares judging all else that lies in a topic of many types. */
const nameOfFilm = Buffer.from('video_id');
const mayBeViewed = (value: Uint8Array): boolean =>
  Buffer.from(value.buffer, value.byteOffset, value.length).includes(nameOfFilm);

function parsed(line: Uint8Array | string): StoredEvent | null {
  try {
    const event: unknown = JSON.parse(typeof line === 'string' ? line : Buffer.from(line).toString());
    return typeof event === 'object' && event !== null ? (event as StoredEvent) : null;
  } catch {
    return null;
  }
}

/** A commit is of all that were handed out before, of the same topic, partition and ownership. */
function lastOfEach(batches: readonly Batch[]): readonly Batch[] {
  const last = new Map<string, Batch>();
  for (const batch of batches) last.set(`${batch.topic}/${batch.partition}/${batch.epoch ?? 0}`, batch);
  return [...last.values()];
}
