// Kafka as the log the edge writes to. kafkajs carries the bytes (driver.ts); grouping, batches and outcomes are ours.
// - an outcome is good when all replicas in sync have the record; nothing is tried again here, the caller has a disk
// - the same key goes to the same partition, where the Java client would put it; records without a key keep together, a
//   partition a call, so that they make large batches
// - topics must exist: nothing is created by writing to it
// - everything that waits is counted in bytes and has an end: a full queue, connecting and one request's time at most

import { PipelineError } from '../../../errors.ts';
import { type Envelope, type Log, type Outcome, outcomesAs } from '../../../ports/log.ts';
import { gather } from '../../../process/gather.ts';
import { waitingBytes } from '../../../process/waiting-bytes.ts';
import { openCluster } from '../connect/cluster.ts';
import { dropConnection } from '../connect/driver.ts';
import { errorOfKafka, unled } from '../connect/error.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from '../connect/options.ts';
import { type KnownTopic, kafkaTopics } from '../connect/topics.ts';
import { type Call, type NodeQueue, nodeQueue, type QueuedRecord } from './node-queue.ts';
import { partitionOf } from './partition.ts';
import { keyBytesOf, recordBytesMax } from './record-batch.ts';

/** A leader may have been found meanwhile. */
const leaderlessAgeMs = 500;

const outcomeOf = outcomesAs('kafka');

export function kafkaLog(given: KafkaLogOptions): Log {
  const options = { ...kafkaLogDefaults, ...given };
  const address = options.brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, options.metadataAgeMsMax);
  const queues = new Map<number, NodeQueue>();
  const queued = waitingBytes(options.queueBytesMax);
  let turn = 0;
  let closed: Promise<void> | undefined;

  function queueOf(node: number): NodeQueue {
    let queue = queues.get(node);
    if (queue === undefined) {
      queue = nodeQueue({ ...options, cluster, topics, node });
      queues.set(node, queue);
    }
    return queue;
  }

  function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    return gather<Outcome>(envelopes.length, settle => {
      const call: Call = {
        settle(record, error) {
          settle(record.index, outcomeOf(error));
          queued.remove(recordBytesMax(record));
        },
      };
      const sticky = turn++;
      const atMs = performance.now();
      for (let index = 0; index < envelopes.length; index++) {
        const { topic, key, body: value, receivedAtMs: timestampMs, traceparent } = envelopes[index]!;
        const [keyBytes, valueBytes] = [keyBytesOf(key), Buffer.byteLength(value)];
        const record: QueuedRecord = { key, keyBytes, value, valueBytes, timestampMs, traceparent, call, index };
        const error = refusalOf(record);
        if (error !== null) {
          settle(index, outcomeOf(error));
          continue;
        }
        queued.add(recordBytesMax(record));
        const known = topics.known(topic, atMs);
        if (known !== undefined) route(known, sticky, record);
        else
          topics.load(topic).then(
            loaded => route(loaded, sticky, record),
            (thrown: unknown) => call.settle(record, errorOfKafka(thrown, 'before sending', address)),
          );
      }
    });
  }

  function refusalOf(record: QueuedRecord): PipelineError | null {
    if (closed !== undefined) return new PipelineError('shutting_down');
    if (queued.fits(recordBytesMax(record))) return null;
    return new PipelineError('log_unavailable', `${queued.bytes} bytes already wait for Kafka at ${address}`);
  }

  function route({ topic, leaders }: KnownTopic, sticky: number, record: QueuedRecord): void {
    const partition = record.key === null ? stickyOf(leaders, sticky) : partitionOf(record.key, leaders.length);
    const node = leaders[partition]!;
    if (node >= 0) {
      queueOf(node).add(topic, partition, record);
      return;
    }
    // Asked again, but no oftener than a moment: the others of the topic are known well enough.
    topics.refresh(topic, leaderlessAgeMs);
    record.call.settle(record, unled({ topic, partition }));
  }

  async function end(): Promise<void> {
    for (const queue of queues.values()) queue.hurry();
    await queued.whenNone(options.closeMsMax);
    const { brokers, seedBroker } = cluster.brokerPool;
    for (const broker of new Set([...Object.values(brokers), seedBroker]))
      for (const connection of broker?.connectionPool.pool ?? [])
        dropConnection(connection, new PipelineError('shutting_down'));
  }

  return { publish, close: () => (closed ??= end()) };
}

/** Of the partitions that can be written to, the one whose turn it is. */
function stickyOf(leaders: readonly number[], turn: number): number {
  for (let step = 0; step < leaders.length; step++) {
    const partition = (turn + step) % leaders.length;
    if (leaders[partition]! >= 0) return partition;
  }
  return 0;
}
