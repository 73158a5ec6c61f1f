// The Kafka source against a real broker, alone in its group: what it reads, where it begins, what it survives.

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { CompressionTypes } from 'kafkajs';
import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import { kafkaLog } from '../../src/adapters/kafka/write/log.ts';
import type { Compression } from '../../src/adapters/kafka/write/record-batch.ts';
import { kafkaClient, makeTopics } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { kafkaJars } from '../support/kafka-jars.ts';
import {
  bytesMax,
  commitAll,
  countOf,
  linesOf,
  namesOf,
  nothingPaused,
  read,
  stamped,
} from '../support/kafka-source.ts';
import { eventually } from '../support/until.ts';

const own = kafkaInTest();
const { sources, newName, newTopic, committed } = own;

const send = (topic: string, values: readonly (string | Buffer | null)[], more: object = {}) =>
  own.producer.send({ topic, messages: values.map(value => ({ value, partition: 0 })), ...more });
const names = (count: number, prefix = 'e'): string[] => Array.from({ length: count }, (_, at) => prefix + at);

test.each(['none', 'gzip', 'zstd'] satisfies Compression[])(
  'what the edge wrote (%s) comes as it was, by partition and type',
  async compression => {
    const topic = newName();
    const options = { brokers: own.kafka.brokers, clientId: 'ugc', compression, requestTimeoutMs: 30_000 };
    await ensureTopics(options, [topic], { partitions: 3, replicas: 1 });
    const log = kafkaLog(options);
    const bodies = names(300).map(name => stamped(name));
    const outcomes = await log.publish(
      bodies.map((body, at) => ({
        id: `${at}`,
        type: 'page_view',
        version: 1,
        topic,
        key: `k${at}`,
        body,
        receivedAtMs: 1_795_000_000_000 + at,
      })),
    );
    await log.close();
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    const batches = await read(sources.open(newName(), [topic]), 300);
    expect(batches.flatMap(linesOf).toSorted()).toEqual(bodies.toSorted());
    for (const { type, first, last, count } of batches) expect([type, last - first + 1]).toEqual(['page_view', count]);
    expect(Math.min(...batches.map(({ oldestAtMs }) => oldestAtMs))).toBe(1_795_000_000_000);
    expect(new Set(batches.map(({ partition }) => partition)).size).toBe(3);
  },
);

test('what a plain producer wrote comes too, compressed or not; only the edge’s stamp gives a type', async () => {
  const topic = await newTopic();
  const foreign = [
    '{"event_id":"0190b3f0-0000-7000-8000-000000000000","event_type":"click"}',
    '{"a":1}',
    '',
    'no json',
  ];
  await send(topic, [stamped('a'), ...foreign]);
  await send(topic, [stamped('b', 'click'), stamped('c', 'click')], { compression: CompressionTypes.GZIP });
  const batches = await read(sources.open(newName(), [topic]), 7);
  expect(batches.map(({ type, first, last, form }) => [type, first, last, form])).toEqual([
    ['page_view', 0, 0, undefined],
    [null, 1, 4, undefined],
    ['click', 5, 6, undefined],
  ]);
  expect(linesOf(batches[1]!)).toEqual(foreign);
});

// What a Java producer compresses is what a Java producer reads; ours have to be shown on its bytes.
test.skipIf(Bun.which('java') === null).each(['snappy', 'lz4', 'zstd', 'gzip'])(
  'what a Java producer compressed with %s is read',
  async compression => {
    const topic = await newTopic();
    const bodies = names(400).map(name => stamped(name + 'é'.repeat(100)));
    const jars = await kafkaJars();
    if ('missing' in jars) throw new Error(jars.missing);
    const script = join(import.meta.dir, '../support/java/Produce.java');
    const java = Bun.spawn(
      ['java', '-Dfile.encoding=UTF-8', '-cp', `${jars.jars}/*`, script, own.kafka.brokers[0]!, topic, compression],
      { stdin: Buffer.from(`${bodies.join('\n')}\n`), stdout: 'ignore', stderr: 'ignore' },
    );
    expect(await java.exited).toBe(0);
    const batches = await read(sources.open(newName(), [topic]), 400);
    expect(batches.flatMap(linesOf)).toEqual(bodies);
    expect(new Set(batches.map(({ type }) => type))).toEqual(new Set(['page_view']));
  },
);

test('a value that is no line, and no value, come alone and whole', async () => {
  const topic = await newTopic();
  const binary = Buffer.from([0, 255, 10, 13, 10, 200]);
  await send(topic, [stamped('a'), '{\n"x":1}', null, binary, stamped('b'), Buffer.from([0xff, 0xfe])]);
  const batches = await read(sources.open(newName(), [topic]), 6);
  expect(batches.map(({ first, last, form, ndjson }) => [first, last, form, form && Buffer.from(ndjson)])).toEqual([
    [0, 0, undefined, undefined],
    [1, 1, 'raw', Buffer.from('{\n"x":1}')],
    [2, 2, 'null', Buffer.alloc(0)],
    [3, 3, 'raw', binary],
    [4, 4, undefined, undefined],
    [5, 5, undefined, undefined],
  ]);
  expect(Buffer.from(batches[5]!.ndjson)).toEqual(Buffer.from([0xff, 0xfe, 10]));
});

