// Kafka as a broker of the bench.

import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import { kafkaLog } from '../../src/adapters/kafka/write/log.ts';
import { startKafka, type TestKafka } from '../../test/support/kafka.ts';
import { kafkaJars } from '../../test/support/kafka-jars.ts';
import { cpuUs } from '../process.ts';
import { type BenchBroker, type Broker, partitions } from './broker.ts';
import { jarsOf, serverFlags } from './java.ts';

export const kafkaAs = (kafka: TestKafka): Broker => ({
  title: 'Kafka',
  stored: 'kafka',
  env: (topic, group) => ({
    UGC_KAFKA_BROKERS: kafka.brokers.join(','),
    UGC_KAFKA_GROUP: group,
    UGC_TOPIC: topic,
    UGC_TOPIC_PARTITIONS: `${partitions}`,
  }),
  us: () => (kafka.pid() === null ? Number.NaN : cpuUs(kafka.pid()!)),
  kill: kafka.kill,
  restart: kafka.restart,
  stopForGood: kafka.stopForGood,
});

export async function startKafkaBroker(): Promise<BenchBroker> {
  const kafka = await startKafka({ flags: serverFlags });
  const connection = { brokers: kafka.brokers, clientId: 'bench', requestTimeoutMs: 60_000 };
  return {
    ...kafkaAs(kafka),
    ensureTopics: topics => ensureTopics(connection, topics, { partitions, replicas: 1 }),
    backlog: 200_000,
    openLog: () => kafkaLog(connection),
    peers: [
      {
        title: 'Java, kafka-clients, acks=all',
        main: 'KafkaPeer',
        jars: jarsOf(await kafkaJars()),
        args: topics => [kafka.brokers.join(','), topics.join(',')],
      },
    ],
  };
}
