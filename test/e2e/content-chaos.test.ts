// The promise of the content role in bad circumstances: what a user was told is in the database and in the exact tables,
// each change once, whatever died meanwhile. Users like, bookmark and review while ugc, PostgreSQL, Kafka and ClickHouse
// are killed and their connections cut. UGC_TEST_CONTENT_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, describe, expect, test } from 'bun:test';
import { commitCut } from '../support/commit-cut.ts';
import { contentLoad } from '../support/content-load.ts';
import { contentDifferences } from '../support/content-oracle.ts';
import { deckOf, type Fault, type Make, missed } from '../support/faults.ts';
import { freePorts } from '../support/free-ports.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { startCluster } from '../support/kafka-cluster.ts';
import { drained, metric } from '../support/oracle.ts';
import { isWithoutPostgres, startPostgres } from '../support/postgres.ts';
import { randomOf, seeded } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const given = process.env.UGC_TEST_CONTENT_ROUNDS;
const rounds = given === undefined ? { embedded: 12, apart: 24 } : { embedded: Number(given), apart: Number(given) };

const secret = 'thirty-two bytes or more of a secret that everybody knows';
const tokenOf = (user: string): string =>
  hmacTokenOf(secret, { sub: user, exp: 4_000_000_000, scope: 'content:write events:write' });
const asUsers = ['--auth=jwt', `--jwt-secret=${secret}`, '--jwt-audience=*', '--request-log=false'];

/** A process that is killed and started again on its port. */
async function livesOf(dataDir: string, flags: readonly string[]) {
  const [port] = await freePorts(1);
  let ugc: Ugc = await begin();
  function begin(): Promise<Ugc> {
    return startUgc({ dataDir, flags: [...flags, `--port=${port}`] });
  }
  const next = async (): Promise<void> => {
    ugc.kill('SIGKILL');
    await ugc.exited;
    ugc = await begin();
  };
  return { current: () => ugc, next, url: () => `http://127.0.0.1:${port}` };
}

/** Nothing more is on its way out of the database. */
const published = (url: () => string): Promise<unknown> =>
  eventually(async () => (await metric(url(), 'ugc_content_outbox_events')) === 0, {
    msMax: 120_000,
    what: 'an empty outbox',
  });

async function expectTold(load: ReturnType<typeof contentLoad>, query: Ugc['query']): Promise<void> {
  expect(load.failures).toEqual([]);
  // What the last events of a log are rows of, is read a moment later.
  let differences: string[] = [];
  await eventually(
    async () => {
      differences = await contentDifferences(query, load.truth);
      return differences.length === 0;
    },
    { msMax: 60_000, pauseMs: 500, what: 'tables that say what users were told' },
  ).catch(() => {});
  expect(differences.slice(0, 20)).toEqual([]);
}

const ofLoad = ({ counts, truth }: ReturnType<typeof contentLoad>): string =>
  `${counts.done} done, ${counts.repeated} sent again, ${truth.reviews.size} reviews`;

test(`embedded: ${rounds.embedded} times killed with -9 under load`, async () => {
  const random = randomOf('content chaos');
  const dataDir = temporaryFolder();
  const lives = await livesOf(dataDir, ['--role=all', ...asUsers]);
  const load = contentLoad({ url: lives.url, tokenOf, users: 8, films: 5, random: seeded(random.seed + 1) });
  for (let round = 0; round < rounds.embedded; round++) {
    await Bun.sleep(random.between(50, 900)); // the moment of death is the random part
    await lives.next();
  }
  await load.quiet();
  await published(lives.url);
  await drained(lives.current());
  await expectTold(load, lives.current().query);
  const { code, stdout } = await runUgc(['reconcile', '--content', `--data-dir=${dataDir}`, ...asUsers]);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  console.log(`content chaos, embedded: ${ofLoad(load)}`);
  expect(load.counts.done).toBeGreaterThan(rounds.embedded * 10);
  expect(await lives.current().stop()).toBe(0);
});

