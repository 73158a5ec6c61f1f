// The Kafka source under the mover: each record of a topic ends as a row or as a dead letter, once, whatever comes between.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { kafkaSource } from '../../src/adapters/kafka/read/source.ts';
import { type MemorySink, memorySink } from '../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../src/errors.ts';
import { type Mover, startMover } from '../../src/mover/loop.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { kafkaClient, makeTopics, startKafka, type TestKafka } from '../support/kafka.ts';
import { stamped } from '../support/kafka-source.ts';
import { versionOne } from '../support/list-source.ts';
import { moverMetrics, quietLogger } from '../support/quiet.ts';
import { eventually } from '../support/ugc.ts';

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stopForGood());

const startOn = (sink: SinkWithDeadLetters, topics: readonly string[], groupId = 'mover'): Mover =>
  startMover({
    source: kafkaSource({
      brokers: kafka.brokers,
      clientId: 'ugc',
      groupId,
      topics,
      logger: quietLogger,
      sessionTimeoutMs: 6_000,
    }),
    sink,
    deadLetters: sink,
    types: versionOne('page_view', 'click'),
    judge: () => ({ ok: false, reason: 'unknown_type', detail: 'nobody knows it' }),
    blockRowsMax: 500,
    blockBytesMax: 100_000,
    intervalMs: 10,
    graceMs: 1_000,
    logger: quietLogger,
    metrics: moverMetrics,
  });

test('ClickHouse#7259, clickhouse_sinker#123: movers that come and go, two at a time, leave each record a row or a dead letter, and no lag', async () => {
  const client = kafkaClient(kafka.brokers, 10);
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await makeTopics(admin, { topic: 'moved', numPartitions: 4 });
  const bodies = Array.from({ length: 4_000 }, (_, at) => stamped(at, at % 3 === 0 ? 'click' : 'page_view'));
  const foreign = ['{"a":1}', '{\n}', null];
  const stored = memorySink();
  // The sink outlives the movers.
  const sink: SinkWithDeadLetters = { ...stored, close: async () => {} };

  const first = startOn(sink, ['moved']);
  for (let at = 0; at < bodies.length; at += 500) {
    const values = [...bodies.slice(at, at + 500), ...(at === 1_000 ? foreign : [])];
    await producer.send({ topic: 'moved', messages: values.map((value, key) => ({ key: `${key}`, value })) });
    if (at === 1_500) {
      const second = startOn(sink, ['moved']);
      await eventually(() => stored.rows('click').size > 300);
      await second.stop();
    }
  }
  const third = startOn(sink, ['moved']);
  await first.stop();
  const wanted = (type: string) => bodies.filter(body => body.includes(`"${type}"`)).toSorted();
  for (const type of ['click', 'page_view'])
    await eventually(() => stored.rows(type).size === wanted(type).length, { what: `all of ${type}` });
  await eventually(async () => {
    const [committed] = await admin.fetchOffsets({ groupId: 'mover', topics: ['moved'] });
    return (
      committed!.partitions.reduce((sum, { offset }) => sum + Number(offset), 0) === bodies.length + foreign.length
    );
  });
  await third.stop();
  const letters = stored.letters().map(({ raw }) => Buffer.from(raw).toString());
  expect(letters.toSorted()).toEqual(['', '{\n}', '{"a":1}']);
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

test('two movers in one process, each with a group and a sink of its own, each move everything', async () => {
  const client = kafkaClient(kafka.brokers, 10);
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await makeTopics(admin, { topic: 'twice', numPartitions: 2 });
  const sinks = [memorySink(), memorySink()];
  const movers = sinks.map((sink, at) => startOn(sink, ['twice'], `mover-${at}`));
  sinks[0]!.halt('click', new PipelineError('sink_halted', 'no such table'));
  const bodies = Array.from({ length: 200 }, (_, at) => stamped(at, at % 2 === 0 ? 'click' : 'page_view'));
  await producer.send({ topic: 'twice', messages: bodies.map((value, key) => ({ key: `${key}`, value })) });
  const rowsOf = (sink: MemorySink) => sink.rows('click').size + sink.rows('page_view').size;
  await eventually(() => rowsOf(sinks[1]!) === 200, { what: 'the one that is not halted has all' });
  await eventually(() => sinks[0]!.rows('page_view').size === 100);
  expect(sinks[0]!.rows('click').size).toBe(0);
  sinks[0]!.resume('click');
  await eventually(() => rowsOf(sinks[0]!) === 200, { what: 'the other has all' });
  await Promise.all(movers.map(mover => mover.stop()));
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});
