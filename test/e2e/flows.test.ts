// `ugc flows` on the compiled binary: a flow that is paused stands still in every process that moves it, also in one that was
// killed and started again, and nothing is lost or doubled by it; a drained one has nothing left.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { assertHelps, doctor } from '../support/doctor.ts';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka, startKafka, type TestKafka } from '../support/kafka.ts';
import { metric } from '../support/oracle.ts';
import { cleanUp, eventually, queryRows, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const without = await isWithoutKafka('own');

interface Line {
  readonly flow: string;
  readonly state: string;
  readonly lag_events: number | null;
  readonly lag_seconds: number | null;
  readonly moved_by: readonly { readonly url: string; readonly host: string; readonly state: string }[];
  readonly by: string;
  readonly why: string;
}

/** Of a set-up with these settings. */
function flowsOf(settings: readonly string[]) {
  const run = (...args: readonly string[]) => runUgc(['flows', ...args, ...settings]);
  return {
    run,
    async wish(...args: readonly string[]): Promise<string> {
      const { code, stderr } = await run(...args, '--by=tester');
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
      return stderr;
    },
    async line(flow: string, ...urls: readonly string[]): Promise<Line | undefined> {
      const { stdout } = await run('ls', '--json', ...urls.map(url => `--url=${url}`));
      return (JSON.parse(stdout) as { readonly flows: readonly Line[] }).flows.find(line => line.flow === flow);
    },
  };
}

async function paused(ugc: Ugc, flow: string, value = 1): Promise<void> {
  const pattern = new RegExp(`^ugc_flow_paused\\{flow="${flow}"\\} ${value}$`, 'm');
  await eventually(async () => pattern.test(await (await fetch(`${ugc.url}/metrics`)).text()), {
    what: `${flow} paused: ${value}`,
  });
}

const wordsOf = async (ugc: Ugc): Promise<Record<string, string>> =>
  ((await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { readonly detail: Record<string, string> }).detail;

const clicks = (count: number) =>
  Array.from({ length: count }, () => ({ ...exampleClick, event_id: Bun.randomUUIDv7() }));

/** How many rows, how many events, and how many of them are there once physically too. */
async function rowsIn(url: string): Promise<readonly [rows: number, events: number]> {
  const sql = 'SELECT toString(count()) AS n, toString(uniqExact(event_id)) AS ids FROM ugc.click';
  const [row] = await queryRows<{ n: string; ids: string }>(url, sql).catch(() => [{ n: '0', ids: '0' }]);
  return [Number(row!.n), Number(row!.ids)];
}

const arrived = (url: string, count: number) =>
  eventually(async () => (await rowsIn(url))[0] === count, { what: `${count} rows` });

describe.skipIf(without)('with Kafka', () => {
  let kafka: TestKafka;
  let clickhouse: ClickhouseServer;
  let ingest: Ugc;
  const folders = { one: '', other: '', ingest: '' };
  const brokers = () => `--kafka-brokers=${kafka.brokers}`;
  const etl = (dataDir: string) =>
    startUgc({
      dataDir,
      flags: ['--role=etl', brokers(), '--kafka-session-timeout-ms=6000', `--clickhouse-url=${clickhouse.url}`],
    });
  const flows = () => flowsOf([brokers()]);
  beforeAll(async () => {
    [kafka, clickhouse] = await Promise.all([startKafka(), startClickhouseServer()]);
    for (const name of ['one', 'other', 'ingest'] as const) folders[name] = temporaryFolder();
    ingest = await startUgc({ dataDir: folders.ingest, flags: ['--role=ingest', brokers()] });
  });
  afterAll(async () => {
    await ingest?.stop();
    await Promise.all([clickhouse?.remove(), kafka?.stopForGood()]);
  });

  /** Taken, and in Kafka. */
  async function post(count: number): Promise<void> {
    expect((await ingest.post(clicks(count))).status).toBe(200);
    await eventually(async () => (await metric(ingest.url, 'ugc_buffer_events')) === 0, { what: 'all of it in Kafka' });
  }

  test('two movers stand still, one is killed and comes back and still stands still, and then every event is one row', async () => {
    let [one, other] = await Promise.all([etl(folders.one), etl(folders.other)]);
    await post(200);
    await arrived(clickhouse.url, 200);

    await flows().wish('pause', 'tables', '--why=upgrade of ClickHouse');
    await Promise.all([paused(one, 'tables'), paused(other, 'tables')]);
    await post(300);
    // Kafka has them and nobody has committed anything behind them, and so it stays.
    const waiting = async () => (await flows().line('tables', 'http://127.0.0.1:1'))?.lag_events;
    await eventually(async () => (await waiting()) === 300, { what: '300 events that wait' });

    one.kill('SIGKILL');
    await one.exited;
    one = await etl(folders.one);
    await paused(one, 'tables');
    expect(await wordsOf(one)).toMatchObject({
      'flow tables': expect.stringMatching(
        /^paused since .* by tester: upgrade of ClickHouse; .*ugc flows resume tables$/,
      ),
    });
    // The partitions of the killed one are the other's by then, or back: read or not, nothing is inserted.
    const age = async () =>
      Math.max(...(await Promise.all([one, other].map(etl => metric(etl.url, 'ugc_etl_lag_seconds')))));
    await eventually(async () => (await age()) > 0, { what: 'what waits grows old' });
    expect(await waiting()).toBe(300);
    expect(await rowsIn(clickhouse.url)).toEqual([200, 200]);
    const line = await flows().line('tables', one.url, other.url);
    expect(line).toMatchObject({ state: 'paused', by: 'tester', why: 'upgrade of ClickHouse' });
    expect(line?.moved_by.map(({ url, state }) => [url, state])).toEqual([
      [one.url, 'paused'],
      [other.url, 'paused'],
    ]);

    await flows().wish('resume', 'tables');
    await arrived(clickhouse.url, 500);
    await paused(one, 'tables', 0);
    await post(100);
    await arrived(clickhouse.url, 600);
    expect(await rowsIn(clickhouse.url)).toEqual([600, 600]);

    await post(200);
    const said = await flows().wish('drain', 'tables', '--why=moving house', '--wait-seconds=60');
    expect(said).toContain('nothing is left of tables: it is paused');
    expect(await rowsIn(clickhouse.url)).toEqual([800, 800]);
    await Promise.all([paused(one, 'tables'), paused(other, 'tables')]);
    await post(50);
    await eventually(async () => (await waiting()) === 50, { what: '50 events that wait' });
    expect((await flows().line('tables', one.url))?.state).toBe('drained');
    await Promise.all([one.stop(), other.stop()]);

    // With nobody there the wish and the lag are still known.
    expect(await flows().line('tables', 'http://127.0.0.1:1')).toMatchObject({
      ...{ state: 'drained', lag_events: 50, moved_by: [], why: 'moving house' },
    });
    await flows().wish('resume', 'tables');
    one = await etl(folders.one);
    await arrived(clickhouse.url, 850);
    expect(await rowsIn(clickhouse.url)).toEqual([850, 850]);
    expect(one.output()).toContain('"flow":"tables"');
    expect(await one.stop()).toBe(0);
  }, 300_000);

  test('the buffer keeps what came while Kafka was away for as long as the drain is paused', async () => {
    await flows().wish('pause', 'drain', '--why=Kafka is to come up in peace');
    await paused(ingest, 'drain');
    await kafka.kill();
    expect((await ingest.post(clicks(40))).status).toBe(200);
    await kafka.restart();
    await eventually(
      async () => ((await (await ingest.post(exampleClick)).json()) as { stored: string }).stored === 'kafka',
      {
        what: 'an event that goes to Kafka again',
      },
    );
    const kept = await metric(ingest.url, 'ugc_buffer_events');
    expect(kept).toBeGreaterThanOrEqual(40);
    ingest.kill('SIGKILL');
    await ingest.exited;
    ingest = await startUgc({ dataDir: folders.ingest, flags: ['--role=ingest', brokers()] });
    await paused(ingest, 'drain');
    expect(await metric(ingest.url, 'ugc_buffer_events')).toBe(kept);
    await flows().wish('drain', 'drain', '--why=and now out with it');
    await eventually(async () => (await metric(ingest.url, 'ugc_buffer_events')) === 0, { what: 'an empty buffer' });
    await eventually(async () => (await flows().line('drain', ingest.url))?.moved_by[0]?.state === 'drained', {
      what: 'a drain that is drained',
    });
    await flows().wish('resume', 'drain');
    await paused(ingest, 'drain', 0);
  }, 120_000);
});

test('without a broker a pause outlives the process, one event type alone can be paused, and nobody waits for its row', async () => {
  const dataDir = temporaryFolder();
  const cold = temporaryFolder();
  const flags = [`--archive-url=file://${cold}`, '--archive-file-seconds=3600', '--ack-stored-timeout-ms=300'];
  const { wish, line, run } = flowsOf([`--data-dir=${dataDir}`]);
  await wish('pause', 'tables:click', '--why=a client gone mad');
  await wish('pause', 'archive', '--why=the disk is full');
  let ugc = await startUgc({ dataDir, flags });
  await paused(ugc, 'tables:click');
  const view = { ...exampleClick, event_type: 'page_view', element: undefined };
  expect((await ugc.post([...clicks(5), view, view])).status).toBe(200);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.page_view')).length === 2, {
    what: 'the other type',
  });
  expect((await ugc.post(exampleClick, '/v1/events?ack=stored')).status).toBe(202);
  expect(await rowsIn(ugc.clickhouseUrl)).toEqual([0, 0]);
  expect(await line('tables:click', ugc.url)).toMatchObject({
    state: 'paused',
    lag_events: 6,
    why: 'a client gone mad',
  });

  const { of } = await doctor([`--data-dir=${dataDir}`, `--port=${new URL(ugc.url).port}`, ...flags]);
  const [check] = of('instance.flow_tables:click');
  expect(check).toMatchObject({ result: 'warning', seen: expect.stringContaining('a client gone mad') });
  await assertHelps(check);

  ugc.kill('SIGKILL');
  await ugc.exited;
  ugc = await startUgc({ dataDir, flags });
  await eventually(async () => (await line('tables:click', ugc.url))?.lag_events === 6, { what: 'what waits' });
  expect(await rowsIn(ugc.clickhouseUrl)).toEqual([0, 0]);
  await wish('resume', 'tables:click');
  await arrived(ugc.clickhouseUrl, 6);

  expect(readdirSync(cold)).toEqual(['_ugc']);
  expect(await line('archive', ugc.url)).toMatchObject({ state: 'paused', lag_events: 8 });
  // Drained it does not wait for an hour until a file is full.
  expect(await wish('drain', 'archive', '--why=moving house', '--wait-seconds=60')).toContain(
    'nothing is left of archive',
  );
  const { stdout } = await runUgc(['archive', 'ls', '--json', `--data-dir=${dataDir}`, ...flags.slice(0, 1)]);
  expect(stdout).toContain('click');
  expect((await run('ls', `--url=${ugc.url}`)).stdout).toMatch(/archive +drained/);
  expect(await ugc.stop()).toBe(0);
});

