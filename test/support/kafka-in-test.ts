// What every file of tests against a real Kafka has: a broker from its first test to its last, an admin and a producer as
// another team would have them, sources that are closed when their test is over, names that are nobody else's.

import { afterAll, afterEach, beforeAll } from 'bun:test';
import type { Admin, ITopicConfig, Producer } from 'kafkajs';
import { type KafkaOptions, kafkaClient, makeTopics, startKafka, type TestKafka } from './kafka.ts';
import { sourcesOf } from './kafka-source.ts';

type Settings = NonNullable<ITopicConfig['configEntries']>;

export interface KafkaInTest {
  /** These are there from the first test on. */
  readonly kafka: TestKafka;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly sources: ReturnType<typeof sourcesOf>;
  newName(): string;
  newTopic(partitions?: number, settings?: Settings): Promise<string>;
  /** Next offsets to read by partition, −1 where nothing is committed. */
  committed(groupId: string, topic: string): Promise<number[]>;
}

/** To be called once in a file. */
export function kafkaInTest(options: KafkaOptions = {}): KafkaInTest {
  let kafka: TestKafka;
  let admin: Admin;
  let producer: Producer;
  let names = 0;
  beforeAll(async () => {
    kafka = await startKafka(options);
    admin = kafkaClient(kafka.brokers, 10).admin();
    producer = kafkaClient(kafka.brokers, 10).producer();
    await Promise.all([admin.connect(), producer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await kafka?.stopForGood();
  });
  const sources = sourcesOf(() => ({ brokers: kafka.brokers }));
  afterEach(() => sources.closeAll());
  const newName = (): string => `t.${process.pid}.${++names}`;
  return {
    get kafka() {
      return kafka;
    },
    get admin() {
      return admin;
    },
    get producer() {
      return producer;
    },
    sources,
    newName,
    async newTopic(numPartitions = 1, configEntries: Settings = []) {
      const topic = newName();
      await makeTopics(admin, { topic, numPartitions, configEntries });
      return topic;
    },
    committed: async (groupId, topic) =>
      (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]!.partitions
        .toSorted((a, b) => a.partition - b.partition)
        .map(({ offset }) => Number(offset)),
  };
}
