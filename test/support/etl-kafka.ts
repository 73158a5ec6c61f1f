// Kafka as the broker of the etl's chaos: one node behind a proxy, read and written with kafkajs as it is.

import type { Producer } from 'kafkajs';
import { controlTopic } from '../../schemas/topic.ts';
import { kafkaFlowControl } from '../../src/adapters/kafka/read/flow-control.ts';
import { nameOf } from '../../src/config/from.ts';
import type { EtlBroker, Value } from './etl-broker.ts';
import { brokerFaults } from './faults.ts';
import { kafkaClient } from './kafka.ts';
import { startCluster } from './kafka-cluster.ts';
import { behind, eachRecord } from './kafka-oracle.ts';
import { quietLogger as logger } from './quiet.ts';
import { type Random, seeded } from './random.ts';

const partitions = 3;
const sessionMs = 1_500;

export async function kafkaEtl(random: Random): Promise<EtlBroker> {
  const cluster = await startCluster({
    nodes: 1,
    random: seeded(random.seed + 1).next,
    properties: { 'group.min.session.timeout.ms': '1000' },
  });
  const { brokers } = cluster;
  const offsetsOf = (topic: string) => new Map(Array.from({ length: partitions }, (_, at) => [`${topic}/${at}`, 0]));
  const groupOf = (reading: number) => `again-${reading}`;
  let producer: Producer | null = null;
  const drop = async (): Promise<void> => {
    const last = producer;
    producer = null;
    await last?.disconnect().catch(() => {});
  };
  return {
    ...{ name: 'kafka', sessionMs },
    flags: [
      ...[`--kafka-brokers=${cluster.proxied.join(',')}`, '--kafka-request-timeout-ms=2000'],
      `--topic-partitions=${partitions}`,
    ],
    moving: [`--kafka-session-timeout-ms=${sessionMs}`],
    faults: brokerFaults(cluster, random),
    again: (topic, reading) => [
      `--from=${[...offsetsOf(topic)].map(([place, offset]) => `${place}=${offset}`).join()}`,
      `--kafka-group=${groupOf(reading)}`,
    ],
    async behind(topics, { topic, reading }) {
      const again = `${groupOf(reading)}-from-${nameOf({ offsets: offsetsOf(topic) })}`;
      const groups = new Map<string, readonly string[]>([
        ['ugc-etl', topics],
        [again, [topic]],
      ]);
      return [...(await behind(brokers, groups)).values()].reduce((sum, each) => sum + each);
    },
    eachRecord: (topics, take) =>
      eachRecord(brokers, topics, (topic, partition, { offset, value }) =>
        take(`${topic}/${partition}/${offset}`, value),
      ),
    async write(topic, values: readonly Value[]) {
      try {
        if (producer === null) {
          producer = kafkaClient(brokers).producer();
          await producer.connect();
        }
        await producer.send({ topic, messages: values.map(value => ({ value })) });
      } catch (error) {
        await drop();
        throw error;
      }
    },
    flows: () =>
      kafkaFlowControl({
        connection: { brokers, clientId: 'an-operator', requestTimeoutMs: 2_000 },
        ...{ topic: controlTopic('ugc.{event_type}'), replicas: 1, create: true, logger },
      }),
    heal: () => cluster.heal(),
    async close() {
      await drop();
      await cluster.stopForGood();
    },
  };
}
