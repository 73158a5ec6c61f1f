// What goes wrong around Kafka, staged with real brokers: one command names the cause and the next step, and doctor itself
// leaves everything as it was.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { assertHelps, doctor } from '../support/doctor.ts';
import { exampleClick } from '../support/events.ts';
import { freePorts } from '../support/free-ports.ts';
import { kafkaClient } from '../support/kafka.ts';
import { type KafkaPair, startKafkaPair } from '../support/kafka-pair.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let kafka: KafkaPair;
let clickhouse: ClickhouseServer;
let settings: readonly string[];
let ugc: Ugc;
const dataDir = temporaryFolder();
const events = (count: number) => Array.from({ length: count }, () => ({ ...exampleClick, timestamp: Date.now() }));

beforeAll(async () => {
  const [port] = await freePorts(1);
  [kafka, clickhouse] = await Promise.all([startKafkaPair(), startClickhouseServer()]);
  settings = [
    `--data-dir=${dataDir}`,
    `--port=${port}`,
    `--kafka-brokers=${kafka.brokers.join(',')}`,
    `--clickhouse-url=${clickhouse.url}`,
    '--topic=ugc.{family}', // few topics: none of them is what this is about
    '--topic-replication=2',
    '--topic-partitions=2',
  ];
  ugc = await startUgc({ dataDir, flags: settings });
  await eventually(
    async () => ((await (await ugc.post(events(1)[0])).json()) as { stored: string }).stored === 'kafka',
    { what: 'an event in Kafka' },
  );
});
afterAll(async () => {
  ugc?.kill('SIGKILL');
  await Promise.all([kafka?.stopForGood(), clickhouse?.remove()]);
});

/** Topics, groups and where one stands that nobody moves, as Kafka has them: the instance moves its own. */
async function stateOfKafka() {
  const admin = kafkaClient(kafka.brokers, 5).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).toSorted();
    const { groups } = await admin.listGroups();
    const positions = await admin.fetchOffsets({ groupId: 'nobody', topics: ['ugc.film'] });
    return { topics, groups: groups.map(({ groupId }) => groupId).toSorted(), positions };
  } finally {
    await admin.disconnect();
  }
}

const rows = async (): Promise<number> => {
  const response = await fetch(clickhouse.url, { method: 'POST', body: 'SELECT count() FROM ugc.click' });
  return Number(await response.text());
};

test('all is well: exit code 0, and Kafka is as it was', async () => {
  await eventually(async () => (await rows()) > 0, { what: 'a row' });
  const before = await stateOfKafka();
  const found = await eventually(
    async () => {
      const told = await doctor(settings);
      return told.success ? told : null;
    },
    { what: 'nothing is wrong' },
  );
  expect(found.code).toBe(0);
  for (const id of ['kafka.reach', 'kafka.lag', 'clickhouse.reach', 'clickhouse.tables', 'instance.ready', 'etl.dead'])
    expect(found.of(id), id).toMatchObject([{ result: 'success' }]);
  expect(found.of('kafka.reach')[0]?.seen).toContain('2 brokers');
  expect(await stateOfKafka()).toEqual(before);
});

test('before a start: servers and rights, and no topic is made', async () => {
  const before = await stateOfKafka();
  const found = await doctor([...settings, '--before-start', '--topic=other.{event_type}']);
  expect(found.code).toBe(0);
  expect(found.of('kafka.topics')[0]?.seen).toContain('ugc makes them');
  expect(found.of('instance.answers')).toEqual([]);
  const forbidden = await doctor([...settings, '--before-start', '--topic=other.{event_type}', '--topic-create=false']);
  expect(forbidden.code).toBe(1);
  expect(forbidden.of('kafka.topics')).toMatchObject([{ result: 'error' }]);
  expect(await stateOfKafka()).toEqual(before);
});

test('a poison record: doctor counts it, dead says why, the others go on', async () => {
  const producer = kafkaClient(kafka.brokers, 5).producer();
  await producer.connect();
  await producer.send({ topic: 'ugc.film', messages: [{ value: '{"event_type":"click"' }] });
  await producer.disconnect();
  const already = await rows();
  await ugc.post(events(1)[0]);
  await eventually(async () => (await rows()) > already, { what: 'what came behind it is a row' });
  const [dead] = (await doctor(settings)).of('etl.dead');
  expect(dead).toMatchObject({ result: 'warning', seen: expect.stringContaining('1 record could not become a row') });
  await assertHelps(dead);
  const tables = [`--data-dir=${dataDir}`, `--clickhouse-url=${clickhouse.url}`];
  expect((await runUgc(['dead', 'ls', ...tables])).stdout).toContain('ugc.film/');
  expect((await runUgc(['dead', 'dismiss', '--topic=ugc.film', '--why=a test', ...tables])).code).toBe(0);
  expect((await doctor(settings)).of('etl.dead')).toMatchObject([{ result: 'success' }]);
});

