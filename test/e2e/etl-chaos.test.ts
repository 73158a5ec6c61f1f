// The promise from the log to the tables: two movers that share a Kafka and write to one ClickHouse, each of the four
// killed, hung and started again at random, under load. UGC_TEST_ETL_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { load, newLedger } from '../support/load.ts';
import { compareRows, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, queryRows, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const rounds = Number(process.env.UGC_TEST_ETL_ROUNDS ?? 100);
const sessionMs = 1_500;

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka({ properties: { 'group.min.session.timeout.ms': '1000' } });
});
afterAll(() => kafka.stopForGood());

/** A ugc that may be ended and started again on its folder. */
async function part(flags: readonly string[]) {
  const dataDir = temporaryFolder();
  const start = () => startUgc({ dataDir, flags: ['--request-log=false', ...flags] });
  let now = await start();
  return {
    now: () => now,
    async kill() {
      now.kill('SIGKILL');
      await now.exited;
    },
    async start() {
      now = await start();
    },
    async stop() {
      expect(await now.stop()).toBe(0);
    },
  };
}

type Part = Awaited<ReturnType<typeof part>>;

interface Fault {
  readonly name: string;
  begin(): Promise<unknown> | unknown;
  end(): Promise<unknown> | unknown;
  /** Lasts longer than this. */
  readonly msMin?: number;
}

const killed = (name: string, it: Part): Fault => ({ name: `${name} killed`, begin: it.kill, end: it.start });
const stopped = (name: string, it: Part): Fault => ({ name: `${name} stopped`, begin: it.stop, end: it.start });
const hung = (name: string, it: Part, msMin = 0): Fault => ({
  name: `${name} hung`,
  begin: () => it.now().kill('SIGSTOP'),
  end: () => it.now().kill('SIGCONT'),
  msMin,
});

test(`${rounds} rounds: every event that was acked is exactly one row, in every table and every view`, async () => {
  const random = randomOf('etl chaos');
  const ledger = newLedger();
  const firstServer = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=etl', '--clickhouse-http-readonly=false'],
  });
  const port = new URL(firstServer.clickhouseUrl).port;
  expect(await firstServer.stop()).toBe(0);
  const server = await part(['--role=etl', '--clickhouse-http-readonly=false', `--clickhouse-http-port=${port}`]);
  const { clickhouseUrl } = server.now();

  const brokers = [`--kafka-brokers=${kafka.brokers.join(',')}`, '--topic-partitions=3'];
  const ingest = await part([...brokers, '--role=ingest', '--kafka-request-timeout-ms=2000']);
  const mover = () =>
    part([
      ...brokers,
      ...['--role=etl', `--kafka-session-timeout-ms=${sessionMs}`, '--kafka-request-timeout-ms=2000'],
      ...[`--clickhouse-url=${clickhouseUrl}`, '--clickhouse-database=remote', '--clickhouse-timeout-ms=1500'],
      '--clickhouse-refresh-seconds=2',
    ]);
  const movers = [await mover(), await mover()] as const;

  const hide = (table: string): Fault => ({
    name: 'table away',
    begin: () => command(clickhouseUrl, `DETACH TABLE remote.${table}`),
    end: () => command(clickhouseUrl, `ATTACH TABLE remote.${table}`),
  });
  const kinds: readonly (() => Fault)[] = [
    () => killed('mover', random.pick(movers)),
    () => stopped('mover', random.pick(movers)),
    () => hung('mover', random.pick(movers), random.pick([0, sessionMs + 500])),
    () => killed('ClickHouse', server),
    () => hung('ClickHouse', server, random.pick([0, 2_000])),
    () => killed('ingest', ingest),
    () => ({ name: 'Kafka killed', begin: kafka.kill, end: kafka.restart }),
    () => ({ name: 'Kafka hung', begin: kafka.stop, end: kafka.cont }),
    () => hide(random.pick(['click_rows', 'film_watched_rows', 'page_view_rows'])),
  ];
  let deck: (() => Fault)[] = [];
  const deal = (): Fault => {
    if (deck.length === 0) deck = [...kinds];
    return deck.splice(random.between(0, deck.length - 1), 1)[0]!();
  };

  let loading = new AbortController();
  let loaded: Promise<void> = Promise.resolve();
  const begin = () => {
    loading = new AbortController();
    loaded = load({ url: ingest.now().url, random, ledger, clients: 2, signal: loading.signal });
  };
  const dealt = new Map<string, number>();
  begin();
  for (let round = 0; round < rounds; round++) {
    const fault = deal();
    dealt.set(fault.name, (dealt.get(fault.name) ?? 0) + 1);
    const isIngest = fault.name.startsWith('ingest');
    if (isIngest) loading.abort();
    await fault.begin();
    await Bun.sleep((fault.msMin ?? 0) + random.between(10, 700)); // how long it lasts is the random part
    await fault.end();
    if (isIngest) {
      await loaded;
      begin();
    }
    await Bun.sleep(random.between(0, 300));
  }
  loading.abort();
  await loaded;
  await eventually(async () => (await metric(ingest.now().url, 'ugc_buffer_events')) === 0, {
    msMax: 60_000,
    what: 'a drained buffer',
  });
  const rows = async () => {
    const [all] = await queryRows<{ ids: number }>(
      clickhouseUrl,
      'SELECT uniqExact(event_id) AS ids FROM remote.events',
    );
    return Number(all!.ids);
  };
  await eventually(async () => (await rows()) >= ledger.acked.size, { msMax: 90_000, what: 'every acked event a row' });
  const query = (sql: string) => queryRows(clickhouseUrl, sql.replaceAll('ugc.', 'remote.'));
  const finding = await compareRows(query as Ugc['query'], ledger);
  console.log(
    `etl chaos: ${[...dealt].map(([name, times]) => `${times} × ${name}`).join(', ')}\n` +
      `etl chaos: ${finding.acked} acked, ${finding.rows} rows, ${ledger.rejected.size} rejected`,
  );
  expect(finding).toMatchObject({ lost: [], doubled: [], foreign: [] });
  expect(finding.acked).toBeGreaterThan(rounds * 10);
  const sums = async (sql: string): Promise<unknown> => (await queryRows(clickhouseUrl, sql))[0];
  const tables = await sums(
    `SELECT (SELECT count() FROM remote.events) AS events, (SELECT count() FROM remote.events) AS by_day,
     (SELECT count() FROM remote.film_watched) AS completions, (SELECT count() FROM remote.quality_change) AS changes`,
  );
  expect(tables).toMatchObject({ events: finding.rows });
  await eventually(
    async () => {
      const views = await sums(
        `SELECT (SELECT sum(events) FROM remote.events_per_minute) AS events,
         (SELECT sum(events) FROM remote.active_users_daily) AS by_day,
         (SELECT sum(completions) FROM remote.film_views_daily) AS completions,
         (SELECT sum(changes) FROM remote.quality_changes_daily) AS changes`,
      );
      expect(views).toEqual(tables);
      return true;
    },
    { msMax: 60_000, what: 'the aggregates of all rows' },
  );
  for (const it of [ingest, ...movers, server]) await it.stop();
});

async function command(url: string, sql: string): Promise<void> {
  await eventually(
    async () => {
      const response = await fetch(url, { method: 'POST', body: sql });
      if (!response.ok) throw new Error(`${sql}: ${await response.text()}`);
      return true;
    },
    { what: sql },
  );
}
