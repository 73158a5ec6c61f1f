import { expect, test } from 'bun:test';
import type { Cluster } from '../../../../src/adapters/kafka/connect/driver.ts';
import { kafkaFetcher } from '../../../../src/adapters/kafka/read/fetcher.ts';
import { type Partitions, partitionsOf } from '../../../../src/adapters/kafka/read/partitions.ts';
import {
  batchOverheadBytes,
  measureRecord,
  recordBytesMax,
  writeBatch,
} from '../../../../src/adapters/kafka/write/record-batch.ts';
import { type Troubles, troublesOf } from '../../../../src/process/troubles.ts';
import { namesOf, stamped } from '../../../support/kafka-source.ts';
import { quietLogger } from '../../../support/quiet.ts';
import { until } from '../../../support/until.ts';

const topic = 't';
const known = { topic, leaders: [1, 1], epochs: [-1, -1], log: { topicId: null, clusterId: null } };

/** Records at these offsets, one batch. */
function batchOf(names: readonly string[], base = 0): Buffer {
  const records = names.map(name => measureRecord(null, stamped(name), 0));
  const buffer = Buffer.alloc(records.reduce((sum, record) => sum + recordBytesMax(record), batchOverheadBytes));
  const bytes = buffer.subarray(0, writeBatch(buffer, 0, records));
  bytes.writeInt32BE(base, 4);
  return bytes;
}

/** An answer to Fetch, version 10. */
function answerOf(parts: readonly { readonly partition: number; readonly records: Buffer }[]): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt32BE(parts.length, 10);
  const bodies = parts.map(({ partition, records }) => {
    const part = Buffer.alloc(2 + topic.length + 4 + 38);
    part.writeInt16BE(topic.length, 0);
    part.write(topic, 2);
    part.writeInt32BE(1, 3);
    part.writeInt32BE(partition, 7);
    part.writeInt32BE(-1, 37); // no aborted transactions
    part.writeInt32BE(records.length, 41);
    return Buffer.concat([part, records]);
  });
  return Buffer.concat([head, ...bodies]);
}

/** A broker that answers each partition with what its log has from the offset asked for; null = it says nothing of it. */
function clusterOf(log: ReadonlyMap<number, (next: number) => Buffer | null>): { cluster: Cluster; asked: number[] } {
  const asked: number[] = [];
  const answer = (request: Buffer): Buffer => {
    const parts: { partition: number; records: Buffer }[] = [];
    // Behind the head, whose client id has one letter: one entry a partition.
    for (let at = 44, left = request.readInt32BE(40); left > 0; left--, at += 2 + topic.length + 32) {
      const partition = request.readInt32BE(at + 7);
      asked.push(partition);
      const records = log.get(partition)!(Number(request.readBigInt64BE(at + 15)));
      if (records !== null) parts.push({ partition, records });
    }
    return answerOf(parts);
  };
  const written: Buffer[] = [];
  const connection = {
    connectionStatus: 'connected',
    authenticate: async () => {},
    socket: { write: (bytes: Buffer) => written.push(bytes) },
    nextCorrelationId: () => 1,
    requestQueue: {
      push(request: { entry: { resolve(answer: { payload: Buffer }): void }; sendRequest(): void }) {
        request.sendRequest();
        const bytes = written.at(-1)!;
        setTimeout(() => request.entry.resolve({ payload: answer(bytes) }), 1);
      },
    },
  };
  const broker = {
    brokerAddress: 'b:1',
    connectionPool: { pool: [connection], getConnection: async () => connection },
  };
  return { cluster: { brokerPool: { brokers: {}, findBroker: async () => broker } } as unknown as Cluster, asked };
}

