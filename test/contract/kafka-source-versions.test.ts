// A rolling deployment on a real Kafka: two movers of one group, the older of which meets what a newer edge wrote.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { assign } from '../../src/adapters/kafka/read/assign.ts';
import { kafkaSource } from '../../src/adapters/kafka/read/source.ts';
import { memorySink } from '../../src/adapters/memory/sink.ts';
import { type Mover, startMover } from '../../src/mover/loop.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { kafkaClient, makeTopics, startKafka, type TestKafka } from '../support/kafka.ts';
import { stamped } from '../support/kafka-source.ts';
import { moverMetrics, quietLogger } from '../support/quiet.ts';
import { eventually } from '../support/ugc.ts';

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stopForGood());

const topic = 'rolling';

/** A mover that knows this version; it upgrades nothing but the version itself. */
const moverOf = (version: number, sink: SinkWithDeadLetters): Mover =>
  startMover({
    source: kafkaSource({
      brokers: kafka.brokers,
      clientId: 'ugc',
      groupId: 'rolling',
      topics: [topic],
      logger: quietLogger,
      sessionTimeoutMs: 6_000,
    }),
    sink,
    deadLetters: sink,
    types: new Map([['page_view', version]]),
    judge: ({ value }) => {
      const body = Buffer.from(value!).toString().replace('_version":1', `_version":${version}`);
      return { ok: true, type: 'page_view', id: '', body };
    },
    blockRowsMax: 500,
    blockBytesMax: 100_000,
    intervalMs: 10,
    graceMs: 1_000,
    logger: quietLogger,
    metrics: moverMetrics,
  });

test('what a newer edge wrote waits for the newer mover, in the partition it is in, and nothing is lost or buried', async () => {
  const client = kafkaClient(kafka.brokers, 10);
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await makeTopics(admin, { topic, numPartitions: 2 });
  const places = [0, 1].map(partition => ({ topic, partition }));
  const members = [
    { id: 'old', topics: [topic], owned: places, generation: 1 },
    { id: 'new', topics: [topic], owned: [], generation: -1 },
  ];
  const [toNew] = assign(members, new Map([[topic, 2]])).get('new')!;
  const moves = toNew!.partition;
  const stays = 1 - moves;

  let sent = 0;
  const send = async (partition: number, version: number, count = 10): Promise<void> => {
    const values = Array.from({ length: count }, () => stamped(++sent).replace('_version":1', `_version":${version}`));
    await producer.send({ topic, messages: values.map(value => ({ partition, value })) });
  };
  const stored = memorySink();
  const sink: SinkWithDeadLetters = { ...stored, close: async () => {} }; // it outlives the movers
  const rows = (version?: number): number =>
    [...stored.rows('page_view').values()].filter(row => version === undefined || row.schema_version === version)
      .length;

  const old = moverOf(1, sink);
  await send(moves, 1);
  await send(stays, 1);
  await eventually(() => rows() === 20, { what: 'the old one reads both partitions' });
  await send(moves, 2);
  await send(moves, 1);
  await eventually(() => old.halted().size === 1, { what: 'it waits' });
  expect([...old.halted().values()]).toEqual([expect.stringContaining('this one knows 1: upgrade this one')]);
  expect(rows(2)).toBe(0);

  const next = moverOf(2, sink);
  await eventually(() => rows() === 40, { what: 'the newer one has read what waited, and what came behind it' });
  expect(rows(2)).toBeGreaterThanOrEqual(10);
  await eventually(() => old.halted().size === 0, { what: 'the old one reads on' });
  await send(stays, 1);
  await eventually(() => rows() === 50, { what: 'it does' });

  await send(stays, 2);
  await send(stays, 1);
  await eventually(() => old.halted().size === 1, { what: 'it waits again' });
  await old.stop();
  await eventually(() => rows() === sent, { what: 'the newer one has everything' });
  await eventually(async () => {
    const [committed] = await admin.fetchOffsets({ groupId: 'rolling', topics: [topic] });
    return committed!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0) === sent;
  });
  await next.stop();
  expect(stored.letters()).toEqual([]);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});
