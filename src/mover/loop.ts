// The mover: source → one lane per table → sink → committed positions.
//
// - A position is committed only after every record up to it is in the sink, or a dead letter (progress.ts).
// - A record that can be no row is a dead letter (dead-letter-queue.ts); where none are kept it holds back its topic.
// - Tables do not wait for each other; one that needs repair holds back its own topic, which is no longer polled once
//   its lane is full. Memory is bounded by two blocks and one poll a table.
// - What is paused is polled no more; what was polled of it before still becomes rows.
// - What an older ugc wrote is judged and upgraded on the way; what a newer one wrote holds back its topic (held-back.ts).
// - A full disk under the source ends nothing: what is in the sink is committed, and what comes is read, once there is
//   room.
// - A crash at any moment repeats records, never skips them; repeated rows collapse by event_id.

import { type Gate, openGate } from '../ports/flow-control.ts';
import type { Loop } from '../ports/loop.ts';
import type { MoverMetrics } from '../ports/mover-metrics.ts';
import type { DeadLetter, DeadLetters, Sink } from '../ports/sink.ts';
import type { Batch, JudgeForeign, Source } from '../ports/source.ts';
import { patiently } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { newerThan } from '../record/stamp.ts';
import { deadLetterQueueOf } from './dead-letter-queue.ts';
import { type Sorted, sortForeign } from './foreign.ts';
import { heldBackOf } from './held-back.ts';
import { type Lane, type LaneOptions, startLane } from './lane.ts';
import { paceOf } from './pace.ts';
import { progressOf } from './progress.ts';
import { lettersOf } from './records.ts';

export interface MoverOptions {
  readonly source: Source;
  readonly sink: Sink;
  /** Where there is none, what can be no row waits. */
  readonly deadLetters?: DeadLetters | undefined;
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
  /** Whether anything may be polled now; absent = always. */
  readonly gate?: Gate;
  /** Inserts under way at a stop get this long. */
  readonly graceMs: number;
  readonly logger: Logger;
  readonly metrics: MoverMetrics;
}

export interface Mover extends Loop {
  /** Tables that wait for repair, and topics that wait for a newer ugc (`topic x`), with the reason. */
  halted(): ReadonlyMap<string, string>;
  /** Tables whose insert is repeated because nobody knows its outcome, with what was said last. */
  troubled(): ReadonlyMap<string, string>;
  /** When the edge took the oldest record polled and not yet in the sink, by topic. */
  oldest(): ReadonlyMap<string, number>;
  /** When it took the oldest of the last records polled, by topic: what follows there is hardly older. */
  reached(): ReadonlyMap<string, number>;
}

/** So many tables in use do not wait for each other. */
const tablesUnhindered = 5;
/** After a rest so many inserts may begin at once. */
const sparesMax = 10;
const retryMs = 500;

export function startMover(options: MoverOptions): Mover {
  const { source, deadLetters, gate = openGate, logger, metrics } = options;
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
  /** Of the poll under way: what it was asked holds no more, or all is to stop. */
  let room = new AbortController();
  const reached = new Map<string, number>();
  let failure: unknown = null;
  /** Batches without anything in them. */
  let passed = Promise.resolve();
  const onRoom = (): void => room.abort();
  const common = { logger, metrics, stopping: stopping.signal, givingUp: givingUp.signal, onRoom };
  const onStored = (letters: readonly DeadLetter[]): Promise<void> => progress.finish([letters]);
  const deadLetterQueue =
    deadLetters && deadLetterQueueOf({ ...common, deadLetters, retryMs, onStored, onBroken: broke });
  const heldBack = heldBackOf({
    ...common,
    source,
    onForgotten: batches => {
      onRoom();
      progress.finish(batches).catch(broke); // commits nothing: their ownership has ended
    },
  });
  const laneOptions: LaneOptions = {
    ...options,
    ...common,
    pace: paceOf({ intervalMs: options.intervalMs / tablesUnhindered, sparesMax }),
    onFinished: batches => progress.finish(batches),
  };

  const unwatch = gate.watch(onRoom);
  stopping.signal.addEventListener('abort', onRoom, { once: true });
  const done = run();
  done.catch(() => {}); // whoever awaits it hears of it; stop() must not be the only one
  return {
    done,
    halted: () =>
      new Map([
        ...saidBy(lanes, 'halted'),
        ...[...heldBack.topics].map(([topic, why]) => [`topic ${topic}`, why] as const),
      ]),
    troubled: () => saidBy(lanes, 'trouble'),
    oldest: progress.oldest,
    reached: () => reached,
    stop: async () => {
      stopping.abort();
      const grace = setTimeout(() => givingUp.abort(), options.graceMs);
      await done.catch(() => {});
      clearTimeout(grace);
    },
  };

  async function run(): Promise<void> {
    await poll().catch(broke);
    await Promise.allSettled([
      ...[...lanes.values()].map(lane => lane.done),
      deadLetterQueue?.settled(),
      heldBack.done,
      passed,
    ]);
    unwatch(); // another mover takes the place of one that broke, and the gate outlives both
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
      const paused = new Set([
        ...full,
        ...(deadLetterQueue?.topics() ?? []),
        ...heldBack.topics.keys(),
        ...gate.topics(),
      ]);
      const batches = await whileRefused(() => source.poll({ paused, bytesMax: options.blockBytesMax }, room.signal));
      for (const batch of batches ?? []) take(batch);
    }
  }

  function take(batch: Batch): void {
    const { type } = batch;
    reached.set(batch.topic, batch.oldestAtMs);
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
      begin(batch, { parts: [], letters, newer: null });
    } else if (version < known) {
      takeForeign(batch);
    } else {
      progress.begin(batch);
      if (version === known) laneOf(type).add(batch);
      else heldBack.add(batch, newerThan({ type, version }, known));
    }
  }

  function takeForeign(batch: Batch): void {
    begin(batch, sortForeign(batch, options.judge));
  }

  /** The good ones go to the lanes of their types at once, whatever becomes of the others. */
  function begin(batch: Batch, { parts, letters, newer }: Sorted): void {
    const why = newer ?? (deadLetterQueue === undefined && letters.length > 0 ? letters[0]!.detail : null);
    const isNothing = parts.length === 0 && letters.length === 0 && why === null;
    const queued = deadLetterQueue !== undefined && letters.length > 0;
    progress.begin(batch, [...parts, ...(queued || isNothing ? [letters] : []), ...(why === null ? [] : [batch])]);
    for (const part of parts) laneOf(part.type).add(part);
    if (queued) deadLetterQueue.add(batch.topic, letters);
    if (isNothing) passed = passed.then(() => progress.finish([letters])).catch(broke);
    if (why !== null) heldBack.add(batch, why);
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
}

/** By table, of those that say something. */
const saidBy = (lanes: ReadonlyMap<string, Lane>, what: 'halted' | 'trouble'): ReadonlyMap<string, string> =>
  new Map([...lanes].flatMap(([type, { [what]: said }]) => (said === null ? [] : [[type, said] as const])));
