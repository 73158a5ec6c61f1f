// The promise from the edge to the tables over RabbitMQ, for both kinds of queue: two movers that share it and write to one
// ClickHouse, and everything against them, at random and together, under load. The node killed, hung, short of memory and
// disk, its connections cut; the edge and the movers killed, at each moment of an insert too; ClickHouse as in
// etl-chaos.test.ts. UGC_TEST_RABBITMQ_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { clickhouseFaults } from '../support/clickhouse-faults.ts';
import { moverFaults, replayFaults, tableDropped } from '../support/etl-faults.ts';
import { topics, wrongAggregates } from '../support/etl-oracle.ts';
import { deckOf, edgeFaults, type Make, missed } from '../support/faults.ts';
import { newLedger } from '../support/load.ts';
import { compareRows, drained, metric } from '../support/oracle.ts';
import { isWithoutRabbitmq, rabbitmqClient } from '../support/rabbitmq.ts';
import { eachInStreams, idOf, type RabbitmqPipeline, startRabbitmqPipeline } from '../support/rabbitmq-pipeline.ts';
import { randomOf } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { seedsOf } from '../support/seeds.ts';
import { eventually, runUgc } from '../support/ugc.ts';

const given = process.env.UGC_TEST_RABBITMQ_ROUNDS;
const rounds = Number(given ?? 30);
/** A machine that is busy with other things plays fewer rounds, and says so. */
const playMsMax = given === undefined ? 30_000 : Number.POSITIVE_INFINITY;

const cases = (['stream', 'quorum'] as const).flatMap(kind =>
  seedsOf(`rabbitmq chaos, ${kind}`).map(seed => [kind, seed] as const),
);

