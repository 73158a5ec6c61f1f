// Pulsar as the log a mover reads: a subscription of its own, a consumer a partition (partition.ts). Which consumer is given a
// partition's records is Pulsar's to say; the records of one that is away go to another.
// - finished is what is acknowledged, record by record, in the order they were handed out
// - topics are looked at now and then: one that is missing is waited for, one that has grown is read whole
// - positions are ledger and entry, which a cluster never gives twice: a topic made anew has others

import { hostname } from 'node:os';
import { PipelineError } from '../../../errors.ts';
import type { Ack, Batch, PollOptions, Source } from '../../../ports/source.ts';
import type { StartingPoint } from '../../../ports/transport.ts';
import { sleep } from '../../../process/sleep.ts';
import type { Logger } from '../../../process/telemetry.ts';
import { troublesOf } from '../../../process/troubles.ts';
import { waitingPoll } from '../../../process/waiting-poll.ts';
import { pulsarAdmin } from '../connect/admin.ts';
import { type PulsarOptions, partitionNames, pulsarDefaults } from '../connect/options.ts';
import { begin } from './begin.ts';
import { type ReadPartition, readPartition } from './partition.ts';
import { stallOf } from './stall.ts';

export interface PulsarSourceOptions extends PulsarOptions {
  readonly subscription: string;
  readonly topics: readonly string[];
  readonly from?: StartingPoint | null;
  readonly logger: Logger;
  /** How often it is looked whether a topic is there, and has grown. */
  readonly topicsAgeMsMax?: number;
  /** Records that wait so long for a consumer that acknowledges nothing are taken over from it. */
  readonly stallTimeoutMs?: number;
}

export interface PulsarSource extends Source {
  problem(): string | null;
  lag(): Promise<ReadonlyMap<string, number>>;
}

interface Finished {
  readonly reader: ReadPartition;
  /** Of its partition's batches, in the order they were handed out. */
  readonly number: number;
}

interface HandedOut {
  readonly number: number;
  readonly ids: readonly string[];
}

const lagAgeMsMax = 1_000;

