// The mover: source → one lane per table → sink → committed positions.
//
// - A position is committed only after every record up to it is in the sink, or dead-lettered there (progress.ts).
// - Tables do not wait for each other; one that needs repair holds back its own topic, which is no longer polled once
//   its lane is full. Memory is bounded by two blocks and one poll a table.
// - A crash at any moment repeats records, never skips them; repeated rows collapse by event_id.

import { messageOf } from '../errors.ts';
import type { Batch, Loop, Sink, Source } from '../ports.ts';
import { sleep } from '../sleep.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { lettersOf } from './isolate.ts';
import { type Lane, type LaneOptions, startLane } from './lane.ts';
import { progressOf } from './progress.ts';

export interface MoverOptions {
  readonly source: Source;
  readonly sink: Sink;
  /** Event types there are tables for. */
  readonly types: ReadonlySet<string>;
  readonly blockRowsMax: number;
  readonly blockBytesMax: number;
  /** A table in use is inserted into at most this often. */
  readonly intervalMs: number;
  /** Inserts under way at a stop get this long. */
  readonly graceMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Mover extends Loop {
  /** Tables that wait for repair, with the reason. */
  halted(): ReadonlyMap<string, string>;
  /** When the edge took the oldest record polled and not yet in the sink, by topic. */
  oldest(): ReadonlyMap<string, number>;
}

const retryMs = 500;

export function startMover(options: MoverOptions): Mover {
  const { source, sink, logger, metrics } = options;
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const lanes = new Map<string, Lane>();
  const progress = progressOf(source);
  /** By topic: dead letters on their way. */
  const burying = new Map<string, Promise<void>>();
  let room = new AbortController();
  let failure: unknown = null;
  const laneOptions: LaneOptions = {
    ...options,
    stopping: stopping.signal,
    givingUp: givingUp.signal,
    onRoom: () => room.abort(),
    onFinished: batches => progress.finish(batches),
  };

  const done = run();
  done.catch(() => {}); // whoever awaits it hears of it; stop() must not be the only one
  return {
    done,
    halted: () => new Map([...lanes].flatMap(([type, { halted }]) => (halted === null ? [] : [[type, halted]]))),
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
    await Promise.allSettled([...[...lanes.values()].map(lane => lane.done), ...burying.values()]);
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
      const paused = new Set([...full, ...burying.keys()]);
      const signal = paused.size > 0 ? AbortSignal.any([stopping.signal, room.signal]) : stopping.signal;
      const batches = await source.poll({ paused, bytesMax: options.blockBytesMax }, signal);
      for (const batch of batches) take(batch);
    }
  }

  function take(batch: Batch): void {
    progress.begin(batch);
    if (batch.type === null || !options.types.has(batch.type)) {
      buryNext(batch);
      return;
    }
    const lane = lanes.get(batch.type) ?? open(batch.type);
    lane.add(batch);
  }

  function open(type: string): Lane {
    const lane = startLane(type, laneOptions);
    lanes.set(type, lane);
    lane.done.catch(broke);
    return lane;
  }

  /** One after the other by topic, which is not polled meanwhile; nobody else waits for it. */
  function buryNext(batch: Batch): void {
    const last = (burying.get(batch.topic) ?? Promise.resolve())
      .then(() => bury(batch))
      .catch(broke)
      .finally(() => {
        if (burying.get(batch.topic) !== last) return;
        burying.delete(batch.topic);
        room.abort();
      });
    burying.set(batch.topic, last);
  }

  /** Records no table is meant for. */
  async function bury(batch: Batch): Promise<void> {
    const letters = lettersOf(batch, 'unknown_type', `no table for the event type ${batch.type}`);
    while (!stopping.signal.aborted) {
      try {
        await sink.deadLetter(letters, givingUp.signal);
        metrics.deadLetters.inc({ reason: 'unknown_type' }, letters.length);
        logger.error({ topic: batch.topic, records: letters.length }, 'records of an unknown type were dead-lettered');
        return await progress.finish([batch]);
      } catch (error) {
        logger.warn({ err: error, topic: batch.topic }, `dead letters will be repeated: ${messageOf(error)}`);
        await sleep(retryMs, stopping.signal);
      }
    }
  }
}
