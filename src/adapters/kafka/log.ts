// Kafka as the log the edge writes to. kafkajs carries the bytes (driver.ts); grouping, batches and outcomes are ours.
// - an outcome is good when all replicas in sync have the record; nothing is tried again here, whoever calls has a disk
// - the same key goes to the same partition, where the Java client would put it; records without a key keep together, a
//   partition a call, so that they make large batches
// - topics must exist: nothing is created by writing to it
// - everything that waits is counted in bytes and has an end: a full queue, connecting and one request's time at most

import { PipelineError } from '../../errors.ts';
import type { Envelope, Log, Outcome } from '../../ports.ts';
import { dropConnection, openCluster } from './driver.ts';
import { errorOfKafka } from './error.ts';
import { kafkaLane, type Lane } from './lane.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from './options.ts';
import { partitionOf } from './partition.ts';
import { measureRecord, recordBytesMax } from './record-batch.ts';
import { type KnownTopic, kafkaTopics } from './topics.ts';

const stored: Outcome = { ok: true, stored: 'kafka' };

export function kafkaLog(given: KafkaLogOptions): Log {
  const options = { ...kafkaLogDefaults, ...given };
  const address = options.brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, options.metadataAgeMsMax);
  const lanes = new Map<number, Lane>();
  let queuedBytes = 0;
  let turn = 0;
  let closed: Promise<void> | undefined;
  let onEmpty = () => {};

  function laneOf(node: number): Lane {
    let lane = lanes.get(node);
    if (lane === undefined) {
      lane = kafkaLane({ ...options, cluster, topics, node });
      lanes.set(node, lane);
    }
    return lane;
  }

  function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    return new Promise(resolve => {
      const outcomes: Outcome[] = Array(envelopes.length);
      let open = envelopes.length;
      if (open === 0) resolve(outcomes);
      const sticky = turn++;
      envelopes.forEach((envelope, index) => {
        place(envelope, sticky, error => {
          outcomes[index] = error === null ? stored : { ok: false, error };
          if (--open === 0) resolve(outcomes);
        });
      });
    });
  }

  function place(envelope: Envelope, sticky: number, done: (error: PipelineError | null) => void): void {
    if (closed !== undefined) {
      done(new PipelineError('shutting_down'));
      return;
    }
    const record = measureRecord(envelope.key, envelope.body, envelope.receivedAtMs);
    const bytes = recordBytesMax(record);
    if (queuedBytes > 0 && queuedBytes + bytes > options.queueBytesMax) {
      done(new PipelineError('log_unavailable', `${queuedBytes} bytes already wait for Kafka at ${address}`));
      return;
    }
    queuedBytes += bytes;
    const settle = (error: PipelineError | null) => {
      queuedBytes -= bytes;
      done(error);
      if (queuedBytes === 0) onEmpty();
    };
    const route = ({ topic, leaders }: KnownTopic) => {
      const partition = record.key === null ? stickyOf(leaders, sticky) : partitionOf(record.key, leaders.length);
      const node = leaders[partition]!;
      if (node < 0) {
        topics.doubt(topic);
        settle(new PipelineError('log_unavailable', `partition ${partition} of ${topic} has no leader now`));
      } else laneOf(node).add(topic, partition, { ...record, settle });
    };
    const known = topics.known(envelope.topic);
    if (known !== undefined) route(known);
    else
      topics
        .load(envelope.topic)
        .then(route, (error: unknown) => settle(errorOfKafka(error, 'before sending', address)));
  }

  async function end(): Promise<void> {
    if (queuedBytes > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      for (const lane of lanes.values()) lane.hurry();
      const timer = setTimeout(resolve, options.closeMsMax);
      await promise;
      clearTimeout(timer);
    }
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