export function pulsarSource(given: PulsarSourceOptions): PulsarSource {
  const options = { ...pulsarDefaults, topicsAgeMsMax: 30_000, stallTimeoutMs: 30_000, ...given };
  const { topics, subscription, logger, topicsAgeMsMax, stallTimeoutMs } = options;
  const admin = pulsarAdmin(options);
  const troubles = troublesOf({ name: 'pulsar', title: 'Pulsar', logger });
  const consumer = `${hostname()}-${process.pid}-${crypto.randomUUID()}`;
  const readers = new Map<string, ReadPartition>();
  const handedOut = new Map<ReadPartition, HandedOut[]>();
  const stalls = new Map<ReadPartition, ReturnType<typeof stallOf>>();
  const closing = new AbortController();
  let lastNumber = 0;
  let closed: Promise<void> | undefined;
  let lag: { readonly atMs: number; readonly counted: Promise<ReadonlyMap<string, number>> } | null = null;
  const polling = waitingPoll(take, () => closing.signal.aborted);
  const looking = Promise.all([look(), watch()]);

  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      await Promise.all(topics.map(lookAt));
      await sleep(troubles.problem() === null ? topicsAgeMsMax : Math.min(1_000, topicsAgeMsMax), closing.signal);
    }
  }

  async function lookAt(topic: string): Promise<void> {
    const subject = `topic ${topic}`;
    try {
      const partitions = await admin.partitions(topic);
      if (partitions === null) throw new PipelineError('log_halted', `${subject} does not exist; it is waited for`);
      const names = partitionNames(topic, partitions);
      if (!names.every(name => readers.has(name))) {
        await begin(options, admin, { topic, names, subscription, from: options.from ?? null });
        if (closing.signal.aborted) return;
        names.forEach((name, partition) => {
          if (!readers.has(name)) read(topic, partition, name);
        });
      }
      troubles.clear(subject);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      troubles.tell(subject, error);
    }
  }

  function read(topic: string, partition: number, name: string): void {
    const reader = readPartition({
      connection: options,
      topic,
      partition,
      name,
      subscription,
      consumer,
      onReady: polling.wake,
      onTrouble: error =>
        error === null
          ? troubles.clear(name)
          : troubles.tell(name, new PipelineError(error.code, `${name}: ${error.message}`)),
      isWorthOpening: () => isThere(topic),
    });
    readers.set(name, reader);
    handedOut.set(reader, []);
    stalls.set(reader, stallOf(stallTimeoutMs));
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(stallTimeoutMs / 4, closing.signal);
      await Promise.all(topics.map(takeOverStalled));
    }
  }

  async function takeOverStalled(topic: string): Promise<void> {
    // Who may not ask waits until Pulsar notices.
    const states = await admin.states(topic, subscription).catch(() => null);
    for (const reader of readers.values()) {
      if (reader.topic !== topic || closing.signal.aborted) continue;
      const { partition, consumer: own } = reader;
      const state = states?.get(partition);
      if (!stalls.get(reader)!.isOver(state, performance.now())) continue;
      if (state?.activeConsumer === own && !reader.isIdle) continue; // the tables have it
      logger.warn(
        { topic, partition, from: state?.activeConsumer },
        'a consumer acknowledges nothing: its partition is taken over',
      );
      reader.takeOver();
    }
  }

  /** A consumer that connects to a topic that is not there would make it, in another shape than is wanted. */
  async function isThere(topic: string): Promise<PipelineError | null> {
    try {
      if ((await admin.partitions(topic)) !== null) return null;
      return new PipelineError('log_halted', `topic ${topic} does not exist; it is waited for`);
    } catch (error) {
      if (error instanceof PipelineError) return error;
      throw error;
    }
  }

  /** Whose turn it is moves on with every poll that finds something. */
  function take({ paused, bytesMax }: PollOptions): Batch[] {
    const taken: Batch[] = [];
    let bytes = 0;
    for (const [name, reader] of [...readers]) {
      if (bytes >= bytesMax) break;
      const { topic, partition, isEmpty } = reader;
      if (isEmpty || paused.has(topic)) continue;
      for (const { ids, ...run } of reader.take(bytesMax - bytes)) {
        const number = ++lastNumber;
        handedOut.get(reader)!.push({ number, ids });
        taken.push({ topic, partition, ...run, ack: { reader, number } as unknown as Ack });
        bytes += run.ndjson.length;
      }
      readers.delete(name);
      readers.set(name, reader);
    }
    return taken;
  }

  async function count(): Promise<ReadonlyMap<string, number>> {
    const counted = await Promise.all(
      topics.map(async topic => {
        const states = await admin.states(topic, subscription).catch(() => null);
        const own = [...readers.values()].flatMap(reader => {
          const state = reader.topic === topic ? states?.get(reader.partition) : undefined;
          return state?.activeConsumer === reader.consumer ? [state] : [];
        });
        return [topic, own.length === 0 ? null : own.reduce((sum, { backlog }) => sum + backlog, 0)] as const;
      }),
    );
    return new Map(counted.filter((each): each is [string, number] => each[1] !== null));
  }

  async function end(): Promise<void> {
    closing.abort();
    polling.wake();
    await looking;
    await Promise.all([...readers.values()].map(reader => reader.close()));
  }

  return {
    poll: polling.poll,
    async commit(ack) {
      const { reader, number } = ack as unknown as Finished;
      const left = handedOut.get(reader)!;
      const behind = left.findIndex(each => each.number > number);
      for (const { ids } of left.splice(0, behind < 0 ? left.length : behind)) reader.acknowledge(ids);
    },
    problem: () => troubles.problem(),
    lag() {
      const atMs = performance.now();
      if (lag === null || atMs - lag.atMs > lagAgeMsMax) lag = { atMs, counted: count() };
      return lag.counted;
    },
    close: () => (closed ??= end()),
  };
}
