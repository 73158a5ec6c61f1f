// The promise of Kafka and the disk behind it, in the worst of circumstances: three brokers, a bad network, a disk that is full or
// fails to be read, a dying ugc, at random and together, under load. UGC_TEST_CHAOS_ROUNDS says how long, UGC_TEST_SEED
// repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import { clientEvent } from '../support/events.ts';
import { failingReads } from '../support/failing-reads.ts';
import {
  brokerFaults,
  deckOf,
  diskFaults,
  diskFullName,
  edgeFaults,
  type Fault,
  makeRoom,
  nameOf,
  readFaults,
  readsFailName,
  ugcFrozenName,
} from '../support/faults.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { startCluster, type TestCluster } from '../support/kafka-cluster.ts';
import { compareWithKafka, readKafka } from '../support/kafka-oracle.ts';
import { newLedger, type Timed } from '../support/load.ts';
import { drained } from '../support/oracle.ts';
import { type Random, randomOf, seeded } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { seedsOf } from '../support/seeds.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';
import { ugcLives } from '../support/ugc-lives.ts';

const rounds = Number(process.env.UGC_TEST_CHAOS_ROUNDS ?? 50);

/** Promised is a second; as much again for two cores on which a broker starts meanwhile. */
const answerMsMax = 2_000;
/** A full disk is known to be free, and what piled up is answered, a moment later. */
const excuseMs = 2_000;

/** Few topics: a broker that was killed looks through each of its partitions before it is back. */
const topic = 'ugc.{family}';
const topics = [...new Set(catalogue.types.map(type => topicOf(topic, type)))];

const flagsOf = ({ proxied }: TestCluster, topicPattern: string, replicas = 3): string[] => [
  ...['--role=ingest', '--request-log=false', `--kafka-brokers=${proxied.join(',')}`],
  ...[`--topic=${topicPattern}`, `--topic-replication=${replicas}`, '--topic-partitions=6'],
  ...['--kafka-request-timeout-ms=3000', '--buffer-disk-reserve-bytes=1MiB'],
];

describe.skipIf(await isWithoutKafka('own')).each(seedsOf('kafka chaos'))(
  'three brokers and everything against them, by seed %i',
  seed => {
    const random = randomOf('kafka chaos', seed);
    // Of their own, or the dice of the faults would fall as the load and the network happen to run.
    const [jitter, loading, chosen] = [1, 2, 3].map(more => seeded(random.seed + more)) as [Random, Random, Random];
    let cluster: TestCluster;
    const reads = failingReads(random.seed);
    let disk: SmallDisk | null;
    beforeAll(async () => {
      disk = smallDisk(96);
      cluster = await startCluster({ random: jitter.next });
    });
    afterAll(async () => {
      await cluster?.stopForGood();
      disk?.unmount();
    });

    for (const fault of ['killed', 'hung'] as const)
      test(`with one of the three ${fault} for good, everything goes to Kafka again without it`, async () => {
        const ugc = await startUgc({ dataDir: temporaryFolder(), flags: flagsOf(cluster, `${fault}.{family}`) });
        /** Enough users to reach every partition. */
        const wave = async (): Promise<ReadonlySet<string>> => {
          const answers = await Promise.all(
            Array.from({ length: 60 }, async (_, at) => {
              const response = await ugc.post({ ...clientEvent(chosen), user_id: `user-${at}` });
              return `${response.status} ${((await response.json()) as { stored?: string }).stored}`;
            }),
          );
          return new Set(answers);
        };
        const all = async () => [...(await wave())].join() === '200 kafka';
        await eventually(all, { what: 'all of a wave in Kafka' });
        const node = chosen.pick(cluster.nodes);
        const beganAt = performance.now();
        if (fault === 'killed') await node.kill();
        else node.stop();
        await eventually(async () => (await wave()).has('200 disk'), { what: 'some of a wave on the disk' });
        await eventually(all, { what: 'all of a wave in Kafka without one of its brokers' });
        console.log(`one of three ${fault}: all in Kafka again after ${Math.round(performance.now() - beganAt)} ms`);
        await drained(ugc);
        expect(await ugc.stop()).toBe(0);
        await cluster.heal();
      });

    // With one replica every broker that is away leaves partitions without a leader.
    const replicas = random.seed % 3 === 0 ? 3 : 1;
    test(`${rounds} rounds, replication ${replicas}: every event that was acked is in Kafka, and nothing else`, async () => {
      const ledger = newLedger();
      const active = new Set<Fault>();
      // With nowhere to write to, Kafka is waited for, and without it the answer is 503; a frozen process answers nobody.
      const excuses = new Set([diskFullName, readsFailName, ugcFrozenName]);
      let excusedUntil = Number.NEGATIVE_INFINITY;
      const isExcused = ({ sentAt }: Timed) =>
        sentAt < excusedUntil || [...active].some(({ kind }) => excuses.has(kind));
      const lives = await ugcLives({
        dataDir: disk?.path ?? temporaryFolder(),
        flags: flagsOf(cluster, topic, replicas),
        env: reads?.env ?? {},
        random: loading,
        ledger,
        circumstances: () => [...active].map(nameOf).join(', ') || 'nothing',
        isExcused,
        makeRoom: () => disk !== null && makeRoom(disk),
      });
      const kinds = [
        ...brokerFaults(cluster, random),
        ...edgeFaults(() => lives),
        ...(disk === null ? [] : diskFaults(disk, random)),
        ...(reads === null ? [] : readFaults(reads)),
      ];
      const chaos = roundsOf({
        random,
        lastsMsMax: 900,
        restMsMax: 1_000,
        active,
        onEnd: ({ kind }) => {
          if (excuses.has(kind)) excusedUntil = performance.now() + excuseMs;
        },
      });
      await chaos.play(rounds, deckOf(random, kinds));
      await lives.quiet();
      reads?.fail(0);
      await cluster.heal();
      await drained(lives.current());
      expect(await lives.stop()).toBe(0);

      const contents = await readKafka(cluster.brokers, topics);
      const finding = compareWithKafka(ledger, contents);
      const { lost, foreign, malformed } = finding;
      const slowest = lives.slowest();
      console.log(
        `chaos: ${tally(chaos.dealt)}\n` +
          `chaos: ${finding.acked} acked (${[...ledger.stored].map(([where, times]) => `${times} ${where}`).join(', ')}), ` +
          `${finding.records} records, ${finding.repeatedByUs} of them sent twice by us, ${ledger.rejected.size} rejected\n` +
          `chaos: ${reads?.failed() ?? 'no'} reads of the buffer failed\n` +
          `chaos: slowest of ${lives.answers()} answers ${Math.round(slowest.ms)} ms, during ${slowest.during}; ` +
          `starts up to ${Math.round(Math.max(...lives.startMs))} ms, stops up to ${Math.round(Math.max(0, ...lives.stopMs))} ms`,
      );
      expect({ lost, foreign, malformed }).toEqual({ lost: [], foreign: [], malformed: [] });
      expect(lives.failures).toEqual([]);
      expect([...ledger.failures.keys()].filter(status => status !== 0 && status !== 503)).toEqual([]);
      expect(slowest.ms).toBeLessThan(answerMsMax);
      expect(finding.acked).toBeGreaterThan(rounds * 20);
      for (const where of ['kafka', 'disk']) expect(ledger.stored.get(where)).toBeGreaterThan(0);
    });
  },
);