test.each([
  [['pause', 'tables'], 'needs --why'],
  [['pause', 'tables', '--why= '], 'needs --why'],
  [['pause', 'tables', `--why=${'x'.repeat(1_001)}`], 'at most 1000 characters'],
  [['pause', 'nothing', '--why=x'], 'there is no flow nothing'],
  [['pause', 'content:click', '--why=x'], 'of all event types together'],
  [['pause', 'tables:nothing', '--why=x'], 'no event type nothing'],
  [['pause', 'tables:click', '--why=x', '--topic=all.events'], 'shares the topic all.events'],
  [['pause', 'tables', 'archive', '--why=x'], 'takes one flow'],
  [['resume'], 'takes one flow'],
  [['ls', 'tables'], 'takes flags alone'],
  [['stop', 'tables'], 'takes one of ls, pause, resume, drain'],
])('what cannot be meant is refused, case %#', async (args, words) => {
  const { code, stderr } = await runUgc(['flows', ...args, `--data-dir=${temporaryFolder()}`]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) });
});

test('a file of wishes that is none keeps the instance from starting, and says what to do', async () => {
  const dataDir = temporaryFolder();
  await Bun.write(`${dataDir}/flows.json`, '{}');
  const { code, stderr } = await runUgc([`--data-dir=${dataDir}`, '--port=0', '--role=ingest']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('repair or remove it') });
});