describe.skipIf(isWithoutRabbitmq('own')).each(cases)(
  '%s queues of RabbitMQ and everything against them, by seed %i',
  (kind, seed) => {
    const random = randomOf(`rabbitmq chaos, ${kind}`, seed);
    const ledger = newLedger();
    let pipeline: RabbitmqPipeline;
    beforeAll(async () => {
      pipeline = await startRabbitmqPipeline(kind, random, ledger);
    });
    afterAll(() => pipeline?.close());

    function kindsOf({ faults, edge, etl, sessionMs, replaying }: RabbitmqPipeline): Make[] {
      const against = { ...{ random, sessionMs }, ...etl };
      return [
        ...faults,
        ...edgeFaults(() => edge),
        ...moverFaults(against),
        ...clickhouseFaults(against),
        ...(replaying === null ? [] : replayFaults(replaying)),
      ];
    }

    test(`${rounds} rounds: every event that was acked is exactly one row, and every other record a dead letter`, async () => {
      const { rabbitmq, edge, etl, poison, replaying } = pipeline;
      const { query, command, clickhouse } = etl;
      const isInRabbitmq = async (): Promise<boolean> => (ledger.stored.get('rabbitmq') ?? 0) > 0;
      await eventually(isInRabbitmq, { what: 'an event in RabbitMQ' });
      const chaos = roundsOf({ random, lastsMsMax: 700, restMsMax: 300 });
      const played = await chaos.play(rounds, deckOf(random, kindsOf(pipeline)), playMsMax);
      if (played < rounds) console.warn(`ONLY ${played} OF ${rounds} ROUNDS IN ${playMsMax} ms`);
      await pipeline.quiet();
      await drained(edge.current());
      // What was there before can only be there afterwards because it was read again, so that too skips nothing.
      if (replaying !== null) {
        const dropped = tableDropped(replaying);
        await eventually(async () => (await dropped.begin()) !== missed, {
          msMax: 300_000,
          what: 'the last table dropped',
        });
        await dropped.end();
        // It tells no lag of what it does not read yet. What it reads again is dead again until it is replayed.
        const isThrough = async (): Promise<boolean> => {
          const text = await (await fetch(`${replaying.replayer.part.now().url}/metrics`)).text();
          return /^ugc_etl_lag_events\{[^}]*topic="ugc\.quality_change"[^}]*\} 0$/m.test(text);
        };
        await eventually(isThrough, { msMax: 300_000, what: 'the topic read again to its end' });
      }
      const dead = async () => {
        const found = await query<{ topic: string; raw: string; open: boolean }>(
          'SELECT topic, base64Encode(raw) AS raw, replayed_at IS NULL AS open FROM ugc.dead_letters',
        );
        return found.map(({ topic, raw, open }) => ({ name: `${topic} ${raw}`, isOpen: Boolean(open) }));
      };
      const replay = () =>
        runUgc([
          ...['dead', 'replay', `--clickhouse-url=${clickhouse.part.now().clickhouseUrl}`],
          `--clickhouse-database=${etl.database}`,
        ]);
      const names = async () => new Set((await dead()).map(({ name }) => name));
      await eventually(async () => poison.isSubsetOf(await names()), { msMax: 300_000, what: 'all dead letters' });
      await eventually(
        async () => {
          await replay(); // events that were too large are rows by it alone
          return (await compareRows(query, ledger)).lost.length === 0;
        },
        { msMax: 300_000, pauseMs: 1_000, what: `rows of ${ledger.acked.size} events` },
      );
      const { code, stderr } = await replay();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

      const finding = await compareRows(query, ledger);
      console.log(
        `rabbitmq chaos, ${kind}: ${tally(chaos.dealt)}\nrabbitmq chaos, ${kind}: missed ${tally(chaos.missed)}\n` +
          `rabbitmq chaos, ${kind}: ${finding.acked} acked (${tally(ledger.stored)}), ${finding.rows} rows, ` +
          `${poison.size} poison, ${ledger.rejected.size} rejected`,
      );
      expect(finding).toMatchObject({ lost: [], doubled: [], foreign: [] });
      const letters = await dead();
      expect(letters).toHaveLength(new Set(letters.map(({ name }) => name)).size);
      const good = letters.filter(
        ({ name, isOpen }) => isOpen && ledger.sent.has(idOf(Buffer.from(name.split(' ')[1]!, 'base64'))),
      );
      expect(good).toEqual([]);
      expect(await wrongAggregates(query, command)).toEqual([]);
      expect([...etl.crashes(), ...edge.failures]).toEqual([]);
      expect(finding.acked).toBeGreaterThan(played * 10);
      expect(poison.size).toBeGreaterThan(0);
      for (const where of ['rabbitmq', 'disk']) expect(ledger.stored.get(where)).toBeGreaterThan(0);
      const parts = [...etl.movers, ...(etl.replayer === null ? [] : [etl.replayer])];
      const halted = await Promise.all(parts.map(({ part }) => metric(part.now().url, 'ugc_etl_halted')));
      expect(halted).toEqual(parts.map(() => 0));

      if (kind === 'stream') {
        const rows = new Set(
          (await query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.events')).map(({ id }) => id),
        );
        const unmoved: string[] = [];
        const heard = new Set<string>();
        const known = new Set(letters.map(({ name }) => name));
        await eachInStreams(rabbitmq.url, (topic, value) => {
          heard.add(idOf(value));
          if (!rows.has(idOf(value)) && !known.has(`${topic} ${value.toString('base64')}`)) unmoved.push(`${value}`);
        });
        expect({ unmoved, unheard: [...rows].filter(id => !heard.has(id)) }).toEqual({ unmoved: [], unheard: [] });
      }
      expect(await edge.stop()).toBe(0);
      await etl.stop();
      if (kind === 'quorum') expect(await leftIn(rabbitmq.url)).toEqual(topics.map(topic => `${topic}: 0`));
    });
  },
);

/** Of queues that nobody reads any more. */
async function leftIn(url: string): Promise<string[]> {
  const model = await rabbitmqClient(url);
  const channel = await model.createChannel();
  const left: string[] = [];
  for (const topic of topics) {
    // What is acknowledged is counted a moment later.
    const count = async () => (await channel.checkQueue(topic)).messageCount;
    await eventually(async () => (await count()) === 0, { what: `nothing left in ${topic}` });
    left.push(`${topic}: ${await count()}`);
  }
  await model.close();
  return left;
}
