// Wishes of flows in a compacted topic, for every process of the cluster: each reads it from its start, without a group, and
// goes on reading. What a wish says is in its record; the key is for compaction alone.
//
// - The topic is made by the first wish. Until then nobody ever wished anything, and every flow runs.
// - Who may not read it follows nobody's wishes, and says so. While Kafka is away what was known last counts.
// - After any failure it is read anew from its start, and counts once it is whole: what is known never goes back.

import { messageOf, PipelineError } from '../../../errors.ts';
import type { FlowControl, Wishes } from '../../../ports/flow-control.ts';
import { sleep } from '../../../process/sleep.ts';
import type { Logger } from '../../../process/telemetry.ts';
import { keyOfWish, readWish, type WishRecord, wishesOf } from '../../../record/wishes.ts';
import { openCluster } from '../connect/cluster.ts';
import { type Cluster, dropCluster, dropHung, sendBytes } from '../connect/driver.ts';
import { ensureTopics } from '../connect/ensure-topics.ts';
import { errorOfReader, errorOfReading, typeOfKafkaError, unled } from '../connect/error.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from '../connect/options.ts';
import { kafkaTopics, type Topics } from '../connect/topics.ts';
import { kafkaLog } from '../write/log.ts';
import { keyOf, type TopicPartition } from './assign.ts';
import { fetchApi, readFetched, writeFetch } from './fetch.ts';
import { earliestOf, endOf } from './positions.ts';
import { scanRecords } from './scan.ts';

export interface KafkaFlowControlOptions {
  readonly connection: KafkaLogOptions;
  readonly topic: string;
  readonly replicas: number;
  /** Whether it may be made; otherwise the first wish is refused with the command to run. */
  readonly create: boolean;
  readonly logger: Logger;
}

const lookEveryMs = 1_500;
const forbiddenEveryMs = 30_000;
const retryMs = 500;
/** A partition that has just lost its leader has another soon. */
const keepMsMax = 10_000;
/** How long a broker waits for a wish before it answers that there is none. */
const waitMs = 1_000;
const bytesMax = 2 ** 20;

