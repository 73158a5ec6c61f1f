import { expect, test } from 'bun:test';
import { readAnswer, requestBytesMax, writeRequest } from '../../../../src/adapters/kafka/write/produce.ts';
import { measureRecord } from '../../../../src/adapters/kafka/write/record-batch.ts';
import { answerOf, readRequest } from '../../../support/kafka-driver.ts';

const decodeV7 = require('kafkajs/src/protocol/requests/produce/v7/response') as {
  decode(bytes: Buffer): Promise<{
    topics: { topicName: string; partitions: { partition: number; errorCode: number }[] }[];
  }>;
};

/** As Kafka 4.1.1 answered: two partitions of ugc.click, the second too large, ugc.page_view, and no topic ugc.päge. */
const recorded = Buffer.from(
  '0000000300097567632e636c69636b000000020000000000000000000000000000ffffffffffffffff000000000000000000000001000affffffff' +
    'ffffffffffffffffffffffffffffffffffffffff000d7567632e706167655f76696577000000010000000100000000000000000000ffffffffff' +
    'ffffff000000000000000000097567632e70c3a4676500000001000000000003ffffffffffffffffffffffffffffffffffffffffffffffff0000' +
    '0000',
  'hex',
);

test('an answer of a real broker is read, topic by topic and partition by partition', () => {
  expect(readAnswer(recorded)).toEqual([
    { topic: 'ugc.click', partition: 0, code: 0 },
    { topic: 'ugc.click', partition: 1, code: 10 },
    { topic: 'ugc.page_view', partition: 1, code: 0 },
    { topic: 'ugc.päge', partition: 0, code: 3 },
  ]);
});

test('an answer is read as kafkajs reads it', async () => {
  const { topics } = await decodeV7.decode(recorded);
  expect(
    topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode }) => ({ topic: topicName, partition, code: errorCode })),
    ),
  ).toEqual(readAnswer(recorded));
});

test('an answer cut short is an error, not fewer answers', () => {
  for (const length of [3, 10, 40, 90]) expect(() => readAnswer(recorded.subarray(0, length))).toThrow();
});

test('an answer of nothing is nothing', () => {
  expect(readAnswer(answerOf([]))).toEqual([]);
});

test('a request is what kafkajs reads, its topics grouped, within the room it was said to need', async () => {
  const atMs = 1_795_000_000_000;
  const record = (value: string) => measureRecord('ü💥', value, atMs);
  const parts = [
    { topic: 'ugc.click', partition: 2, records: [record('a'), record('b')] },
    { topic: 'ugc.päge', partition: 0, records: [record('ü')] },
    { topic: 'ugc.click', partition: 0, records: [record('c')] },
  ];
  const head = { correlationId: 7, clientId: 'ugc-ü', ackTimeoutMs: 1_000, compression: 'none' } as const;
  const room = Buffer.alloc(requestBytesMax(head.clientId, parts));
  const bytes = writeRequest(room, head, parts);
  expect(bytes.readInt32BE(8)).toBe(7);
  expect(await readRequest(bytes)).toEqual({
    clientId: 'ugc-ü',
    parts: [
      { topic: 'ugc.click', partition: 2, values: ['a', 'b'], times: [atMs, atMs] },
      { topic: 'ugc.click', partition: 0, values: ['c'], times: [atMs] },
      { topic: 'ugc.päge', partition: 0, values: ['ü'], times: [atMs] },
    ],
  });
});
