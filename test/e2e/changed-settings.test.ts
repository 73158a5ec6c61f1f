// What was accepted under one setting, and the next start has another: every event still becomes its one row, or ugc says in
// words where it waits.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka, startKafka, type TestKafka } from '../support/kafka.ts';
import { metric } from '../support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let kafka: TestKafka;
const running: Ugc[] = [];

async function start(dataDir: string, ...flags: string[]): Promise<Ugc> {
  const ugc = await startUgc({ dataDir, flags: ['--request-log=false', '--topic-partitions=2', ...flags] });
  running.push(ugc);
  return ugc;
}

afterEach(async () => {
  for (const ugc of running.splice(0)) {
    ugc.kill('SIGKILL');
    await ugc.exited;
  }
});

const brokers = () => `--kafka-brokers=${kafka.brokers.join(',')}`;
const group = () => `--kafka-group=g${Bun.randomUUIDv7().slice(-8)}`;
const newPrefix = (): string => `t${Bun.randomUUIDv7().slice(-8)}`;
const topic = (prefix: string): string => `--topic=${prefix}.{event_type}`;

/** Posts so many, some of them twice; their ids. */
async function post(ugc: Ugc, count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, () => ({ ...exampleClick, event_id: Bun.randomUUIDv7() }));
  for (const part of [events, events.slice(0, 10)]) expect((await ugc.post(part)).status).toBe(200);
  return events.map(event => event.event_id);
}

async function expectRows(ugc: Ugc, ids: readonly string[]): Promise<void> {
  const read = () => ugc.query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.click ORDER BY id');
  await eventually(async () => (await read()).length >= ids.length, { what: 'every event is a row' });
  expect((await read()).map(({ id }) => id)).toEqual(ids.toSorted());
}

const problems = async (ugc: Ugc): Promise<Record<string, string>> => {
  const response = await fetch(`${ugc.url}/healthz/ready`);
  return ((await response.json()) as { detail: Record<string, string> }).detail;
};

describe.skipIf(await isWithoutKafka('own'))('events accepted before', () => {
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka?.stopForGood());

  test('another UGC_TOPIC, and lie on the disk, go to the topics there are now', async () => {
    const [dataDir, own] = [temporaryFolder(), group()];
    await kafka.kill();
    const before = await start(dataDir, '--role=ingest', brokers(), topic(newPrefix()), own);
    const ids = [...(await post(before, 500))];
    before.kill('SIGKILL');
    await before.exited;
    const after = await start(dataDir, brokers(), topic(newPrefix()), own);
    ids.push(...(await post(after, 20)));
    await kafka.restart();
    await eventually(async () => (await metric(after.url, 'ugc_buffer_events')) === 0, { what: 'an empty buffer' });
    await expectRows(after, ids);
    expect(after.output()).toContain('buffered events go to the topic that events of their type go to now');
  });

  test('Kafka was given, and lie on the disk, become rows by way of Kafka, whatever its topics are called', async () => {
    const dataDir = temporaryFolder();
    const before = await start(dataDir);
    const ids = [...(await post(before, 500))];
    before.kill('SIGKILL');
    await before.exited;
    const after = await start(dataDir, brokers(), topic(newPrefix()), group());
    ids.push(...(await post(after, 20)));
    await expectRows(after, ids);
  });

  test('Kafka was taken away, and lie on the disk, become rows without it', async () => {
    const dataDir = temporaryFolder();
    await kafka.kill();
    const before = await start(dataDir, '--role=ingest', brokers(), topic(newPrefix()));
    const ids = [...(await post(before, 500))];
    before.kill('SIGKILL');
    await before.exited;
    await kafka.restart();
    const after = await start(dataDir);
    ids.push(...(await post(after, 20)));
    await expectRows(after, ids);
  });

  test('a role that has to do with the disk, and lie there, are told of by one that has not', async () => {
    const [dataDir, prefix] = [temporaryFolder(), newPrefix()];
    await kafka.kill();
    const before = await start(dataDir, '--role=ingest', brokers(), topic(prefix));
    await post(before, 500);
    before.kill('SIGKILL');
    await before.exited;
    await kafka.restart();
    const after = await start(dataDir, '--role=etl', brokers(), topic(prefix), group());
    expect((await problems(after)).buffer).toContain('510 events wait in');
    const again = await start(dataDir, '--role=ingest', brokers(), topic(prefix));
    await eventually(async () => (await metric(again.url, 'ugc_buffer_events')) === 0, { what: 'an empty buffer' });
    await eventually(async () => !('buffer' in (await problems(after))), {
      what: 'it is told no more',
      msMax: 150_000,
    });
  });

  test('another UGC_TOPIC, and wait in Kafka, are told of until somebody with that setting has moved them', async () => {
    const [dataDir, own, prefix] = [temporaryFolder(), group(), newPrefix()];
    const before = await start(dataDir, brokers(), topic(prefix), own);
    const ids = [...(await post(before, 20))];
    await expectRows(before, ids); // the group has read those topics
    expect(await before.stop()).toBe(0);
    const edge = await start(temporaryFolder(), '--role=ingest', brokers(), topic(prefix), own);
    ids.push(...(await post(edge, 30)));
    await eventually(async () => (await metric(edge.url, 'ugc_buffer_events')) === 0, { what: 'all of it in Kafka' });
    expect(await edge.stop()).toBe(0);
    const open = '--clickhouse-http-readonly=false';
    const after = await start(dataDir, brokers(), topic(newPrefix()), own, open);
    const told = await eventually(
      async () => {
        const { reading = '' } = await problems(after);
        return reading.includes('nobody reads') && reading;
      },
      { what: 'it is told', msMax: 150_000 },
    );
    expect(told).toContain(`40 in ${prefix}.click`); // ten of the thirty were sent twice
    const server = `--clickhouse-url=${after.clickhouseUrl}`;
    await start(temporaryFolder(), '--role=etl', brokers(), topic(prefix), own, server);
    await expectRows(after, ids);
    await eventually(async () => !('reading' in (await problems(after))), {
      what: 'it is told no more',
      msMax: 150_000,
    });
  });
});
