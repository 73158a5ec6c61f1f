// The Kafka source where offsets have gaps: transactions, compaction, retention.

import { expect, test } from 'bun:test';
import { ackOf } from '../../src/adapters/kafka/read/partitions.ts';
import type { PositionedBatch } from '../../src/ports/source.ts';
import { kafkaClient } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { commitAll, namesOf, read, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/ugc.ts';

const own = kafkaInTest({
  properties: {
    'transaction.state.log.min.isr': '1',
    'log.cleaner.enable': 'true',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.cleaner.backoff.ms': '100',
  },
});
const { sources, newName, newTopic, committed } = own;

const send = (topic: string, values: readonly string[]) =>
  own.producer.send({ topic, messages: values.map(value => ({ value, partition: 0 })) });
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `e${at}`);

test('what an aborted transaction wrote never comes, and the position passes its markers', async () => {
  const [topic, group] = [await newTopic(), newName()];
  const writer = kafkaClient(own.kafka.brokers, 10).producer({
    transactionalId: newName(),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await writer.connect();
  for (const [name, ends] of [
    ['kept', 'commit'],
    ['aborted', 'abort'],
    ['kept too', 'commit'],
    ['aborted too', 'abort'],
  ] as const) {
    const transaction = await eventually(() => writer.transaction());
    await transaction.send({ topic, messages: [{ value: stamped(name) }, { value: stamped(name) }] });
    await transaction[ends]();
  }
  await writer.disconnect();
  const source = sources.open(group, [topic]);
  const batches = await read(source, 4);
  expect(namesOf(batches)).toEqual(['kept', 'kept', 'kept too', 'kept too']);
  await commitAll(source, batches);
  // Four transactions of two records and a marker, the last of them skipped altogether.
  await eventually(async () => (await committed(group, topic))[0] === 12);
  await eventually(() => source.lag().get(topic) === 0);
});

test('offsets that compaction has emptied are passed', async () => {
  const topic = await newTopic(1, [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'segment.ms', value: '100' },
    { name: 'min.cleanable.dirty.ratio', value: '0.001' },
  ]);
  const put = (key: string) => own.producer.send({ topic, messages: [{ key, value: stamped(key) }] });
  for (const key of ['a', 'b', 'a', 'a', 'c', 'a']) await put(key);
  const batches = await eventually(async () => {
    const [rolled] = await put('roll'); // segments are closed by what comes after them, and only closed ones are compacted
    const source = sources.open(newName(), [topic]);
    const got: PositionedBatch[] = [];
    while (!got.some(({ last }) => last >= Number(rolled!.baseOffset))) got.push(...(await read(source, 1)));
    await source.close();
    // One segment after the other: until all but the last `a` of those that are closed for certain are gone.
    return namesOf(got).slice(0, 3).join() === 'b,c,a' && got;
  });
  expect(batches.every(({ first, last, count }) => last - first + 1 === count)).toBe(true);
  expect(batches[0]!.first).toBe(1);
});

test('what retention has deleted unread is said to be missing, and the rest is read', async () => {
  const [topic, group] = [await newTopic(), newName()];
  await send(
    topic,
    names(10).map(name => stamped(name)),
  );
  const before = sources.open(group, [topic]);
  const [batch] = await read(before, 10);
  await before.commit(ackOf({ ...batch!, epoch: batch!.epoch!, last: 1 }));
  await before.close();
  await own.admin.fetchTopicMetadata({ topics: [topic] });
  await own.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
  const source = sources.open(group, [topic]);
  const batches = await read(source, 3);
  expect(namesOf(batches)).toEqual(['e7', 'e8', 'e9']);
  await commitAll(source, batches);
  expect(await committed(group, topic)).toEqual([10]);
});
