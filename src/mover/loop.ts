// The mover: source → one lane per table → sink → committed positions.
//
// - A position is committed only after every record up to it is in the sink, or dead-lettered there (progress.ts).
// - Tables do not wait for each other; one that needs repair holds back its own topic, which is no longer polled once
//   its lane is full. Memory is bounded by two blocks and one poll a table.
// - What an older ugc wrote is judged and upgraded on the way; what a newer one wrote holds back its topic (waiting.ts).
// - A full disk under the source ends nothing: what is in the sink is committed, and what comes is read, once there is
//   room.
// - A crash at any moment repeats records, never skips them; repeated rows collapse by event_id.

import { messageOf } from '../errors.ts';
import type { Loop } from '../ports/loop.ts';
import type { DeadLetter, Sink } from '../ports/sink.ts';
import type { Batch, JudgeForeign, Source } from '../ports/source.ts';
import { patiently, sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { newerThan } from '../record/stamp.ts';
import { sortForeign } from './foreign.ts';
import { type Lane, type LaneOptions, startLane } from './lane.ts';
import { paceOf } from './pace.ts';
import { progressOf } from './progress.ts';
import { lettersOf } from './records.ts';
import { type Waiting, waitingOf } from './waiting.ts';

export interface MoverOptions {
  readonly source: Source;
  readonly sink: Sink;
  /** Event types there are tables for, each with the version its rows are of; may grow. */
  readonly types: ReadonlyMap<string, number>;
  /** What becomes of records of any other: they wait, and the sink says for what, or they are dead. */
  readonly unknownTypes?: 'wait' | 'dead_letter';
  /** Of records that no edge of ours has written, or one of an older version. */
  readonly judge: JudgeForeign;
  readonly blockRowsMax: number;
  readonly blockBytesMax: number;
  /** A table in use is inserted into at most this often, all together `tablesUnhindered` times as often. */
  readonly intervalMs: number;
  /** Inserts under way at a stop get this long. */
  readonly graceMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Mover extends Loop {
  /** Tables that wait for repair, and topics that wait for a newer ugc (`topic x`), with the reason. */
  halted(): ReadonlyMap<string, string>;
  /** Tables whose insert is repeated because nobody knows its outcome, with what was said last. */
  troubled(): ReadonlyMap<string, string>;
  /** When the edge took the oldest record polled and not yet in the sink, by topic. */
  oldest(): ReadonlyMap<string, number>;
}

/** So many tables in use do not wait for each other. */
const tablesUnhindered = 5;
/** After a rest so many inserts may begin at once. */
const sparesMax = 10;
const retryMs = 500;

export function startMover(options: MoverOptions): Mover {
  const { source, sink, logger, metrics } = options;
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const lanes = new Map<string, Lane>();
  const whileRefused = <T>(ask: () => Promise<T>): Promise<T | null> =>
    patiently(ask, {
      pauseMs: retryMs,
      signal: stopping.signal,
      onRefused: error => logger.warn({ err: error }, 'the log does not take positions just now; it is asked again'),
    });
  const progress = progressOf({
    commit: async ack => {
      await whileRefused(() => source.commit(ack));
    },
  });
  /** By topic: dead letters on their way. */
  const burying = new Map<string, Promise<void>>();
  const waiting: Waiting = waitingOf({
    source,
    logger,
    metrics,
    stopping: stopping.signal,
    onForgotten: batches => {
      room.abort();
      progress.finish(batches).catch(broke); // commits nothing: their ownership has ended
    },
  });
  let room = new AbortController();
  let failure: unknown = null;
  const laneOptions: LaneOptions = {
    ...options,
    pace: paceOf({ intervalMs: options.intervalMs / tablesUnhindered, sparesMax }),
    stopping: stopping.signal,
    givingUp: givingUp.signal,
    onRoom: () => room.abort(),
    onFinished: batches => progress.finish(batches),
  };

  const done = run();
  done.catch(() => {}); // whoever awaits it hears of it; stop() must not be the only one
  return {
    done,
    halted: () =>
      new Map([
        ...[...lanes].flatMap(([type, { halted }]) => (halted === null ? [] : [[type, halted] as const])),
        ...[...waiting.topics].map(([topic, why]) => [`topic ${topic}`, why] as const),
      ]),
    troubled: () =>
      new Map([...lanes].flatMap(([type, { trouble }]) => (trouble === null ? [] : [[type, trouble] as const]))),
    oldest: progress.oldest,
    stop: async () => {
      stopping.abort();
      const grace = setTimeout(() => givingUp.abort(), options.graceMs);
      await done.catch(() => {});
      clearTimeout(grace);
    },
  };

  async function run(): Promise<void> {
    await poll().catch(broke);
    await Promise.allSettled([...[...lanes.values()].map(lane => lane.done), ...burying.values(), waiting.done]);
    await source.close();
    if (failure !== null) throw failure;
  }

  /** A part that cannot go on, like a position that cannot be committed, ends the whole; `done` tells the first reason. */
  function broke(error: unknown): void {
    failure ??= error;
    stopping.abort();
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      room = new AbortController();
      const full = [...lanes.values()].flatMap(lane => (lane.isFull ? [...lane.topics] : []));
      const paused = new Set([...full, ...burying.keys(), ...waiting.topics.keys()]);
      const signal = paused.size > 0 ? AbortSignal.any([stopping.signal, room.signal]) : stopping.signal;
      const batches = await whileRefused(() => source.poll({ paused, bytesMax: options.blockBytesMax }, signal));
      for (const batch of batches ?? []) take(batch);
    }
  }

  function take(batch: Batch): void {
    const { type, topic } = batch;
    if (type === null) {
      takeForeign(batch);
      return;
    }
    const known = options.types.get(type);
    const { version = known } = batch;
    if (known === undefined && options.unknownTypes === 'wait') {
      progress.begin(batch);
      laneOf(type).add(batch);
    } else if (known === undefined || version === undefined) {
      const letters = lettersOf(batch, 'unknown_type', `no table for the event type ${type}`);
      progress.begin(batch, [letters]);
      buryNext(topic, letters);
    } else if (version < known) {
      takeForeign(batch);
    } else {
      progress.begin(batch);
      if (version === known) laneOf(type).add(batch);
      else waiting.add(batch, newerThan({ type, version }, known));
    }
  }

  /** The good ones go to the lanes of their types at once, whatever becomes of the others. */
  function takeForeign(batch: Batch): void {
    const { parts, letters, newer } = sortForeign(batch, options.judge);
    const isNothing = parts.length === 0 && newer === null;
    const hasLetters = letters.length > 0 || isNothing;
    progress.begin(batch, [...parts, ...(hasLetters ? [letters] : []), ...(newer === null ? [] : [batch])]);
    for (const part of parts) laneOf(part.type).add(part);
    if (hasLetters) buryNext(batch.topic, letters);
    if (newer !== null) waiting.add(batch, newer);
  }

  function laneOf(type: string): Lane {
    return lanes.get(type) ?? open(type);
  }

  function open(type: string): Lane {
    const lane = startLane(type, laneOptions);
    lanes.set(type, lane);
    lane.done.catch(broke);
    return lane;
  }

  /** One after the other by topic, which is not polled meanwhile; nobody else waits for it. */
  function buryNext(topic: string, letters: readonly DeadLetter[]): void {
    const last = (burying.get(topic) ?? Promise.resolve())
      .then(() => bury(topic, letters))
      .catch(broke)
      .finally(() => {
        if (burying.get(topic) !== last) return;
        burying.delete(topic);
        room.abort();
      });
    burying.set(topic, last);
  }

  /** Records that can be no rows. */
  async function bury(topic: string, letters: readonly DeadLetter[]): Promise<void> {
    while (!stopping.signal.aborted && !(await areStored(topic, letters))) await sleep(retryMs, stopping.signal);
    if (stopping.signal.aborted) return;
    for (const [reason, dead] of Map.groupBy(letters, letter => letter.reason)) {
      metrics.deadLetters.inc({ reason }, dead.length);
      logger.error({ topic, records: dead.length, reason, first: dead[0]!.detail }, 'records were dead-lettered');
    }
    await progress.finish([letters]);
  }

  async function areStored(topic: string, letters: readonly DeadLetter[]): Promise<boolean> {
    try {
      await sink.deadLetter(letters, givingUp.signal);
      return true;
    } catch (error) {
      logger.warn({ err: error, topic }, `dead letters will be repeated: ${messageOf(error)}`);
      return false;
    }
  }
}
