// The Kafka source where a topic is not the log it was: deleted and made again while it is read, or while nobody reads,
// or of another cluster. A position belongs to one log, and each record of the new one is to be seen.

import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCluster } from '../../src/adapters/kafka/connect/cluster.ts';
import { dropBroker, dropCluster, openCoordinator } from '../../src/adapters/kafka/connect/driver.ts';
import { freePorts } from '../support/free-ports.ts';
import { javaForKafka, kafkaClient, makeTopics, newClusterId } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { kafkaNode } from '../support/kafka-node.ts';
import { commitAll, namesOf, read, sourcesOf, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/until.ts';

const own = kafkaInTest();
const { sources, newName, newTopic, committed } = own;

const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => prefix + at);
/** To each partition in turn. */
const send = (topic: string, partitions: number, list: readonly string[]) =>
  own.producer.send({
    topic,
    messages: list.map((name, at) => ({ value: stamped(name), partition: at % partitions })),
  });

async function makeAnew(topic: string, numPartitions: number): Promise<void> {
  await own.admin.deleteTopics({ topics: [topic] });
  await makeTopics(own.admin, { topic, numPartitions });
}

/** As the group has it, with what was said beside the offset. */
const positionOf = async (groupId: string, topic: string) =>
  (await own.admin.fetchOffsets({ groupId, topics: [topic] }))[0]!.partitions[0]!;

/** A position as it is committed, with what is said beside it, which kafkajs' admin leaves out. */
async function commitLate(groupId: string, topic: string, position: object): Promise<void> {
  const cluster = openCluster({
    brokers: own.kafka.brokers,
    clientId: 'late',
    connectionTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
  });
  const coordinator = (await openCoordinator(cluster, groupId)) as unknown as {
    offsetCommit(request: object): Promise<unknown>;
  };
  const topics = [{ topic, partitions: [position] }];
  await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics });
  dropBroker(coordinator as never, new Error('done'));
  dropCluster(cluster, new Error('done'));
}

/** Reads until each of these has come, whatever else does. */
async function readAll(source: Parameters<typeof read>[0], wanted: readonly string[]): Promise<void> {
  const seen = new Set<string>();
  while (!wanted.every(name => seen.has(name))) for (const name of namesOf(await read(source, 1))) seen.add(name);
}

test('a topic deleted and made again under the reader is read from its start, however long it has become', async () => {
  const [topic, group] = [await newTopic(2), newName()];
  const replaced: string[] = [];
  const source = sources.open(group, [topic], { onReplaced: name => void replaced.push(name) });
  await send(topic, 2, names(6, 'a'));
  await commitAll(source, await read(source, 6));
  await makeAnew(topic, 2);
  await send(topic, 2, names(40, 'b'));
  await readAll(source, names(40, 'b'));
  expect(replaced).toEqual([topic]);
  await eventually(() => source.lag().get(topic) !== undefined);
});

test('what was read of the old log moves no position of the new one', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const source = sources.open(group, [topic]);
  await send(topic, 1, names(8, 'a'));
  const old = await read(source, 8);
  await makeAnew(topic, 1);
  await send(topic, 1, names(3, 'b'));
  const fresh = await read(source, 3);
  expect(namesOf(fresh)).toEqual(names(3, 'b'));
  expect(old.map(batch => source.owns!(batch))).not.toContain(true);
  await commitAll(source, old);
  expect(await committed(group, topic)).toEqual([-1]);
  expect(source.lag().get(topic)).toBe(3);
  await commitAll(source, fresh);
  expect(await committed(group, topic)).toEqual([3]);
  expect(source.lag().get(topic)).toBe(0);
});

