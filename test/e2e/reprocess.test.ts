// Reading Kafka again: what a table has lost comes back, nothing that can be read is doubled, processes share the work,
// and a restart goes on where the last one was. Beside it `?ack=stored` and the trace of an event across processes that
// share Kafka and a ClickHouse server.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka, kafkaClient, startKafka, type TestKafka } from '../support/kafka.ts';
import { drained, metric } from '../support/oracle.ts';
import { eventually, queryRows, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

describe.skipIf(await isWithoutKafka())('over Kafka', () => {
  let kafka: TestKafka;
  let server: ClickhouseServer;
  let shared: string[];
  let topicOfClicks: string;
  let ingest: Ugc;
  const started: Ugc[] = [];

  beforeAll(async () => {
    [kafka, server] = await Promise.all([startKafka(), startClickhouseServer()]);
    shared = [
      `--kafka-brokers=${kafka.brokers.join(',')}`,
      `--topic=again-${crypto.randomUUID().slice(0, 8)}.{event_type}`,
      `--kafka-group=again-${crypto.randomUUID()}`,
      `--clickhouse-url=${server.url}`,
      '--topic-partitions=4',
    ];
    topicOfClicks = shared[1]!.slice('--topic='.length).replace('{event_type}', 'click');
    ingest = await start('--role=ingest', '--ack-stored-timeout-ms=60000');
  }, 120_000);
  afterAll(async () => {
    await Promise.all(started.map(ugc => ugc.stop()));
    await server.remove();
    await kafka.stopForGood();
  });

  async function start(...flags: string[]): Promise<Ugc> {
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [...shared, ...flags] });
    started.push(ugc);
    return ugc;
  }

  async function stop(ugc: Ugc): Promise<void> {
    started.splice(started.indexOf(ugc), 1);
    expect(await ugc.stop()).toBe(0);
  }

  /** Posts so many clicks and page views of as many users; resolves when all of them can be read. */
  async function post(count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, at) => [
      { ...exampleClick, user_id: `user-${at}` },
      {
        ...exampleClick,
        event_type: 'custom',
        name: 'again',
        element: undefined,
        page_url: undefined,
        user_id: `u-${at}`,
      },
    ]).flat();
    const response = await ingest.post(events, '/v1/events?ack=stored');
    const text = await response.text();
    expect({ status: response.status, text: response.status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  }

  async function counts(type: string): Promise<{ readonly rows: number; readonly ids: number }> {
    const sql = `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(event_id)) AS ids FROM ugc.${type}`;
    return (await queryRows<{ rows: number; ids: number }>(server.url, sql))[0]!;
  }

  const truncate = async (type: string): Promise<void> => {
    const response = await fetch(server.url, { method: 'POST', body: `TRUNCATE TABLE ugc.${type}_rows` });
    expect(response.ok).toBe(true);
  };

  const moved = (ugc: Ugc): Promise<number> => metric(ugc.url, 'ugc_etl_rows_total');
  /** Each knows its lag, which has no sample before, and it is none. */
  const caughtUp = (...all: Ugc[]): Promise<unknown> =>
    eventually(async () => {
      const texts = await Promise.all(all.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
      const lags = texts.map(text => [...text.matchAll(/^ugc_etl_lag_events\{.* (\S+)$/gm)].map(([, lag]) => lag));
      return lags.every(of => of.length > 0 && of.every(lag => lag === '0'));
    });

  test('what a table has lost comes back from a point in time, nothing is doubled, and a restart begins nothing anew', async () => {
    const usual = await start('--role=etl');
    await post(200);
    const early = new Date().toISOString();
    await post(300);
    expect(await counts('click')).toEqual({ rows: 500, ids: 500 });
    await stop(usual);
    await truncate('click');
    expect(await counts('click')).toEqual({ rows: 0, ids: 0 });

    const again = await start('--role=etl', `--from=${early}`);
    await eventually(async () => (await counts('click')).rows === 300);
    await caughtUp(again);
    expect(await moved(again)).toBe(600); // of both types; nothing from before
    expect(await counts('custom')).toEqual({ rows: 500, ids: 500 });
    await stop(again);

    const restarted = await start('--role=etl', `--from=${early}`);
    await post(10); // it reads what comes, so what it has read before would have come too
    await caughtUp(restarted);
    expect(await moved(restarted)).toBe(20);
    expect(await counts('click')).toEqual({ rows: 310, ids: 310 });
    await stop(restarted);
  }, 120_000);

  test('two processes from the beginning share the work with each other, not with the usual one, which loses no position', async () => {
    await truncate('click');
    const from = '--from=2020-01-01T00:00Z';
    const [usual, one, two] = await Promise.all([
      start('--role=etl'),
      start('--role=etl', from),
      start('--role=etl', from),
    ]);
    await eventually(async () => (await counts('click')).rows === 510);
    await caughtUp(usual, one, two);
    expect(await counts('custom')).toEqual({ rows: 510, ids: 510 });
    await eventually(async () => (await moved(one)) + (await moved(two)) >= 1_020);
    expect(await moved(usual)).toBe(20); // what came after it was stopped
    await post(50);
    await caughtUp(usual, one, two);
    expect(await counts('click')).toEqual({ rows: 560, ids: 560 });
    for (const ugc of [usual, one, two]) await stop(ugc);
  }, 120_000);

  test('from given offsets exactly the partitions named are read again, from there on', async () => {
    const admin = kafkaClient(kafka.brokers).admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topicOfClicks);
    await admin.disconnect();
    const [first, second] = offsets.toSorted((a, b) => Number(b.high) - Number(a.high));
    await truncate('click');
    const skipped = 5;
    const again = await start(
      '--role=etl',
      `--from=${topicOfClicks}/${first!.partition}=${skipped},${topicOfClicks}/${second!.partition}=999999999`,
    );
    const wanted = Number(first!.high) - skipped;
    await eventually(async () => (await counts('click')).rows === wanted);
    await caughtUp(again);
    expect(await moved(again)).toBe(wanted);
    await stop(again);
  }, 60_000);

  test('an event is traced to its topic, partition and offset, before and after it is a row, and however often it is there', async () => {
    const ids = { v7: Bun.randomUUIDv7(), v4: crypto.randomUUID() };
    const event = { ...exampleClick, user_id: 'traced' };
    for (const event_id of [ids.v7, ids.v4, ids.v4]) {
      const answer = await (await ingest.post({ ...event, event_id })).json();
      expect(answer).toMatchObject({ stored: 'kafka' });
    }
    const trace = async (id: string, ...flags: string[]) => {
      const { code, stdout, stderr } = await runUgc(['trace', id, '--json', ...shared.slice(0, 4), ...flags]);
      return { code, stderr, ...JSON.parse(stdout) };
    };
    const admin = kafkaClient(kafka.brokers).admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topicOfClicks);
    await admin.disconnect();
    const before = { v7: await trace(ids.v7), v4: await trace(ids.v4) };
    expect(before.v7).toMatchObject({ code: 0, rows: [], kafka: [{ topic: topicOfClicks }] });
    expect(before.v4.kafka).toHaveLength(2);
    const { partition, offset, body } = before.v4.kafka[1];
    expect(String(offset + 1)).toBe(ends.find(end => end.partition === partition)!.high); // the last one there
    expect(JSON.parse(body)).toMatchObject({ event_id: ids.v4, user_id: 'traced' });

    const etl = await start('--role=etl');
    await eventually(
      async () => (await queryRows(server.url, `SELECT 1 FROM ugc.click WHERE event_id = '${ids.v4}'`))[0],
    );
    const after = await trace(ids.v4);
    expect(after.rows).toMatchObject([{ table: 'ugc.click', row: { event_id: ids.v4, user_id: 'traced' } }]);
    expect(after.kafka).toEqual(before.v4.kafka);
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect((await trace(ids.v4, `--since=${future}`)).kafka).toEqual([]);
    expect(await trace(crypto.randomUUID())).toMatchObject({ code: 1, rows: [], kafka: [] });
    const away = await trace(ids.v4, '--kafka-brokers=127.0.0.1:1');
    expect(away).toMatchObject({ code: 0, kafka: [], unasked: { kafka: expect.stringContaining('127.0.0.1:1') } });
    await stop(etl);
  }, 60_000);

  test('two ingest instances’ ledgers go through Kafka as events do, and the balance of both closes', async () => {
    const own = [
      ...shared.slice(0, 1),
      `--clickhouse-url=${server.url}`,
      `--topic=ledger-${crypto.randomUUID().slice(0, 8)}.{event_type}`,
      `--kafka-group=ledger-${crypto.randomUUID()}`,
      '--clickhouse-database=ledgered',
      '--topic-partitions=1',
    ];
    const [ofOne, ofTwo] = [temporaryFolder(), temporaryFolder()];
    const open = (dataDir: string, ...flags: string[]) => startUgc({ dataDir, flags: [...own, ...flags] });
    const [one, two, etl] = await Promise.all([
      open(ofOne, '--role=ingest', '--ledger'),
      open(ofTwo, '--role=ingest', '--ledger'),
      open(temporaryFolder(), '--role=etl', '--ledger'),
    ]);
    const repeated = { ...exampleClick, event_id: Bun.randomUUIDv7() };
    for (const ugc of [one, two])
      expect((await ugc.post([repeated, ...Array(1_500).fill(exampleClick)])).status).toBe(200);
    expect(await one.stop()).toBe(0);
    expect(await two.stop()).toBe(0);
    // On a busy machine Kafka was late with some of it: that lies on the disk, and goes on at the next start.
    for (const folder of [ofOne, ofTwo]) {
      const next = await open(folder, '--role=ingest');
      await drained(next);
      expect(await next.stop()).toBe(0);
    }
    const to = `--to=${new Date(Date.now() + 120_000).toISOString()}`;
    const balance = await eventually(
      async () => {
        const { code, stdout } = await runUgc(['reconcile', '--json', to, ...own.slice(1)]);
        const found = code === 0 ? JSON.parse(stdout) : null;
        return found?.types[0]?.accepted === 3_002 && found.instances.length === 0 && found;
      },
      { msMax: 90_000 },
    );
    expect(balance.types).toMatchObject([{ type: 'click', repeated: 1, missing: 0, unledgered: 0, rows: 3_001 }]);
    expect(await etl.stop()).toBe(0);
  }, 120_000);
});