describe.skipIf((await isWithoutPostgres('own')) || (await isWithoutKafka('own')))('with PostgreSQL and Kafka', () => {
  test(`${rounds.apart} rounds of everything against it`, async () => {
    const random = randomOf('content chaos apart');
    const postgres = await startPostgres();
    const proxy = await commitCut(() => postgres.port);
    const cluster = await startCluster({
      nodes: 1,
      random: seeded(random.seed + 2).next,
      properties: { 'log.retention.ms': String(2 * 86_400_000) },
    });
    const database = postgres.url.replace(`:${postgres.port}/`, `:${proxy.port}/`);
    const common = ['--topic=ugc.{family}', '--topic-partitions=3'];
    const kafka = (brokers: readonly string[]) => [...common, `--kafka-brokers=${brokers.join(',')}`];
    const content = await livesOf(temporaryFolder(), [
      ...['--role=content', `--database-url=${database}`, ...asUsers],
      ...[...kafka(cluster.proxied), '--kafka-request-timeout-ms=3000'],
    ]);
    const etlDir = temporaryFolder();
    const etl = await livesOf(etlDir, ['--role=etl', ...kafka(cluster.brokers)]);
    const load = contentLoad({ url: content.url, tokenOf, users: 10, films: 5, random: seeded(random.seed + 1) });

    const [broker] = cluster.nodes;
    if (broker === undefined) throw new Error('the cluster has no node');
    const once = (kind: string, begin: Fault['begin'], end: Fault['end'] = () => {}): Make => {
      return () => ({ kind, begin, end });
    };
    const kinds: readonly Make[] = [
      once('ugc killed', content.next),
      once('ClickHouse killed', etl.next),
      once('PostgreSQL killed', postgres.kill, postgres.restart),
      once('connections cut', proxy.cut),
      once('PostgreSQL unreachable', proxy.refuse, proxy.heal),
      () => {
        const before = proxy.swallowed();
        return {
          kind: 'cut at COMMIT',
          begin: async () => {
            proxy.arm(random.between(1, 5));
            const hit = () => proxy.swallowed() > before;
            return (
              (await eventually(hit, { msMax: 2_000, what: 'an answer to swallow' }).catch(() => missed)) ?? missed
            );
          },
          end: proxy.heal,
        };
      },
      once('Kafka cut', broker.proxy.cut),
      once('Kafka unreachable', broker.proxy.refuse, broker.proxy.heal),
      once('Kafka silent', broker.proxy.hang, broker.proxy.heal),
    ];
    const chaos = roundsOf({ random, lastsMsMax: 700, restMsMax: 700 });
    await chaos.play(rounds.apart, deckOf(random, kinds));
    await load.quiet();
    await published(content.url);
    await drained(content.current());
    await expectTold(load, etl.current().query);
    const settings = [`--clickhouse-url=${etl.current().clickhouseUrl}`, `--database-url=${postgres.url}`];
    const { code, stdout } = await runUgc([
      'reconcile',
      '--content',
      ...settings,
      ...asUsers,
      ...kafka(cluster.brokers),
    ]);
    expect({ code, stdout }).toMatchObject({ code: 0 });

    // And one of them is forgotten, as far as that goes where there is Kafka.
    const forgotten = await runUgc([
      ...['forget', '--user-id=user-1', '--yes', '--json', `--data-dir=${etlDir}`],
      ...[`--database-url=${postgres.url}`, ...asUsers, ...kafka(cluster.brokers)],
    ]);
    const receipt = JSON.parse(forgotten.stdout);
    expect({ code: forgotten.code, unreached: receipt.unreached }).toEqual({ code: 0, unreached: [] });
    const [inKafka] = receipt.remains.filter(({ place }: { place: string }) => place.startsWith('Kafka: '));
    expect(inKafka.place).toContain('ugc.content');
    expect(Date.parse(inKafka.until)).toBeGreaterThan(Date.now() + 86_400_000);
    expect(await etl.current().query("SELECT 1 FROM ugc.events WHERE user_id = 'user-1'")).toEqual([]);
    expect(await etl.current().query("SELECT 1 FROM ugc.events WHERE user_id = 'user-2' LIMIT 1")).toHaveLength(1);
    console.log(`content chaos: ${tally(chaos.dealt)}; ${ofLoad(load)}, ${proxy.swallowed()} answers swallowed`);
    expect(await content.current().stop()).toBe(0);
    expect(await etl.current().stop()).toBe(0);
    await Promise.all([cluster.stopForGood(), postgres.stopForGood(), proxy.close()]);
  });
});
