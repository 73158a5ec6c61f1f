import { expect, test } from 'bun:test';
import { KafkaJSConnectionError } from 'kafkajs';
import { kafkaLogDefaults } from '../../../../src/adapters/kafka/connect/options.ts';
import { kafkaTopics } from '../../../../src/adapters/kafka/connect/topics.ts';
import type { PipelineError } from '../../../../src/errors.ts';
import { fakeKafka } from '../../../support/kafka-driver.ts';
import { until } from '../../../support/until.ts';

const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

function opened(ageMsMax = 60_000) {
  const kafka = fakeKafka();
  return { kafka, topics: kafkaTopics(kafka.cluster, 'fake:9092', ageMsMax) };
}
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'known',
    (error: PipelineError) => error.code,
  );

test('a topic is asked for once, however many ask at the same time, and then known', async () => {
  const { kafka, topics } = opened();
  kafka.topics = () => [3, 1, -1];
  expect(topics.known('a')).toBeUndefined();
  const found = await Promise.all([topics.load('a'), topics.load('a'), topics.load('a')]);
  for (const each of found) expect(each).toMatchObject({ topic: 'a', leaders: [3, 1, -1] });
  expect(topics.known('a')?.leaders).toEqual([3, 1, -1]);
  expect(kafka.asked).toEqual(['a']);
});

test('one question at a time, each for one topic; one that is not there costs the others nothing', async () => {
  const { kafka, topics } = opened();
  let underWay = 0;
  let most = 0;
  kafka.topics = async topic => {
    most = Math.max(most, ++underWay);
    await Bun.sleep(1);
    underWay--;
    if (topic === 'missing') throw createErrorFromCode(3);
    return [1];
  };
  const asked = ['a', 'missing', 'b'].map(topic => codeOf(topics.load(topic)));
  expect(await Promise.all(asked)).toEqual(['known', 'log_halted', 'known']);
  expect(most).toBe(1);
  expect(topics.known('missing')).toBeUndefined();
  kafka.topics = () => [1];
  expect(await codeOf(topics.load('missing'))).toBe('known');
});

test('a broker that cannot be asked fails everybody who waits at once, and the next who asks tries again', async () => {
  const { kafka, topics } = opened();
  kafka.topics = async () => {
    await Bun.sleep(5);
    throw new KafkaJSConnectionError('Connection timeout', { broker: 'fake:9092' });
  };
  const asked = ['a', 'b', 'c', 'd'].map(topic => codeOf(topics.load(topic)));
  expect(await Promise.all(asked)).toEqual(Array(4).fill('log_unavailable'));
  expect(kafka.asked).toEqual(['a']);
  kafka.topics = () => [1];
  expect(await codeOf(topics.load('b'))).toBe('known');
  expect(kafka.asked).toEqual(['a', 'b']);
});

test('what is doubted is not known any more: a topic, or all that a node leads', async () => {
  const { kafka, topics } = opened();
  const leaders: Record<string, number[]> = { a: [1, 2], b: [2, 2], c: [3] };
  kafka.topics = topic => leaders[topic]!;
  const load = () => Promise.all(Object.keys(leaders).map(topic => topics.load(topic)));
  const known = () => Object.keys(leaders).filter(topic => topics.known(topic) !== undefined);
  await load();
  topics.doubt('a');
  expect(known()).toEqual(['b', 'c']);
  await load();
  topics.doubtLeader(2);
  expect(known()).toEqual(['c']);
});

test('what is old is good enough for now and asked for again behind the back of who needs it', async () => {
  const { kafka, topics } = opened(0);
  await topics.load('a');
  kafka.topics = () => [2];
  await until(() => topics.known('a') !== undefined && kafka.asked.length > 1, 'it is old');
  await until(() => topics.known('a')?.leaders[0] === 2, 'it is known anew');
  kafka.topics = () => Promise.reject(new KafkaJSConnectionError('gone', { broker: 'fake:9092' }));
  const asked = kafka.asked.length;
  await until(() => topics.known('a') !== undefined && kafka.asked.length > asked, 'it is asked again');
  expect(topics.known('a')?.leaders).toEqual([2]);
});

test('an answer that leaves the topic out says nothing of it: neither that it is there nor that it is not', async () => {
  const { kafka, topics } = opened();
  kafka.answers = () => [
    { topic: 'other', topicId: null, code: 0, partitionMetadata: [{ partitionId: 0, leader: 1 }] },
  ];
  const error = await topics.load('a').catch((thrown: PipelineError) => thrown);
  expect(error).toMatchObject({ code: 'log_unavailable', message: 'fake:9092 says nothing of topic a' });
  expect(topics.known('a')).toBeUndefined();
});

test('a partition the answer leaves out has no leader, and one without a leader costs the others nothing', async () => {
  const { kafka, topics } = opened();
  const partitionMetadata = [
    { partitionId: 2, leader: 1 },
    { partitionId: 0, leader: -1 },
  ];
  kafka.answers = topic => [{ topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', code: 0, partitionMetadata }];
  expect(await topics.load('a')).toMatchObject({
    leaders: [-1, -1, 1],
    log: { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', clusterId: null },
  });
});

test('the writer hears of new partitions within a minute', () => {
  expect(kafkaLogDefaults.metadataAgeMsMax).toBeLessThanOrEqual(60_000);
});