test('it begins at what was committed, and only commit moves that', async () => {
  const [topic, group] = [await newTopic(), newName()];
  await send(
    topic,
    names(4).map(name => stamped(name)),
  );
  await send(
    topic,
    names(4, 'f').map(name => stamped(name, 'click')),
  );
  const first = sources.open(group, [topic]);
  const batches = await read(first, 8);
  await first.commit(batches[0]!.ack);
  expect(first.lag()).toEqual(new Map([[topic, 4]]));
  expect(await committed(group, topic)).toEqual([4]);
  await first.close();
  const second = sources.open(group, [topic]);
  expect(namesOf(await read(second, 4))).toEqual(names(4, 'f'));
});

test('commits that come together go together, of each partition its last', async () => {
  const [topic, group] = [await newTopic(5), newName()];
  const messages = Array.from({ length: 50 }, (_, at) => ({ value: stamped(at), partition: at % 5 }));
  await own.producer.send({ topic, messages });
  const source = sources.open(group, [topic]);
  await commitAll(source, await read(source, 50));
  const [offsets] = await own.admin.fetchOffsets({ groupId: group, topics: [topic] });
  expect(offsets!.partitions.map(({ offset }) => offset)).toEqual(['10', '10', '10', '10', '10']);
  expect(source.lag()).toEqual(new Map([[topic, 0]]));
});

test('a poll takes what it asked for, and what is read ahead is bounded', async () => {
  const topic = await newTopic();
  const value = stamped('x'.repeat(10_000));
  for (let request = 0; request < 8; request++) await send(topic, Array(50).fill(value));
  const source = sources.open(newName(), [topic], { partitionBytesMax: 200_000, fetchBytesMax: 200_000 });
  let count = 0;
  while (count < 400) {
    const batches = await source.poll({ paused: nothingPaused, bytesMax: 600_000 }, AbortSignal.timeout(90_000));
    const bytes = batches.reduce((sum, { ndjson }) => sum + ndjson.length, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(Math.max(600_000, batches[0]!.ndjson.length));
    count += countOf(batches);
  }
  expect(count).toBe(400);
});

test('a record is polled as soon as it is there, and an aborted poll ends empty', async () => {
  const topic = await newTopic();
  // A broker that waited this long before it answers, and did not answer with a first byte, would let it wait as well.
  const fetchWaitMs = 20_000;
  const source = sources.open(newName(), [topic], { fetchWaitMs, requestTimeoutMs: 30_000 });
  await send(topic, [stamped('first')]);
  await read(source, 1);
  const took: number[] = [];
  for (let round = 0; round < 10; round++) {
    const polled = read(source, 1);
    const sentAt = performance.now();
    await send(topic, [stamped(round)]);
    await polled;
    took.push(performance.now() - sentAt);
  }
  expect(took.toSorted((a, b) => a - b)[5]).toBeLessThan(fetchWaitMs / 4);
  expect(await source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(20))).toEqual([]);
});

test('topics and partitions that come later are read, and a missing one stops nobody', async () => {
  const [there, later] = [await newTopic(), newName()];
  await send(there, [stamped('a')]);
  const source = sources.open(newName(), [later, there]);
  expect(namesOf(await read(source, 1))).toEqual(['a']);
  await makeTopics(own.admin, { topic: later, numPartitions: 1 });
  await send(later, [stamped('b')]);
  expect(namesOf(await read(source, 1))).toEqual(['b']);
  await own.admin.createPartitions({ topicPartitions: [{ topic: there, count: 2 }] });
  // kafkajs drops what is for a partition it has not heard of, and calls it sent.
  await eventually(async () => {
    const { topics } = await own.admin.fetchTopicMetadata({ topics: [there] });
    return topics[0]!.partitions.length === 2;
  });
  const knowing = kafkaClient(own.kafka.brokers, 10).producer(); // the other one has not heard of it
  await knowing.connect();
  await knowing.send({ topic: there, messages: [{ value: stamped('c'), partition: 1 }] });
  await knowing.disconnect();
  expect(namesOf(await read(source, 1))).toEqual(['c']);
  expect(source.problem()).toBeNull();
});

test('where new partitions begin is not asked behind a broker that waits for records', async () => {
  const quiet = await newTopic();
  const later = [newName(), newName()];
  const source = sources.open(newName(), [quiet, ...later], { fetchWaitMs: 5_000, requestTimeoutMs: 30_000 });
  await send(quiet, ['begun']);
  await commitAll(source, await read(source, 1));
  // From now on it is asked for more of this, and the broker waits.
  const partitions = [0, 1, 2, 3, 4, 5];
  await ensureTopics({ brokers: own.kafka.brokers, clientId: 'ugc', requestTimeoutMs: 30_000 }, later, {
    partitions: partitions.length,
    replicas: 1,
  });
  for (const topic of later)
    await own.producer.send({
      topic,
      messages: partitions.map(partition => ({ value: `${topic}/${partition}`, partition })),
    });
  // Twelve questions: a minute, were each of them to wait for such an answer.
  const batches = await read(source, later.length * partitions.length, { msMax: 40_000 });
  const sent = later.flatMap(topic => partitions.map(partition => `${topic}/${partition}`));
  expect(batches.flatMap(linesOf).toSorted()).toEqual(sent.toSorted());
});
