// A reader's view of the buffer. It reads ahead of what it has committed, with a cursor per topic that lives here: the
// worker keeps nothing for it, so an answer that comes after the poll was aborted is simply asked for again.
//
// A poll that finds nothing waits for an append of this process, or until another process may have written
// (elsewhere.ts): no busy loop, and no need to know who else has the file open.

import type { Ack, PollOptions, PositionedBatch, PositionedSource } from '../../../ports/source.ts';
import type { Thread } from '../log/thread.ts';
import { elsewhereOf } from './elsewhere.ts';
import type { Cursors, StoredRun } from './read.ts';

/** One read of the worker: appends wait behind it. */
const readBytesMax = 2 ** 20;
/** What is left to read is counted for no more than this part of the time, and waited for so long if it was before. */
const countingShare = 0.05;
const countingMsMax = 500;

export interface BufferSource extends PositionedSource {
  /** This process has appended. */
  nudge(): void;
}

export interface SqliteSourceOptions {
  readonly reader: string;
  readonly withKeys: boolean;
  /** Which log the file is; null until it could be opened. */
  readonly log: () => string | null;
  /** Of the file. */
  readonly path: string;
}

/** What an ack of this source is: everything of the topic up to `last` is finished. */
interface Passed {
  readonly topic: string;
  readonly last: number;
}

const ackOf = (passed: Passed): Ack => passed as unknown as Ack;
const passedOf = (ack: Ack): Passed => ack as unknown as Passed;

export function sqliteSource(thread: Thread, { reader, withKeys, log, path }: SqliteSourceOptions): BufferSource {
  const elsewhere = elsewhereOf(path);
  let cursors: Cursors | null = null;
  let after = '';
  /** The version at which there was nothing more to read, and the topics paused then. */
  let exhausted = { version: '', paused: '' };
  let counting: Promise<ReadonlyMap<string, number>> | null = null;
  let counted: { readonly lag: ReadonlyMap<string, number>; readonly untilMs: number } | null = null;
  let closed = false;
  let nudged = false;
  /** Ends what the poll is waiting for, and its pause. One of each at most: there is one poll at a time. */
  let wake = (): void => {};
  let endPause = (): void => {};

  // At once, so that nothing appended from now on is deleted; should it fail, the polls try again.
  let registering: Promise<void> | null = register();
  registering.catch(() => {});

  async function register(): Promise<void> {
    const answer = await thread.ask<'register'>({ op: 'register', reader });
    cursors ??= answer.cursors;
  }

  /** The value, or null if woken before. */
  function unlessWoken<T>(value: Promise<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      wake = () => resolve(null);
      value.then(resolve, reject);
    });
  }

  function pause(): Promise<void> {
    return new Promise(resolve => {
      const end = (): void => {
        stopWaiting();
        resolve();
      };
      const stopWaiting = elsewhere.wait(end);
      wake = endPause = end;
    });
  }

  /** False when woken before. */
  async function registered(): Promise<boolean> {
    if (cursors !== null) return true;
    registering ??= register();
    try {
      await unlessWoken(registering);
    } catch (error) {
      registering = null;
      throw error;
    }
    return cursors !== null;
  }

  /** Null when woken before: then nothing has moved. */
  async function readOn(paused: string, bytesMax: number) {
    const unless = exhausted.paused === paused ? exhausted.version : '';
    elsewhere.note();
    const [at, bytes] = [JSON.stringify(cursors), Math.min(bytesMax, readBytesMax)];
    const answer = await unlessWoken(
      thread.ask<'read'>({ op: 'read', cursors: at, paused, bytesMax: bytes, after, unless, withKeys }),
    );
    if (answer === null) return null;
    cursors = answer.cursors;
    after = answer.batches.at(-1)?.topic ?? after;
    if (!answer.more) exhausted = { version: answer.version, paused };
    return answer;
  }

  /** With the log it is of, and how it is committed. */
  function named(run: StoredRun): PositionedBatch {
    const id = log();
    const ack = ackOf({ topic: run.topic, last: run.last });
    return id === null ? { ...run, ack } : { ...run, ack, log: id };
  }

  async function count(): Promise<ReadonlyMap<string, number>> {
    const startedAt = performance.now();
    const lag = new Map<string, number>();
    for (let from = 0; from >= 0; ) {
      const { events, next } = await thread.ask<'behind'>({ op: 'behind', reader, after: from });
      for (const [topic, more] of Object.entries<number>(JSON.parse(events)))
        lag.set(topic, (lag.get(topic) ?? 0) + more);
      from = next;
    }
    const endedAt = performance.now();
    counted = { lag, untilMs: endedAt + (endedAt - startedAt) / countingShare };
    return lag;
  }

  /** A read that fails gives back what the ones before it have read: the cursors are behind that. It is asked again next time. */
  async function gather(options: PollOptions, isOver: () => boolean): Promise<readonly PositionedBatch[]> {
    const paused = JSON.stringify([...options.paused].sort());
    const batches: PositionedBatch[] = [];
    let bytes = 0;
    while (!isOver() && bytes < options.bytesMax) {
      nudged = false;
      const answer = await readOn(paused, options.bytesMax - bytes).catch(error => {
        if (batches.length === 0) throw error;
      });
      if (answer === undefined) break;
      if (answer === null) continue;
      batches.push(...answer.batches.map(named));
      for (const { ndjson } of answer.batches) bytes += ndjson.length;
      if (answer.more) continue;
      if (batches.length > 0) break;
      if (!nudged && !isOver()) await pause();
    }
    return batches;
  }

  return {
    async poll(options, signal) {
      const isOver = (): boolean => closed || signal.aborted;
      const onAbort = (): void => wake();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return !isOver() && (await registered()) ? await gather(options, isOver) : [];
      } finally {
        signal.removeEventListener('abort', onAbort);
        wake = endPause = () => {};
      }
    },
    async commit(ack) {
      const { topic, last } = passedOf(ack);
      await thread.ask<'commit'>({ op: 'commit', reader, topic, last });
    },
    async lag() {
      if (counted !== null && performance.now() < counted.untilMs) return counted.lag;
      counting ??= count().finally(() => {
        counting = null;
      });
      if (counted === null) return counting;
      const before = counted.lag;
      return Promise.race([counting, Bun.sleep(countingMsMax).then(() => before)]);
    },
    async close() {
      closed = true;
      wake();
      elsewhere.close();
    },
    nudge() {
      nudged = true;
      endPause();
    },
  };
}
