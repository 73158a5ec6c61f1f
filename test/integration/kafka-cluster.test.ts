// The cluster and the oracle that the chaos tests trust: brokers that can be killed, hung and started again one by one,
// proxies that clients cannot get around, and a reader that sees everything and finds what is wrong.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Kafka } from 'kafkajs';
import { isWithoutKafka, kafkaClient, makeTopics } from '../support/kafka.ts';
import { startCluster, type TestCluster } from '../support/kafka-cluster.ts';
import { compareWithKafka, readKafka, readRecord } from '../support/kafka-oracle.ts';
import { newLedger } from '../support/load.ts';
import { eventually } from '../support/ugc.ts';

const recordOf = (id: string, more: object = {}): string =>
  JSON.stringify({
    event_id: id,
    event_type: 'click',
    schema_version: 1,
    received_at: '2026-11-21T12:00:00.000Z',
    source: '',
    ip: '127.0.0.1',
    user_agent: 'test',
    user_id: null,
    ...more,
  });

describe.skipIf(await isWithoutKafka('own'))('three brokers', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stopForGood());

  const topic = async (name: string): Promise<string> => {
    const admin = kafkaClient(cluster.brokers, 10).admin();
    await admin.connect();
    await makeTopics(admin, { topic: name, numPartitions: 3, replicationFactor: 3 });
    await admin.disconnect();
    // One broker knows the leaders; the others hear of them a moment later, and a client may ask any.
    for (const broker of cluster.brokers) await eventually(() => isKnownTo(broker, name));
    return name;
  };
  const isKnownTo = async (broker: string, name: string): Promise<boolean> => {
    const admin = kafkaClient([broker], 10).admin();
    await admin.connect();
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      return topics.every(
        ({ partitions }) => partitions.length === 3 && partitions.every(({ isr }) => isr.length === 3),
      );
    } finally {
      await admin.disconnect();
    }
  };
  /** acks=all, to every partition, or an error. */
  const write = async (client: Kafka, name: string, ids: readonly string[]): Promise<void> => {
    const producer = client.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    try {
      const messages = ids.map((id, at) => ({ value: recordOf(id), partition: at % 3 }));
      await producer.send({ topic: name, acks: -1, timeout: 10_000, messages });
    } finally {
      await producer.disconnect();
    }
  };
  const idsOf = (prefix: string) => Array.from({ length: 30 }, (_, at) => `${prefix}-${at}`);
  const read = async (name: string) => [...(await readKafka(cluster.brokers, [name])).events.keys()].sort();

  test('take acks=all with one of them killed or hung, and have all of it when it is back', async () => {
    const name = await topic('one-of-three');
    const written: string[] = [];
    for (const [at, fault] of (['kill', 'stop'] as const).entries()) {
      const node = cluster.nodes[at]!;
      if (fault === 'kill') await node.kill();
      else node.stop();
      const others = cluster.brokers.filter(address => address !== node.address);
      // A client anew each time: kafkajs' own producer asks a broker that hangs again and again, and no other.
      await eventually(() => write(kafkaClient(others), name, idsOf(fault)).then(() => true));
      written.push(...idsOf(fault));
      await cluster.heal();
    }
    expect(await read(name)).toEqual(written.sort());
  });

  test('do not take acks=all with two of them gone, and do again when they are back', async () => {
    const name = await topic('two-of-three');
    await write(kafkaClient(cluster.brokers), name, idsOf('before'));
    await Promise.all(cluster.nodes.slice(1).map(({ kill }) => kill()));
    expect(await write(kafkaClient(cluster.brokers, 1), name, idsOf('lost')).catch(() => 'refused')).toBe('refused');
    await cluster.heal();
    await write(kafkaClient(cluster.brokers, 20), name, idsOf('after'));
    expect(await read(name)).toEqual(expect.arrayContaining([...idsOf('before'), ...idsOf('after')]));
  });

  test('are reached only through the proxies by who starts there', async () => {
    const name = await topic('proxied');
    const passed = () => cluster.nodes.map(({ proxy }) => proxy.passed());
    const before = passed();
    await write(kafkaClient(cluster.proxied), name, idsOf('through'));
    passed().forEach((bytes, at) => {
      expect(bytes - before[at]!).toBeGreaterThan(500); // three partitions, a leader each
    });
    for (const { proxy } of cluster.nodes) proxy.refuse();
    expect(await write(kafkaClient(cluster.proxied, 1), name, idsOf('cut')).catch(() => 'refused')).toBe('refused');
    await write(kafkaClient(cluster.brokers, 10), name, idsOf('direct'));
    for (const { proxy } of cluster.nodes) proxy.heal();
    const late = kafkaClient(cluster.proxied, 5);
    await eventually(async () => write(late, name, idsOf('healed')).then(() => true));
    expect(await read(name)).toEqual(
      expect.arrayContaining([...idsOf('through'), ...idsOf('direct'), ...idsOf('healed')]),
    );
  });

  test('are read back completely: what is lost, foreign, repeated or malformed is found', async () => {
    const name = await topic('oracle');
    const ledger = newLedger();
    const told = (id: string, times: number, outcome: 'acked' | 'rejected' | 'none', type = 'click') => {
      ledger.sent.set(id, times);
      if (outcome === 'acked') ledger.acked.set(id, type);
      if (outcome === 'rejected') ledger.rejected.add(id);
    };
    told('good', 1, 'acked');
    told('twice', 2, 'acked');
    told('repeated', 1, 'acked');
    told('lost', 1, 'acked');
    told('unanswered', 1, 'none');
    told('rejected', 1, 'rejected');
    told('other-type', 1, 'acked', 'page_view');
    told('unstored', 1, 'none');
    await write(kafkaClient(cluster.brokers), name, [
      ...['good', 'twice', 'twice', 'repeated', 'repeated', 'repeated'],
      ...['unanswered', 'rejected', 'other-type', 'never-sent'],
    ]);
    const contents = await readKafka(cluster.brokers, [name]);
    expect(contents).toMatchObject({ records: 10, types: { click: 7 }, malformed: [] });
    const finding = compareWithKafka(ledger, contents);
    expect({ ...finding, foreign: [...finding.foreign].sort() }).toEqual({
      acked: 5,
      records: 10,
      lost: ['lost'],
      foreign: ['never-sent', 'other-type', 'rejected'],
      malformed: [],
      repeated: 3,
      repeatedByUs: 2,
    });
  });

  test('are read back empty when nothing was written', async () => {
    expect(await readKafka(cluster.brokers, [await topic('empty')])).toMatchObject({ records: 0, malformed: [] });
  });
});

test('a record that is not as promised is malformed', () => {
  const wrongOf = (value: string | null, key: string | null = null) =>
    readRecord({
      value: value === null ? null : Buffer.from(value, 'latin1'),
      key: key === null ? null : Buffer.from(key),
    }).wrong;
  expect(wrongOf(recordOf('a'))).toBeNull();
  expect(wrongOf(recordOf('a', { user_id: 'u' }), 'u')).toBeNull();
  expect(wrongOf(recordOf('a', { anonymous_id: 'n' }), 'n')).toBeNull();
  expect(wrongOf(recordOf('a', { user_id: 'u' }))).toContain('key null');
  expect(wrongOf(recordOf('a'), 'u')).toContain('key u');
  expect(wrongOf(`${recordOf('a')}\n`)).toContain('line');
  expect(wrongOf(recordOf('a') + recordOf('b'))).toContain('JSON');
  expect(wrongOf('{"event_id":"a","source":""}')).toContain('begins with');
  expect(wrongOf('[1]')).toBe('no object');
  expect(wrongOf('\xff')).not.toBeNull();
  expect(wrongOf(null)).not.toBeNull();
});
