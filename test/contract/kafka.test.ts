import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { zstdDecompressSync } from 'node:zlib';
import { CompressionCodecs, CompressionTypes, logLevel } from 'kafkajs';
import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import type { KafkaLogOptions } from '../../src/adapters/kafka/connect/options.ts';
import { kafkaLog } from '../../src/adapters/kafka/write/log.ts';
import type { Envelope, Log } from '../../src/ports/log.ts';
import { envelope, envelopes, idOf } from '../support/buffer.ts';
import { kafkaClient, makeTopics, startKafka, type TestKafka } from '../support/kafka.ts';
import { kafkajsAsPublished, timersSetIn } from '../support/kafkajs-as-published.ts';
import { until } from '../support/until.ts';
import { logContract } from './log.contract.ts';

CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress: async (bytes: Buffer) => zstdDecompressSync(bytes) });

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stopForGood());

const shape = { partitions: 3, replicas: 1 };
/** For what is to be given up. */
const requestTimeoutMs = 700;
let topics = 0;

/** A topic of the test's own, and a log. */
async function opened(more: Partial<KafkaLogOptions> = {}): Promise<{ log: Log; topic: string }> {
  const topic = `t.${process.pid}.${++topics}`;
  const options = { brokers: kafka.brokers, clientId: 'ugc', requestTimeoutMs: 30_000, ...more };
  await ensureTopics(options, [topic], shape);
  return { log: kafkaLog(options), topic };
}

interface Read {
  readonly key: string | null;
  readonly body: string;
  readonly partition: number;
  readonly timestamp: number;
}

