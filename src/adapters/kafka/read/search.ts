// Single events in Kafka, by their ids: there is no index, so partitions are read from a point in time on, one after
// the other, up to where they ended when the search began. No group, nothing is committed, no client is disturbed but the
// broker.

import { PipelineError } from '../../../errors.ts';
import type { Run } from '../../../record/runs.ts';
import { openCluster } from '../connect/cluster.ts';
import { dropCluster, sendBytes } from '../connect/driver.ts';
import { errorOfKafka, errorOfReading, typeOfKafkaError } from '../connect/error.ts';
import type { KafkaConnection } from '../connect/options.ts';
import { kafkaTopics } from '../connect/topics.ts';
import { keyOf, type TopicPartition } from './assign.ts';
import { fetchApi, readFetched, writeFetch } from './fetch.ts';
import { beginningOf, endOf, offsetAt } from './positions.ts';
import { scanRecords } from './scan.ts';

export interface KafkaSearch extends KafkaConnection {
  readonly id: string;
  readonly topics: readonly string[];
  /** Epoch milliseconds: records of this time or later; null = from the earliest on. */
  readonly sinceMs: number | null;
  /** The records before this time are looked at first, and those after it only if nothing was found; null = all. */
  readonly untilMs: number | null;
  /** Records looked at, of how many. */
  readonly onProgress?: (records: number, of: number) => void;
}

export interface KafkaRecord extends TopicPartition {
  readonly offset: number;
  readonly body: string;
}

export interface KafkaFound {
  readonly records: readonly KafkaRecord[];
  readonly looked: number;
}

interface Stretch extends TopicPartition {
  readonly from: number;
  readonly middle: number;
  readonly to: number;
}

const answerBytesMax = 4 * 2 ** 20;
const defaults = { connectionTimeoutMs: 1_000, requestTimeoutMs: 10_000 };

/** Rejects with a PipelineError. Topics that do not exist hold nothing. */
export async function searchKafka(given: KafkaSearch): Promise<KafkaFound> {
  const options = { ...defaults, ...given };
  const { id, sinceMs, untilMs, clientId, onProgress = () => {} } = options;
  const address = options.brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, Number.POSITIVE_INFINITY);
  const isOf = matcherOf(id);
  const records: KafkaRecord[] = [];
  let looked = 0;
  let total = 0;
  try {
    const stretches = (await Promise.all(options.topics.map(stretchesOf))).flat();
    total = stretches.reduce((sum, { from, middle }) => sum + middle - from, 0);
    for (const stretch of stretches) await read(stretch, stretch.from, stretch.middle);
    if (records.length === 0) {
      total += stretches.reduce((sum, { middle, to }) => sum + to - middle, 0);
      for (const stretch of stretches) await read(stretch, stretch.middle, stretch.to);
    }
    return { records, looked };
  } catch (thrown) {
    throw errorOfKafka(thrown, 'before sending', address);
  } finally {
    dropCluster(cluster, new PipelineError('shutting_down'));
  }

  async function stretchesOf(topic: string): Promise<Stretch[]> {
    const known = await topics.load(topic).catch(error => {
      if (typeOfKafkaError(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
      throw error;
    });
    const stretches: Stretch[] = [];
    for (const partition of known?.leaders.keys() ?? []) {
      const place = { topic, partition };
      const from = await beginningOf(cluster, topics, place, sinceMs === null ? null : { atMs: sinceMs });
      const to = await endOf(cluster, topics, place);
      const middle = untilMs === null ? to : await offsetAt(cluster, topics, place, untilMs);
      stretches.push({ ...place, from, to, middle: middle < 0 ? to : Math.max(from, middle) });
    }
    return stretches;
  }

  async function read(place: TopicPartition, from: number, to: number): Promise<void> {
    for (let next = from; next < to; ) {
      const scanned = await readOn(place, next);
      for (const run of scanned.runs) records.push(...found(place, run));
      if (scanned.problem !== null) throw new PipelineError('log_halted', `${keyOf(place)}: ${scanned.problem}`);
      if (scanned.next === next) return; // nothing more can be seen, an open transaction for instance
      looked += Math.min(scanned.next, to) - next;
      next = scanned.next;
      onProgress(looked, total);
    }
  }

  async function readOn(place: TopicPartition, next: number) {
    const { leaders } = topics.known(place.topic) ?? (await topics.load(place.topic));
    const broker = await cluster.brokerPool.findBroker({ nodeId: leaders[place.partition] ?? -1 });
    const connection = await broker.connectionPool.getConnection(0);
    const head = { clientId, waitMsMax: 100, bytesMax: answerBytesMax, partitionBytesMax: answerBytesMax };
    const bytes = await sendBytes(connection, fetchApi, correlationId =>
      writeFetch({ correlationId, ...head }, [{ ...place, next }]),
    );
    const { code, partitions } = readFetched(bytes);
    const part = partitions[0];
    const refused = code === 0 ? (part?.code ?? 0) : code;
    if (refused !== 0) throw errorOfReading(refused, keyOf(place)).error;
    if (part === undefined)
      throw new PipelineError('log_unavailable', `${keyOf(place)}: the broker says nothing of it`);
    return scanRecords(part.records, { next, aborted: part.aborted });
  }

  function found(place: TopicPartition, { first, form, ndjson }: Run): KafkaRecord[] {
    const bytes = Buffer.from(ndjson.buffer, ndjson.byteOffset, ndjson.byteLength);
    if (!isOf.maybe(bytes)) return [];
    const bodies = form === undefined ? bytes.toString().split('\n').slice(0, -1) : [bytes.toString()];
    return bodies.flatMap((body, at) => (isOf.certainly(body) ? [{ ...place, offset: first + at, body }] : []));
  }
}

/** An edge writes ids in lower case; others may not. */
function matcherOf(id: string) {
  const spellings = [id.toLowerCase(), id.toUpperCase()];
  const field = new RegExp(`"event_id"\\s*:\\s*"${id}"`, 'i');
  return {
    maybe: (bytes: Buffer): boolean => spellings.some(text => bytes.includes(text)),
    certainly: (body: string): boolean => field.test(body),
  };
}