test('a topic made anew while nobody read, and a late commit of the old log: the new one is read from its start', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const first = sources.open(group, [topic]);
  await send(topic, 1, names(4, 'a'));
  await commitAll(first, await read(first, 4));
  const { offset, metadata } = await positionOf(group, topic);
  expect(offset).toBe('4');
  await first.close();
  await makeAnew(topic, 1);
  await send(topic, 1, names(20, 'b'));
  // Kafka forgets a deleted topic's positions; one on its way meanwhile, or a mirror, brings it back.
  await commitLate(group, topic, { partition: 0, offset, metadata });
  const replaced: string[] = [];
  const second = sources.open(group, [topic], { onReplaced: name => void replaced.push(name) });
  expect(namesOf(await read(second, 20))).toEqual(names(20, 'b'));
  expect(replaced).toEqual([topic]);
});

test('a position that does not say of which log it is, as an older ugc’s, is gone on from', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  await send(topic, 1, names(5, 'a'));
  await own.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '3' }] });
  const replaced: string[] = [];
  const source = sources.open(group, [topic], { onReplaced: name => void replaced.push(name) });
  const batches = await read(source, 2);
  expect(namesOf(batches)).toEqual(['a3', 'a4']);
  await commitAll(source, batches);
  expect((await positionOf(group, topic)).metadata).toMatch(/^log=[\w-]{22}@[\w-]+#\d+$/);
  expect(replaced).toEqual([]);
});

test('one that lies behind the end of the log is none: it is read from its start', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  await send(topic, 1, names(5, 'a'));
  await own.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '900' }] });
  expect(namesOf(await read(sources.open(group, [topic]), 5))).toEqual(names(5, 'a'));
});

test('a starting point is one of the log it was given for: it is kept from the start on, and forgotten with the log', async () => {
  const [topic, group] = [await newTopic(2), newName()];
  await send(topic, 2, names(10, 'a'));
  const from = { offsets: new Map([[`${topic}/0`, 3]]) };
  const first = sources.open(group, [topic], { from });
  expect(namesOf(await read(first, 2))).toEqual(['a6', 'a8']);
  // Where it began, also of the partition it has read nothing of: a restart must not begin at another end.
  await eventually(async () => Bun.deepEquals(await committed(group, topic), [3, 5]));
  await first.close();
  await send(topic, 2, names(4, 'b'));
  const second = sources.open(group, [topic], { from });
  expect(namesOf(await read(second, 6)).toSorted()).toEqual(['a6', 'a8', 'b0', 'b1', 'b2', 'b3']);
  await makeAnew(topic, 2);
  await send(topic, 2, names(20, 'c'));
  await readAll(second, names(20, 'c'));
});

test('another cluster under the same address: its log is read from its start', async () => {
  const java = await javaForKafka();
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-'));
  const [port, controller] = (await freePorts(2)) as [number, number];
  const nodeIn = (name: string) =>
    kafkaNode({
      java,
      folder: join(folder, name),
      clusterId: newClusterId(),
      id: 1,
      port,
      controllers: new Map([[1, `127.0.0.1:${controller}`]]),
    });
  const nodes = await Promise.all(['one', 'other'].map(nodeIn));
  const address = nodes[0]!.address;
  const elsewhere = sourcesOf(() => ({ brokers: [address] }));
  const [topic, group] = [newName(), newName()];
  const fill = async (list: readonly string[]) => {
    const client = kafkaClient([address], 10);
    const [admin, producer] = [client.admin(), client.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    await makeTopics(admin, { topic, numPartitions: 1 });
    await producer.send({ topic, messages: list.map(name => ({ value: stamped(name) })) });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  };
  try {
    await nodes[0]!.start();
    await nodes[0]!.ready();
    await fill(names(5, 'a'));
    const replaced: string[] = [];
    const source = elsewhere.open(group, [topic], { onReplaced: name => void replaced.push(name) });
    await commitAll(source, await read(source, 5));
    await nodes[0]!.kill();
    await nodes[1]!.start();
    await nodes[1]!.ready();
    await fill(names(30, 'b'));
    await readAll(source, names(30, 'b'));
    expect(replaced).toEqual([topic]);
  } finally {
    await elsewhere.closeAll();
    await Promise.all(nodes.map(node => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
});