const fetcherOf = (cluster: Cluster, partitions: Partitions, troubles: Troubles) =>
  kafkaFetcher({
    cluster,
    clientId: 'u',
    topics: {
      known: () => known,
      load: async () => known,
      refresh: () => {},
      doubt: () => {},
      doubtLeader: () => {},
    },
    partitions,
    troubles,
    fetchWaitMs: 10,
    fetchBytesMax: 1_000_000,
    partitionBytesMax: 1_000_000,
    readAheadBytesMax: 1_000_000,
    paused: () => new Set(),
    onReady: () => {},
    onPassed: () => {},
    onOutOfRange: () => {},
    onDoubt: () => {},
  });

test('a damaged batch is said and never passed, other partitions go on, and it is read once it is sound', async () => {
  let isDamaged = true;
  const { cluster, asked } = clusterOf(
    new Map([
      [
        0,
        next => {
          const bad = batchOf(['c', 'd'], 2);
          if (isDamaged) bad.writeUInt8(bad.readUInt8(100) ^ 1, 100);
          return next === 0 ? Buffer.concat([batchOf(['a', 'b']), bad]) : next === 2 ? bad : Buffer.alloc(0);
        },
      ],
      [1, next => (next < 5 ? batchOf([`other${next}`], next) : Buffer.alloc(0))],
    ]),
  );
  const partitions = partitionsOf();
  const places = [0, 1].map(partition => ({ topic, partition }));
  partitions.assign(places, false);
  for (const owned of partitions.all()) partitions.begin(owned, 0);
  const troubles = troublesOf({ name: 'kafka', title: 'Kafka', logger: quietLogger });
  const fetcher = fetcherOf(cluster, partitions, troubles);
  const startedAt = performance.now();
  fetcher.schedule();
  await until(() => partitions.find(places[1]!)!.next === 5, 'the other partition is read to its end');
  expect(troubles.problem()).toMatch(/t\/0: a damaged batch \(wrong checksum\) at offset 2; it is not passed/);
  expect(partitions.find(places[0]!)).toMatchObject({ next: 2, finished: 0 });
  const tries = asked.filter(partition => partition === 0).length;
  expect(tries).toBeLessThanOrEqual(1 + (performance.now() - startedAt) / 1_000); // not again before its pause is over
  isDamaged = false;
  await until(() => partitions.find(places[0]!)!.next === 4, 'the damaged partition is read again');
  fetcher.close();
  expect(troubles.problem()).toBeNull();
  const polled = partitions.take({ paused: new Set(), bytesMax: 1_000_000 });
  expect(namesOf(polled.filter(({ partition }) => partition === 0))).toEqual(['a', 'b', 'c', 'd']);
});

test('a partition the answer leaves out is said, asked for again in its time, and read once it is told of', async () => {
  let isLeftOut = true;
  const { cluster, asked } = clusterOf(
    new Map([
      [0, next => (isLeftOut ? null : next === 0 ? batchOf(['a']) : Buffer.alloc(0))],
      [1, next => (next === 0 ? batchOf(['b']) : Buffer.alloc(0))],
    ]),
  );
  const partitions = partitionsOf();
  const places = [0, 1].map(partition => ({ topic, partition }));
  partitions.assign(places, false);
  for (const owned of partitions.all()) partitions.begin(owned, 0);
  const troubles = troublesOf({ name: 'kafka', title: 'Kafka', logger: quietLogger });
  const fetcher = fetcherOf(cluster, partitions, troubles);
  const startedAt = performance.now();
  fetcher.schedule();
  await until(() => partitions.find(places[1]!)!.next === 1, 'the other partition is read');
  expect(troubles.problem()).toBe('t/0: b:1 was asked for its records and says nothing of it');
  expect(partitions.lag()).toEqual(new Map());
  const tries = asked.filter(partition => partition === 0).length;
  expect(tries).toBeLessThanOrEqual(1 + (performance.now() - startedAt) / 1_000);
  isLeftOut = false;
  await until(() => partitions.find(places[0]!)!.next === 1, 'it is read');
  fetcher.close();
  expect(troubles.problem()).toBeNull();
});
