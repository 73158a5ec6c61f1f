// Wishes of flows in a real Kafka: the contract, and what only Kafka can do to them.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { kafkaFlowControl } from '../../src/adapters/kafka/read/flow-control.ts';
import { isWithoutKafka, kafkaClient, startKafka, type TestKafka } from '../support/kafka.ts';
import { quietLogger as logger } from '../support/quiet.ts';
import { until } from '../support/until.ts';
import { flowControlContract } from './flow-control.contract.ts';

const skip = await isWithoutKafka('own');
let kafka: TestKafka;
let topics = 0;
if (!skip) {
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka?.stopForGood());
}

const newTopic = (): string => `ugc.flow-control.${process.pid}.${++topics}`;
const open = (topic: string, more: { readonly create?: boolean } = {}) =>
  kafkaFlowControl({
    connection: { brokers: kafka.brokers, clientId: 'ugc-test', requestTimeoutMs: 5_000 },
    topic,
    replicas: 1,
    create: true,
    logger,
    ...more,
  });

const wish = { flow: 'tables', state: 'paused', by: 'a', at: '2026-11-21T12:00:00.000Z', why: 'b' } as const;

if (!skip)
  flowControlContract(
    'Kafka',
    async () => {
      const topic = newTopic();
      return {
        open: () => open(topic),
        async spoil() {
          const producer = kafkaClient(kafka.brokers, 10).producer();
          await producer.connect();
          const values = [
            null,
            '',
            'no JSON',
            '[]',
            '{"flow":"tables"}',
            '{"flow":"x","state":"paused"}',
            'a\nb',
            '\u0000',
          ];
          await producer.send({ topic, messages: values.map(value => ({ key: 'archive', value })) });
          await producer.disconnect();
        },
      };
    },
    { isOpenToOthers: true },
  );

test.skipIf(skip)('the topic is made by the first wish, compacted, of one partition', async () => {
  const topic = newTopic();
  const admin = kafkaClient(kafka.brokers, 10).admin();
  await admin.connect();
  const control = open(topic);
  await until(() => control.wishes() !== null, 'nothing wished');
  expect(await admin.listTopics()).not.toContain(topic);
  await control.wish(wish);
  const { topics: made } = await admin.fetchTopicMetadata({ topics: [topic] });
  expect(made[0]?.partitions.length).toBe(1);
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames: ['cleanup.policy'] }],
  });
  expect(described.resources[0]?.configEntries[0]?.configValue).toBe('compact');
  await control.close();
  await admin.disconnect();
});

test.skipIf(skip)('where it may not be made the wish is refused with the command to run', async () => {
  const control = open(newTopic(), { create: false });
  const refused = control.wish(wish);
  await expect(refused).rejects.toThrow('--config cleanup.policy=compact');
  await control.close();
});

test.skipIf(skip)(
  'while Kafka is away what was known counts; who comes meanwhile knows nothing until it is back',
  async () => {
    const topic = newTopic();
    const control = open(topic);
    await control.wish(wish);
    await until(() => control.wishes()?.size === 1, 'a wish heard');
    await kafka.kill();
    await until(() => control.away() !== null, 'away');
    expect(control.wishes()?.get('tables')?.state).toBe('paused');
    const later = open(topic);
    await until(() => later.away() !== null, 'away for the other, too');
    expect(later.wishes()).toBeNull();
    await kafka.restart();
    await until(() => later.wishes()?.size === 1 && control.away() === null, 'both know it again');
    await control.wish({ ...wish, state: 'running', at: '2026-11-21T12:00:01.000Z' });
    await until(() => later.wishes()?.get('tables')?.state === 'running', 'the next wish');
    await Promise.all([control.close(), later.close()]);
  },
);

test.skipIf(skip)('a topic that is deleted lets nothing run that was paused, and it is said', async () => {
  const topic = newTopic();
  const control = open(topic);
  await control.wish(wish);
  await until(() => control.wishes()?.size === 1, 'a wish heard');
  const admin = kafkaClient(kafka.brokers, 10).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await until(() => control.problem() !== null, 'said');
  expect(control.wishes()?.get('tables')?.state).toBe('paused');
  await admin.disconnect();
  await control.close();
});

test.skipIf(skip)(
  'a wish waits for the leader of its partition, which a broker that stood still gets back',
  async () => {
    const control = open(newTopic());
    await control.wish(wish);
    kafka.stop();
    await Bun.sleep(3_000); // its session is half as long (kafka-node.ts): it leads nothing until it has one again
    kafka.cont();
    await control.wish({ ...wish, state: 'running', at: '2026-11-21T12:00:01.000Z' });
    await until(() => control.wishes()?.get('tables')?.state === 'running', 'the wish');
    await control.close();
  },
);
