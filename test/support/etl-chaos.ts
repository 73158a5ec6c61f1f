// The promise from the edge to the tables, whatever the broker: two movers that share it and write to one ClickHouse, and
// everything against them, at random and together, under load. Killed at random and at each moment of an insert; ClickHouse
// killed, hung, read-only, out of memory, with another password; tables away and dropped; the log read again meanwhile; flows
// paused and let go on; the broker, the network and the disk as in kafka-chaos.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { clickhouseFaults } from './clickhouse-faults.ts';
import type { EtlBroker } from './etl-broker.ts';
import { moverFaults, replayFaults, tableDropped } from './etl-faults.ts';
import { accountOf, readLog, wrongAggregates } from './etl-oracle.ts';
import { deckOf, diskFaults, edgeFaults, type Make, missed, within } from './faults.ts';
import { newLedger } from './load.ts';
import { startOperator } from './operator.ts';
import { drained, metric } from './oracle.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { type Random, randomOf, seeded } from './random.ts';
import { roundsOf, tally } from './rounds.ts';
import { seedsOf } from './seeds.ts';
import { eventually, runUgc } from './ugc.ts';

export interface EtlChaosOptions {
  /** Of its seeds. */
  readonly name: string;
  readonly isWithout: boolean;
  readonly start: (random: Random) => Promise<EtlBroker>;
  readonly rounds: number;
  /** A machine that is busy with other things plays fewer rounds, and says so. */
  readonly playMsMax: number;
}

export function etlChaos({ name, isWithout, start, rounds, playMsMax }: EtlChaosOptions): void {
  describe.skipIf(isWithout).each(seedsOf(name))('the etl and everything against it, by seed %i', seed => {
    const random = randomOf(name, seed);
    const ledger = newLedger();
    let broker: EtlBroker;
    let pipeline: Pipeline;
    beforeAll(async () => {
      broker = await start(random);
      pipeline = await startPipeline(broker, random, ledger);
    });
    afterAll(() => pipeline?.close() ?? broker?.close());

    function kindsOf({ disk, edge, replaying, ...etl }: Pipeline): Make[] {
      const { faults: brokers, sessionMs } = broker;
      const full = disk === null ? [] : diskFaults(disk, random);
      return [
        ...brokers,
        ...edgeFaults(() => edge),
        ...full.flatMap(make => [make, within(random.pick(brokers.slice(0, 2)), make)]),
        ...moverFaults({ random, sessionMs, ...etl }),
        ...clickhouseFaults({ random, sessionMs, ...etl }),
        ...replayFaults(replaying),
      ];
    }

    test(`${rounds} rounds: every record is a row or a dead letter, every event that was acked exactly one row, in every table and view`, async () => {
      const { edge, clickhouse, movers, replaying, query, command } = pipeline;
      const kinds = kindsOf(pipeline);
      const chaos = roundsOf({ random, lastsMsMax: 700, restMsMax: 300 });
      const operator = broker.flows && startOperator(broker.flows(), seeded(random.seed + 4));
      const played = await chaos.play(rounds, deckOf(random, kinds), playMsMax);
      if (played < rounds) console.warn(`ONLY ${played} OF ${rounds} ROUNDS IN ${playMsMax} ms`);
      await operator?.end();
      const isWhole = played >= 100;
      if (isWhole) await chaos.playLeftOut(kinds);
      await pipeline.quiet();
      await drained(edge.current());
      // What was there before can only be there afterwards because it was read again, so that too skips nothing.
      const dropped = tableDropped(replaying);
      await eventually(async () => (await dropped.begin()) !== missed, { what: 'the last table dropped' });
      await dropped.end();

      const log = await readLog(broker, ledger);
      const all = [...movers, replaying.replayer];
      const isRead = async (): Promise<true> => {
        const behind = await pipeline.behind();
        if (behind === 0) return true;
        const said = all.map(async ({ part }) => (await fetch(`${part.now().url}/healthz/ready`)).text());
        throw new Error(`${behind} records behind: ${(await Promise.all(said)).join(' ')}`);
      };
      await eventually(isRead, { msMax: 150_000, pauseMs: 200, what: 'the end of the log' });
      const { code, stderr } = await runUgc([
        ...['dead', 'replay', `--clickhouse-url=${clickhouse.part.now().clickhouseUrl}`],
        `--clickhouse-database=${pipeline.database}`,
      ]);
      // How far it is is told once it takes a while.
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^(looked at .*\n)*$/) });

      const account = await accountOf(query, ledger, log);
      console.log(
        `${name}: ${tally(chaos.dealt)}\n${name}: missed ${tally(chaos.missed)}\n` +
          `${name}: ${account.acked} acked (${tally(ledger.stored)}), ${log.records} records, ${account.rows} rows, ` +
          `${log.poison.size} poison and ${log.tooLarge.size} replayed letters, ${ledger.rejected.size} rejected\n` +
          (operator ? `${name}: wishes of flows ${tally(operator.wished)}\n` : '') +
          `${name}: ClickHouse said ${tally(pipeline.said())}`,
      );
      const nothing = { lost: [], doubled: [], foreign: [], unmoved: [], unheard: [], letters: [], uneven: [] };
      expect(account).toMatchObject(nothing);
      expect(await wrongAggregates(query, command)).toEqual([]);
      expect([...pipeline.crashes(), ...edge.failures]).toEqual([]);
      const halted = await Promise.all(all.map(({ part }) => metric(part.now().url, 'ugc_etl_halted')));
      expect(halted).toEqual([0, 0, 0]);
      if (operator) expect(operator.wished.get('paused') ?? 0).toBeGreaterThan(0);
      expect(account.acked).toBeGreaterThan(played * 10);
      expect(log.poison.size).toBeGreaterThan(0);
      expect(log.tooLarge.size).toBeGreaterThan(0);
      // Aims that never hit would show nothing.
      if (isWhole) expect([...chaos.missed.keys()].filter(kind => !chaos.dealt.has(kind))).toEqual([]);
      expect(await edge.stop()).toBe(0);
      for (const part of [...all.map(mover => mover.part), clickhouse.part]) await part.stop();
    });
  });
}