test('a wrong password: who refused it, and which settings to look at', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'ca.pem'), kafka.secure.ca);
  const secure = [
    `--data-dir=${folder}`,
    `--kafka-brokers=${kafka.secure.brokers.join(',')}`,
    '--kafka-tls',
    `--kafka-tls-ca=${join(folder, 'ca.pem')}`,
    '--kafka-sasl=scram-sha-256',
    `--kafka-user=${kafka.secure.username}`,
    '--topic=ugc.{family}',
    '--before-start',
  ];
  const right = await doctor(secure, { UGC_KAFKA_PASSWORD: kafka.secure.password });
  expect(right.of('kafka.reach')).toMatchObject([{ result: 'success' }]);
  // Two days are left of what the broker shows.
  expect(right.of('door.served')).toMatchObject([
    { result: 'warning', seen: expect.stringContaining('expires in 1 day') },
  ]);
  const found = await doctor(secure, { UGC_KAFKA_PASSWORD: 'not-this-one' });
  expect(found.code).toBe(1);
  const [login] = found.of('kafka.login');
  expect(login).toMatchObject({ result: 'error', hint: expect.stringContaining('UGC_KAFKA_PASSWORD') });
  await assertHelps(login);
  expect(JSON.stringify(found.checks)).not.toContain('not-this-one');
});

test('the lag grows: ClickHouse hangs, and the group stands', async () => {
  clickhouse.freeze();
  const stopping = new AbortController();
  const sending = (async () => {
    while (!stopping.signal.aborted) await ugc.post(events(1_000));
  })();
  try {
    const found = await eventually(
      async () => {
        const told = await doctor(settings);
        return told.of('kafka.lag')[0]?.result === 'warning' ? told : null;
      },
      { what: 'the lag is seen to grow' },
    );
    const [lag] = found.of('kafka.lag');
    expect(lag?.seen).toContain('the lag grows');
    await assertHelps(lag);
    expect(found.of('clickhouse.reach')).toMatchObject([{ result: 'error' }]);
  } finally {
    stopping.abort();
    clickhouse.thaw();
    await sending;
  }
});

test('nobody moves: no process reads as the group', async () => {
  const before = await stateOfKafka();
  const found = await doctor([...settings, '--kafka-group=nobody']);
  const [group] = found.of('kafka.group');
  expect(group).toMatchObject({ result: 'error', seen: expect.stringContaining('no process reads as group nobody') });
  await assertHelps(group);
  expect(await stateOfKafka()).toEqual(before);
});

test('one broker is gone: replicas are not in sync, and all goes on', async () => {
  await kafka.second.kill();
  const found = await eventually(
    async () => {
      const told = await doctor(settings);
      const [check] = told.of('kafka.replication');
      return check?.seen.includes('not in sync') ? check : null;
    },
    { what: 'the missing replicas' },
  );
  expect(found.result).toBe('warning');
  await assertHelps(found);
  expect((await ugc.post(events(1)[0])).status).toBe(200);
});

test('Kafka is down: named by doctor and by the instance, events are taken, and it stays below ten seconds', async () => {
  await kafka.first.kill();
  expect((await ugc.post(events(1)[0])).status).toBe(200);
  const found = await eventually(
    async () => {
      await ugc.post(events(1)[0]); // the breaker opens by what it meets
      const told = await doctor(settings);
      return told.of('instance.kafka').length > 0 ? told : null;
    },
    { what: 'the instance knows it, too' },
  );
  expect(found.code).toBe(1);
  const [reach] = found.of('kafka.reach');
  expect(reach).toMatchObject({ result: 'error', follows: expect.stringContaining('disk buffer') });
  await assertHelps(reach);
  await assertHelps(found.of('instance.kafka')[0]);
  expect(found.of('instance.ready')).toMatchObject([{ result: 'success' }]);
  console.log(`doctor with Kafka down took ${found.tookMs} ms`);
});