export function kafkaFlowControl(given: KafkaFlowControlOptions): FlowControl {
  const { topic, replicas, create, logger } = given;
  const connection = { ...kafkaLogDefaults, ...given.connection };
  const address = connection.brokers.join(',');
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  let cluster: Cluster | null = null;
  let known: Wishes | null = null;
  let problem: string | null = null;
  let away: string | null = null;
  const following = follow();

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      const opened = openCluster(connection);
      cluster = opened;
      let pauseMs = retryMs;
      try {
        await readOn(opened, kafkaTopics(opened, address, Number.POSITIVE_INFINITY));
      } catch (thrown) {
        dropHung(opened, thrown);
        pauseMs = refused(thrown);
      } finally {
        dropCluster(opened, new PipelineError('shutting_down'));
      }
      await sleep(pauseMs, closing.signal);
    }
  }

  /** How long to wait before it is read anew. */
  function refused(thrown: unknown): number {
    if (closing.signal.aborted) return 0;
    const type = typeOfKafkaError(thrown);
    const { message } = errorOfReader(thrown, `topic ${topic} at ${address}`);
    if (type === 'TOPIC_AUTHORIZATION_FAILED') {
      if (problem === null) logger.warn({ topic, reason: message }, 'flows cannot be paused in this process');
      problem = `flows cannot be paused in this process: ${message}`;
      away = null;
      tell(known ?? new Map());
      return forbiddenEveryMs;
    }
    away = message;
    return retryMs;
  }

  /** A broker that has just come back may not know it yet: what was paused must not run for a moment. */
  function missed(): void {
    const isGone = known !== null && known.size > 0;
    away = null;
    problem = isGone ? `topic ${topic} is gone: what was wished of flows last counts until this process ends` : null;
    if (!isGone) tell(new Map());
  }

  /** Of its partitions, once it is there; none when told to stop before. */
  async function leadersIn(topics: Topics): Promise<readonly number[]> {
    while (!closing.signal.aborted) {
      try {
        return (await topics.load(topic)).leaders;
      } catch (thrown) {
        if (typeOfKafkaError(thrown) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw thrown;
        missed();
        await sleep(lookEveryMs, closing.signal);
      }
    }
    return [];
  }

  function tell(wishes: Wishes): void {
    if (known !== null && isSame(known, wishes)) return;
    known = wishes;
    for (const listener of listeners) listener();
  }

  /** Until told to stop. Rejects once the topic cannot be read on. */
  async function readOn(from: Cluster, topics: Topics): Promise<void> {
    const leaders = await leadersIn(topics);
    if (leaders.length === 0) throw new PipelineError('log_unavailable', `topic ${topic} has no partitions yet`);
    const records: WishRecord[] = [];
    const parts = await Promise.all(
      leaders.map(async (_, partition) => {
        const place = { topic, partition };
        return { place, next: await earliestOf(from, topics, place), end: await endOf(from, topics, place) };
      }),
    );
    // Asked each time: a connection that a stop has dropped would be made anew by the next question.
    while (!closing.signal.aborted) {
      const isWhole = parts.every(({ next, end }) => next >= end);
      if (isWhole) {
        [problem, away] = [null, null];
        tell(wishesOf(records));
      }
      for (const part of parts) {
        const read = await fetched(from, topics, part, isWhole ? waitMs / parts.length : 0);
        if (!isWhole && read.next === part.next) part.end = part.next; // nothing more can be seen of it
        part.next = read.next;
        records.push(...read.records);
      }
    }
  }

  async function fetched(
    { brokerPool }: Cluster,
    topics: Topics,
    { place, next }: { readonly place: TopicPartition; readonly next: number },
    waitMsMax: number,
  ): Promise<{ readonly next: number; readonly records: readonly WishRecord[] }> {
    const nodeId = topics.known(topic)?.leaders[place.partition] ?? -1;
    if (nodeId < 0) throw unled(place);
    const broker = await brokerPool.findBroker({ nodeId });
    const socket = await broker.connectionPool.getConnection(0);
    await socket.authenticate();
    const head = { clientId: connection.clientId, waitMsMax: Math.round(waitMsMax) };
    const bytes = await sendBytes(socket, fetchApi, correlationId =>
      writeFetch({ correlationId, ...head, bytesMax, partitionBytesMax: bytesMax }, [{ ...place, next }]),
    );
    const { code, partitions } = readFetched(bytes);
    const [part] = partitions;
    const refusal = code === 0 ? (part?.code ?? 0) : code;
    if (refusal !== 0) throw errorOfReading(refusal, keyOf(place)).error;
    if (part === undefined)
      throw new PipelineError('log_unavailable', `${keyOf(place)}: the broker says nothing of it`);
    const { runs, problem: unread, ...scanned } = scanRecords(part.records, { next, aborted: part.aborted });
    if (unread !== null) throw new PipelineError('log_halted', `${keyOf(place)}: ${unread}`);
    return {
      next: scanned.next,
      records: runs.flatMap(({ form, ndjson }) => (form === undefined ? wishesIn(ndjson) : [])),
    };
  }

  /** What is no wish is nobody's: it changes nothing. */
  function wishesIn(ndjson: Uint8Array): readonly WishRecord[] {
    const lines = new TextDecoder().decode(ndjson).split('\n').slice(0, -1);
    return lines.flatMap(line => {
      const record = readWish(line);
      if (record === null) logger.warn({ topic, length: line.length }, 'a record is no wish of a flow: it is left out');
      return record ?? [];
    });
  }

  async function keep(record: WishRecord): Promise<void> {
    await ensureTopics(connection, [topic], { partitions: 1, replicas, create, isCompacted: true });
    const log = kafkaLog(connection);
    try {
      const envelope = {
        id: '',
        type: 'flow',
        version: 0,
        topic,
        key: keyOfWish(record),
        body: JSON.stringify(record),
      };
      // Kept twice it is the same wish.
      for (const untilMs = performance.now() + keepMsMax; ; ) {
        const [outcome] = await log.publish([{ ...envelope, receivedAtMs: Date.now() }]);
        if (outcome?.ok === true) return;
        const error = outcome?.error ?? new PipelineError('log_unknown');
        if (error.retry !== 'backoff' || closing.signal.aborted || performance.now() > untilMs) throw error;
        await sleep(retryMs, closing.signal);
      }
    } finally {
      await log.close();
    }
  }

  return {
    wishes: () => known,
    problem: () => problem,
    away: () => away,
    wish: keep,
    drained: keep,
    watch: listener => void listeners.add(listener),
    async close() {
      closing.abort();
      if (cluster !== null) dropCluster(cluster, new PipelineError('shutting_down'));
      await following.catch((error: unknown) => logger.warn({ reason: messageOf(error) }, 'following flows ended'));
    },
  };
}

const isSame = (a: Wishes, b: Wishes): boolean => JSON.stringify([...a]) === JSON.stringify([...b]);
