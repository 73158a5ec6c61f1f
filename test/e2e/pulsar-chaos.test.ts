// The promise from the edge to the tables over Pulsar: two movers that share its topics and write to one ClickHouse, and
// everything against them, at random and together, under load: Pulsar killed and hung, the network bad, the edge and the movers
// killed, stopped and frozen. UGC_TEST_PULSAR_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { killed } from '../support/etl-faults.ts';
import { clientEvent, typeOf } from '../support/events.ts';
import { deckOf, edgeFaults, type Make, networkFaults } from '../support/faults.ts';
import { freePorts } from '../support/free-ports.ts';
import { newLedger } from '../support/load.ts';
import { compareRows, drained } from '../support/oracle.ts';
import { type Part, partOf } from '../support/part.ts';
import { isWithoutPulsar, startPulsar, type TestPulsar } from '../support/pulsar.ts';
import { pulsarTeam } from '../support/pulsar-team.ts';
import { randomOf, seeded } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { seedsOf } from '../support/seeds.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';
import { eventually, queryRows, temporaryFolder } from '../support/ugc.ts';
import { type UgcLives, ugcLives } from '../support/ugc-lives.ts';

const given = process.env.UGC_TEST_PULSAR_ROUNDS;
const rounds = Number(given ?? 10);
/** A machine that is busy with other things plays fewer rounds, and says so. */
const playMsMax = given === undefined ? 40_000 : Number.POSITIVE_INFINITY;

describe.skipIf(await isWithoutPulsar('own')).each(seedsOf('pulsar chaos'))(
  'Pulsar and everything against it, by seed %i',
  seed => {
    const random = randomOf('pulsar chaos', seed);
    const ledger = newLedger();
    let pulsar: TestPulsar;
    let proxy: TcpProxy;
    let clickhouse: Part;
    let movers: readonly Part[] = [];
    let edge: UgcLives;
    beforeAll(async () => {
      pulsar = await startPulsar({ settings: { webSocketSessionIdleTimeoutMillis: '10000' } });
      proxy = await tcpProxy({ target: Number(new URL(pulsar.url).port), random: seeded(random.seed + 1).next });
      const [port] = (await freePorts(1)) as [number];
      clickhouse = await partOf('ClickHouse', () => [
        ...['--role=etl', '--clickhouse-http-readonly=false', `--clickhouse-http-port=${port}`],
      ]);
      const flags = [
        ...['--transport=pulsar', `--pulsar-url=http://127.0.0.1:${proxy.port}`, '--topic=ugc.{family}'],
        ...['--topic-partitions=2', '--pulsar-request-timeout-ms=3000', '--request-log=false', '--ack-budget-ms=1000'],
        '--pulsar-stall-timeout-ms=3000',
      ];
      const moving = [...flags, '--role=etl', `--clickhouse-url=${clickhouse.now().clickhouseUrl}`];
      movers = [
        await partOf('mover 1', () => [...moving, '--clickhouse-database=remote']),
        await partOf('mover 2', () => [...moving, '--clickhouse-database=remote']),
      ];
      edge = await ugcLives({
        dataDir: temporaryFolder(),
        flags: [...flags, '--role=ingest'],
        random: seeded(random.seed + 2),
        ledger,
        circumstances: () => 'chaos',
        isExcused: () => true, // how soon the edge answers is the business of kafka-chaos.test.ts
        makeRoom: () => {},
        pauseMsMax: 1_500, // what is written has to be moved, too, on the same two cores
      });
    });
    afterAll(async () => {
      for (const part of [...movers, clickhouse]) await part?.kill();
      await proxy?.close();
      await pulsar?.stopForGood();
    });

    /** Of a test that fails: what everybody says of itself. */
    async function state(): Promise<string> {
      const said = [...movers.map(part => part.now()), edge.current()].map(async ({ url }) => {
        const ready = await fetch(`${url}/healthz/ready`).then(answer => answer.text());
        const metrics = await fetch(`${url}/metrics`).then(answer => answer.text());
        return [ready, ...metrics.split('\n').filter(line => /^ugc_(etl_lag|buffer_events|etl_halted)/.test(line))];
      });
      const team = pulsarTeam(pulsar.url);
      const topic = await team.ask(
        'persistent/public/default/ugc.film/partitioned-stats?perPartition=true&getPreciseBacklog=true',
      );
      return [...(await Promise.all(said)).flat(), JSON.stringify(topic, null, 1)].join('\n');
    }

    function kinds(): Make[] {
      const some = (): Part => random.pick(movers);
      return [
        () => ({ kind: 'Pulsar killed', begin: () => pulsar.kill(), end: () => pulsar.restart() }),
        () => ({ kind: 'Pulsar hung', begin: () => pulsar.stop(), end: () => pulsar.cont() }),
        ...networkFaults({ to: '', random, hitOf: () => ({ whom: '', proxies: [proxy] }) }),
        ...edgeFaults(() => edge),
        killed('mover', some),
        () => {
          const it = some();
          return { kind: 'mover stopped', begin: () => it.stop(), end: () => it.start() };
        },
        () => {
          const it = some();
          return { kind: 'mover hung', begin: () => it.hang(), end: () => it.cont() };
        },
      ];
    }

    test(`${rounds} rounds: every event that was acked is one row`, async () => {
      const chaos = roundsOf({ random, lastsMsMax: 900, restMsMax: 500 });
      const played = await chaos.play(rounds, deckOf(random, kinds()), playMsMax);
      if (played < rounds) console.warn(`ONLY ${played} OF ${rounds} ROUNDS IN ${playMsMax} ms`);
      await edge.quiet();
      proxy.heal();
      await drained(edge.current());
      // Left alone, it is well again: events go to Pulsar at once.
      const isInPulsar = async (): Promise<boolean> => {
        const event = clientEvent(random);
        ledger.sent.set(event.event_id, 1);
        const answer = (await (await edge.current().post(event)).json()) as { outcome?: string; stored?: string };
        if (answer.stored !== undefined) ledger.acked.set(event.event_id, typeOf(event));
        return answer.stored === 'pulsar';
      };
      await eventually(isInPulsar, { what: 'an event in Pulsar' });
      await drained(edge.current());
      const query = <T>(sql: string): Promise<T[]> =>
        queryRows<T>(clickhouse.now().clickhouseUrl, sql.replaceAll('ugc.', 'remote.'));
      const finding = await eventually(
        async () => {
          const found = await compareRows(query as never, ledger);
          return found.lost.length === 0 && found;
        },
        { msMax: 150_000, pauseMs: 1_000, what: `rows of ${ledger.acked.size} events` },
      ).catch(async error => {
        const { lost } = await compareRows(query as never, ledger);
        throw new Error(`${error.message}; ${lost.length} are not there, as ${lost.slice(0, 3)}\n${await state()}`);
      });
      console.log(
        `pulsar chaos: ${tally(chaos.dealt)}\npulsar chaos: ${finding.acked} acked (${tally(ledger.stored)}), ` +
          `${finding.rows} rows, ${ledger.rejected.size} rejected`,
      );
      expect(finding).toMatchObject({ lost: [], doubled: [], foreign: [] });
      expect([...movers.flatMap(({ crashes }) => crashes), ...clickhouse.crashes, ...edge.failures]).toEqual([]);
      expect(finding.acked).toBeGreaterThan(played * 10);
      expect(ledger.stored.get('disk')).toBeGreaterThan(0);
      expect(await edge.stop()).toBe(0);
      for (const part of [...movers, clickhouse]) await part.stop();
    });
  },
);
