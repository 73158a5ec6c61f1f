// The promise from the edge to the tables: two movers that share a Kafka and write to one ClickHouse, and everything against
// them, at random and together, under load. Killed at random and at each moment of an insert; ClickHouse killed, hung,
// read-only, out of memory, with another password; tables away and dropped; the log read again meanwhile; Kafka, the network
// and the disk as in kafka-chaos.test.ts. UGC_TEST_ETL_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { clickhouseFaults } from '../support/clickhouse-faults.ts';
import { moverFaults, replayFaults, tableDropped } from '../support/etl-faults.ts';
import { accountOf, readLog, wrongAggregates } from '../support/etl-oracle.ts';
import { brokerFaults, deckOf, diskFaults, edgeFaults, type Make, missed, within } from '../support/faults.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { newLedger } from '../support/load.ts';
import { drained, metric } from '../support/oracle.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { randomOf } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { seedsOf } from '../support/seeds.ts';
import { eventually, runUgc } from '../support/ugc.ts';

const given = process.env.UGC_TEST_ETL_ROUNDS;
const rounds = Number(given ?? 100);
/** A machine that is busy with other things plays fewer rounds, and says so. */
const playMsMax = given === undefined ? 330_000 : Number.POSITIVE_INFINITY;

describe.skipIf(await isWithoutKafka('own')).each(seedsOf('etl chaos'))(
  'the etl and everything against it, by seed %i',
  seed => {
    const random = randomOf('etl chaos', seed);
    const ledger = newLedger();
    let pipeline: Pipeline;
    beforeAll(async () => {
      pipeline = await startPipeline(random, ledger);
    });
    afterAll(() => pipeline?.close());

    function kindsOf({ cluster, disk, edge, replaying, ...etl }: Pipeline): Make[] {
      const brokers = brokerFaults(cluster, random);
      const full = disk === null ? [] : diskFaults(disk, random);
      return [
        ...brokers,
        ...edgeFaults(() => edge),
        ...full.flatMap(make => [make, within(random.pick(brokers.slice(0, 2)), make)]),
        ...moverFaults({ random, ...etl }),
        ...clickhouseFaults({ random, ...etl }),
        ...replayFaults(replaying),
      ];
    }

    test(`${rounds} rounds: every record is a row or a dead letter, every event that was acked exactly one row, in every table and view`, async () => {
      const { cluster, edge, clickhouse, movers, replaying, query, command } = pipeline;
      const kinds = kindsOf(pipeline);
      const chaos = roundsOf({ random, lastsMsMax: 700, restMsMax: 300 });
      const played = await chaos.play(rounds, deckOf(random, kinds), playMsMax);
      if (played < rounds) console.warn(`ONLY ${played} OF ${rounds} ROUNDS IN ${playMsMax} ms`);
      const isWhole = played >= 100;
      if (isWhole) await chaos.playLeftOut(kinds);
      await pipeline.quiet();
      await drained(edge.current());
      // What was there before can only be there afterwards because it was read again, so that too skips nothing.
      const dropped = tableDropped(replaying);
      await eventually(async () => (await dropped.begin()) !== missed, { what: 'the last table dropped' });
      await dropped.end();

      const log = await readLog(cluster.brokers, ledger);
      const all = [...movers, replaying.replayer];
      await eventually(async () => (await pipeline.behind()) === 0, { msMax: 150_000, what: 'the end of the log' });
      const { code, stderr } = await runUgc([
        ...['dead', 'replay', `--clickhouse-url=${clickhouse.part.now().clickhouseUrl}`],
        `--clickhouse-database=${pipeline.database}`,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

      const account = await accountOf(query, ledger, log);
      console.log(
        `etl chaos: ${tally(chaos.dealt)}\netl chaos: missed ${tally(chaos.missed)}\n` +
          `etl chaos: ${account.acked} acked (${tally(ledger.stored)}), ${log.records} records, ${account.rows} rows, ` +
          `${log.poison.size} poison and ${log.tooLarge.size} replayed letters, ${ledger.rejected.size} rejected\n` +
          `etl chaos: ClickHouse said ${tally(pipeline.said())}`,
      );
      const nothing = { lost: [], doubled: [], foreign: [], unmoved: [], unheard: [], letters: [], uneven: [] };
      expect(account).toMatchObject(nothing);
      expect(await wrongAggregates(query, command)).toEqual([]);
      expect([...pipeline.crashes(), ...edge.failures]).toEqual([]);
      const halted = await Promise.all(all.map(({ part }) => metric(part.now().url, 'ugc_etl_halted')));
      expect(halted).toEqual([0, 0, 0]);
      expect(account.acked).toBeGreaterThan(played * 10);
      expect(log.poison.size).toBeGreaterThan(0);
      expect(log.tooLarge.size).toBeGreaterThan(0);
      // Aims that never hit would show nothing.
      if (isWhole) expect([...chaos.missed.keys()].filter(kind => !chaos.dealt.has(kind))).toEqual([]);
      expect(await edge.stop()).toBe(0);
      for (const part of [...all.map(mover => mover.part), clickhouse.part]) await part.stop();
    });
  },
);