/** All records of a topic, by a plain consumer; waits for `count`. */
async function readTopics(names: readonly string[], count: number): Promise<Read[]> {
  const consumer = kafkaClient(kafka.brokers, 50).consumer({
    groupId: `test-${crypto.randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  const read: Read[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...names], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message: { key, value, timestamp } }) => {
        const body = value!.toString();
        read.push({ key: key?.toString() ?? null, body, partition, timestamp: Number(timestamp) });
      },
    });
    await until(() => read.length >= count, `${count} records of ${names}, ${read.length} so far`);
  } finally {
    await consumer.disconnect();
  }
  return read;
}

const on = (topic: string, list: readonly Envelope[]): Envelope[] => list.map(each => ({ ...each, topic }));
const codes = (outcomes: Awaited<ReturnType<Log['publish']>>): string[] =>
  outcomes.map(outcome => (outcome.ok ? outcome.stored : outcome.error.code));

// The contract's envelopes name their topics themselves, so each test has topics of a prefix of its own.
logContract('kafka', async () => {
  const prefix = `c.${process.pid}.${++topics}.`;
  const options = { brokers: kafka.brokers, clientId: 'ugc', requestTimeoutMs: 30_000 };
  const names = ['ugc.click', 'ugc.page_view'].map(name => prefix + name);
  await ensureTopics(options, names, shape);
  const log = kafkaLog(options);
  return {
    log: {
      publish: list => log.publish(list.map(each => ({ ...each, topic: prefix + each.topic }))),
      close: () => log.close(),
    },
    stored: 'kafka',
    readBack: async () => (await readTopics(names, 5)).map(({ body }) => idOf(body)),
    dispose: () => log.close(),
  };
});

describe('a plain consumer', () => {
  test('reads the bodies and keys that were published, each once, a user always from one partition', async () => {
    const { log, topic } = await opened();
    const keys = ['u1', 'u2', 'ü💥', '', null];
    const sent = envelopes(2_000).map((each, index) => ({
      ...each,
      topic,
      key: keys[index % keys.length]!,
      body: JSON.stringify({ event_id: each.id, text: 'aé💥'.repeat(index % 50) }),
      receivedAtMs: each.receivedAtMs + index,
    }));
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, call) => log.publish(sent.slice(call * 50, call * 50 + 50))),
    );
    expect(outcomes.flat()).toEqual(Array(2_000).fill({ ok: true, stored: 'kafka' }));
    const read = await readTopics([topic], 2_000);
    const row = ({ body, key, timestamp }: Omit<Read, 'partition'>) => [body, key, timestamp].join('|');
    expect(read.map(row).sort()).toEqual(sent.map(each => row({ ...each, timestamp: each.receivedAtMs })).sort());
    for (const key of keys.filter(key => key !== null))
      expect(new Set(read.filter(each => each.key === key).map(({ partition }) => partition)).size).toBe(1);
    expect(new Set(read.map(({ partition }) => partition)).size).toBe(3);
    await log.close();
  });

  test('reads what was compressed, if it has the codec', async () => {
    for (const compression of ['gzip', 'zstd'] as const) {
      const { log, topic } = await opened({ compression });
      const sent = on(topic, envelopes(300));
      expect(codes(await log.publish(sent))).toEqual(Array(300).fill('kafka'));
      const read = await readTopics([topic], 300);
      expect(read.map(({ body }) => body).sort()).toEqual(sent.map(({ body }) => body).sort());
      await log.close();
    }
  });

  test('finds a user where kafkajs’ own producer puts it', async () => {
    const { log, topic } = await opened();
    const producer = kafkaClient(kafka.brokers, 10).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const ids = Array.from({ length: 30 }, (_, index) => `user-${index}`);
    await producer.send({ topic, messages: ids.map(key => ({ key, value: 'theirs' })) });
    await producer.disconnect();
    expect(codes(await log.publish(ids.map(key => ({ ...envelope(key), topic, key }))))).toEqual(
      Array(30).fill('kafka'),
    );
    const read = await readTopics([topic], 60);
    for (const id of ids)
      expect(new Set(read.filter(({ key }) => key === id).map(({ partition }) => partition)).size).toBe(1);
    await log.close();
  });
});

describe('what Kafka refuses', () => {
  test('is refused for the one event that is too large, its neighbours are stored', async () => {
    const { log, topic } = await opened({ requestBytesMax: 8_000_000 });
    const list = on(topic, envelopes(20)).map(each => ({ ...each, key: 'same' }));
    list[7] = { ...list[7]!, body: JSON.stringify({ event_id: 'e7', text: 'x'.repeat(1_100_000) }) };
    const outcomes = await log.publish(list);
    expect(codes(outcomes)).toEqual(list.map((_, index) => (index === 7 ? 'log_refused' : 'kafka')));
    expect(outcomes[7]).toMatchObject({ error: { message: expect.stringContaining('max.message.bytes') } });
    expect((await readTopics([topic], 19)).map(({ body }) => idOf(body)).sort()).toEqual(
      list.flatMap(({ id }, index) => (index === 7 ? [] : [id])).sort(),
    );
    await log.close();
  });

  test('a topic that does not exist is named, another topic in the same call is stored, and none is created', async () => {
    const { log, topic } = await opened();
    const outcomes = await log.publish([envelope('a'), { ...envelope('b'), topic }, envelope('c')]);
    expect(codes(outcomes)).toEqual(['log_halted', 'kafka', 'log_halted']);
    expect(outcomes[0]).toMatchObject({ error: { message: expect.stringContaining('ugc.click') } });
    const admin = kafkaClient(kafka.brokers).admin();
    await admin.connect();
    expect(await admin.listTopics()).not.toContain('ugc.click');
    await admin.disconnect();
    await log.close();
  });

  test('topics that cannot be created are named with the command that creates them', async () => {
    const options = { brokers: kafka.brokers, clientId: 'ugc' };
    const failed = ensureTopics(options, ['never'], { partitions: 4, replicas: 3 }).catch(error => error);
    expect(await failed).toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining(
        `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --create --if-not-exists --topic never --partitions 4 --replication-factor 3`,
      ),
    });
  });
});

test('an edge whose clock is hours ahead of the broker’s stores its events all the same, each once', async () => {
  const topic = `t.${process.pid}.${++topics}`;
  const admin = kafkaClient(kafka.brokers, 10).admin();
  await admin.connect();
  const configEntries = [{ name: 'message.timestamp.after.max.ms', value: '3600000' }]; // Kafka 4's own
  await makeTopics(admin, { topic, numPartitions: 1, configEntries });
  await admin.disconnect();
  const log = kafkaLog({ brokers: kafka.brokers, clientId: 'ugc', requestTimeoutMs: 30_000 });
  const now = Date.now();
  const sent = on(topic, envelopes(6)).map((each, at) => ({
    ...each,
    receivedAtMs: at < 3 ? now : now + 7_200_000,
  }));
  expect(codes(await log.publish(sent))).toEqual(Array(6).fill('kafka'));
  await log.close();
  const read = await readTopics([topic], 6);
  expect(read.map(({ body }) => body).sort()).toEqual(sent.map(({ body }) => body).sort());
});

test('partitions that a topic has grown are written to', async () => {
  const { log, topic } = await opened({ metadataAgeMsMax: 100 });
  const admin = kafkaClient(kafka.brokers, 10).admin();
  await admin.connect();
  expect(codes(await log.publish(on(topic, envelopes(2))))).toEqual(['kafka', 'kafka']);
  await admin.createPartitions({ topicPartitions: [{ topic, count: shape.partitions + 1 }] });
  await until(async () => {
    await log.publish([{ ...envelope('more'), topic, key: null }]);
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.some(({ partition, high }) => partition === shape.partitions && Number(high) > 0);
  }, 'the new partition has records');
  await Promise.all([admin.disconnect(), log.close()]);
});

describe('what waits', () => {
  test('is bounded in bytes: what is over it is said at once not to be stored', async () => {
    const { log, topic } = await opened({ queueBytesMax: 1_000 });
    const outcomes = codes(await log.publish(on(topic, envelopes(30))));
    expect(outcomes.filter(code => code === 'kafka').length).toBeGreaterThan(3);
    expect(outcomes.at(-1)).toBe('log_unavailable');
    expect(codes(await log.publish(on(topic, envelopes(2))))).toEqual(['kafka', 'kafka']);
    await log.close();
  });

  test('is stored before close resolves', async () => {
    const { log, topic } = await opened();
    const published = log.publish(on(topic, envelopes(500)));
    await log.close();
    expect(codes(await published)).toEqual(Array(500).fill('kafka'));
  });
});

describe('a broker that', () => {
  test('was never there fails at once, and is used when it comes', async () => {
    const { log, topic } = await opened();
    await kafka.kill();
    const startedAt = performance.now();
    expect(codes(await log.publish([{ ...envelope('a'), topic }]))).toEqual(['log_unavailable']);
    expect(performance.now() - startedAt).toBeLessThan(10_000); // a third of what a request may take
    await kafka.restart();
    await until(async () => codes(await log.publish([{ ...envelope('b'), topic }]))[0] === 'kafka', 'stored');
    await log.close();
  });

  test('is killed under load loses nothing it acked, and is used again when it is back', async () => {
    const { log, topic } = await opened({ requestTimeoutMs });
    const acked: string[] = [];
    const failures = new Set<string>();
    let isOver = false;
    let slowestMs = 0;
    let sent = 0;
    const writer = async () => {
      while (!isOver) {
        const list = on(topic, envelopes(5, 'click', `w${sent++}-`));
        const startedAt = performance.now();
        const outcomes = await log.publish(list);
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        outcomes.forEach((outcome, index) => {
          if (outcome.ok) acked.push(list[index]!.id);
          else failures.add(outcome.error.code);
        });
        await Bun.sleep(1);
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    await until(() => acked.length > 500, 'some are acked');
    await kafka.kill();
    const before = acked.length;
    await until(() => failures.size > 0, 'it fails');
    await kafka.restart();
    await until(() => acked.length > before + 500, 'it is used again');
    isOver = true;
    await Promise.all(writers);
    await log.close();
    for (const code of failures) expect(['log_unavailable', 'log_unknown']).toContain(code);
    // Connecting and one request, and as much again to spare; not as long as it is dead.
    expect(slowestMs).toBeLessThan(3 * (1_000 + requestTimeoutMs));
    const ids = new Set((await readTopics([topic], acked.length)).map(({ body }) => idOf(body)));
    expect(acked.filter(id => !ids.has(id))).toEqual([]);
  });

  test('hangs leaves an unknown outcome after the timeout, what waited was not sent, and it recovers', async () => {
    const { log, topic } = await opened({ inFlightMax: 1, requestRecordsMax: 1, requestTimeoutMs });
    expect(codes(await log.publish([{ ...envelope('before'), topic }]))).toEqual(['kafka']);
    const others = Array.from({ length: 40 }, (_, index) => `${topic}.${index}`);
    kafka.stop();
    try {
      const startedAt = performance.now();
      // One record a request, one request at a time: the second can only wait.
      expect(codes(await log.publish(on(topic, [envelope('in-flight'), envelope('waiting')])))).toEqual([
        'log_unknown',
        'log_unavailable',
      ]);
      expect(performance.now() - startedAt).toBeGreaterThan(requestTimeoutMs - 1);
      const againAt = performance.now();
      const many = [topic, ...others].map(each => ({ ...envelope('still'), topic: each }));
      expect(codes(await log.publish(many))).toEqual(Array(41).fill('log_unavailable'));
      expect(performance.now() - againAt).toBeLessThan(20 * requestTimeoutMs); // not one after the other
    } finally {
      kafka.cont();
    }
    await until(async () => codes(await log.publish([{ ...envelope('after'), topic }]))[0] === 'kafka', 'stored');
    await log.close();
    const ids = (await readTopics([topic], 3)).map(({ body }) => idOf(body));
    expect(ids).toContain('before');
    expect(ids).toContain('after');
    expect(ids).not.toContain('waiting');
  });
});

test('an idle connection sets no timer; kafkajs as published wakes up for ever', async () => {
  const { log, topic } = await opened();
  expect(codes(await log.publish([{ ...envelope('a'), topic }]))).toEqual(['kafka']);
  const ours = await timersSetIn(1_000);
  await log.close();
  expect(ours).toBe(0);

  const { Kafka } = require(kafkajsAsPublished()) as typeof import('kafkajs');
  const theirs = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).producer();
  await theirs.connect();
  await theirs.send({ topic, messages: [{ value: 'b' }] });
  await until(async () => (await timersSetIn(1_000)) > 5, 'timers of the library as published');
  await theirs.disconnect();
});
