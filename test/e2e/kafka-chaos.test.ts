// The promise of Kafka and the disk behind it, in the worst of circumstances: three brokers, a bad network, a full disk and
// a dying ugc, at random and together, under load. UGC_TEST_CHAOS_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import { deckOf, diskFullName, type Fault } from '../support/faults.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { startCluster, type TestCluster } from '../support/kafka-cluster.ts';
import { compareWithKafka, readKafka } from '../support/kafka-oracle.ts';
import { newLedger, type Timed } from '../support/load.ts';
import { drained } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/ugc.ts';
import { ugcLives } from '../support/ugc-lives.ts';

const rounds = Number(process.env.UGC_TEST_CHAOS_ROUNDS ?? 50);

/** Promised is a second; as much again for two cores on which a broker starts meanwhile. */
const answerMsMax = 2_000;
/** A full disk is known to be free again a moment later. */
const diskGraceMs = 2_000;

const topics = catalogue.types.map(type => topicOf('ugc.{event_type}', type));

describe.skipIf(await isWithoutKafka('own'))('three brokers and everything against them', () => {
  const random = randomOf('kafka chaos');
  let cluster: TestCluster;
  let disk: SmallDisk | null;
  beforeAll(async () => {
    disk = smallDisk(96);
    cluster = await startCluster({ random: random.next });
  });
  afterAll(async () => {
    await cluster?.stopForGood();
    disk?.unmount();
  });

  test(`${rounds} rounds: every event that was acked is in Kafka, and nothing else`, async () => {
    const ledger = newLedger();
    const active = new Set<Fault>();
    let diskFullUntil = Number.NEGATIVE_INFINITY;
    const isDiskFull = () => [...active].some(({ name }) => name === diskFullName);
    // With nowhere to write to, Kafka is waited for, and without it the answer is 503.
    const isExcused = ({ sentAt }: Timed) => isDiskFull() || sentAt < diskFullUntil;
    const lives = await ugcLives({
      dataDir: disk?.path ?? temporaryFolder(),
      flags: [
        ...['--role=ingest', '--request-log=false', `--kafka-brokers=${cluster.proxied.join(',')}`],
        ...['--topic-replication=3', '--topic-partitions=3', '--kafka-request-timeout-ms=3000'],
        '--buffer-disk-reserve-bytes=1MiB',
      ],
      random,
      ledger,
      circumstances: () => [...active].map(({ name }) => name).join(', ') || 'nothing',
      isExcused,
    });
    const deal = deckOf({ cluster, random, lives: () => lives, disk });
    const dealt = new Map<string, number>();

    for (let round = 0; round < rounds; round++) {
      const faults = Array.from({ length: random.pick([1, 1, 2, 3]) }, deal);
      for (const fault of faults) {
        const kind = fault.name.replace(/ [\d+]+$/, '');
        dealt.set(kind, (dealt.get(kind) ?? 0) + 1);
        active.add(fault);
        await fault.begin();
        await Bun.sleep(random.between(20, 900)); // how long it lasts is the random part
      }
      for (const fault of faults) {
        await fault.end();
        active.delete(fault);
        if (fault.name === diskFullName) diskFullUntil = performance.now() + diskGraceMs;
      }
      await Bun.sleep(random.between(0, 400));
    }
    await lives.quiet();
    await cluster.heal();
    await drained(lives.current());
    expect(await lives.current().stop()).toBe(0);

    const contents = await readKafka(cluster.brokers, topics);
    const finding = compareWithKafka(ledger, contents);
    const { lost, foreign, malformed } = finding;
    const slowest = lives.slowest();
    console.log(
      `chaos: ${[...dealt].map(([kind, times]) => `${times} × ${kind}`).join(', ')}\n` +
        `chaos: ${finding.acked} acked (${[...ledger.stored].map(([where, times]) => `${times} ${where}`).join(', ')}), ` +
        `${finding.records} records, ${finding.repeatedByUs} of them sent twice by us, ${ledger.rejected.size} rejected\n` +
        `chaos: slowest of ${lives.answers()} answers ${Math.round(slowest.ms)} ms, during ${slowest.during}; ` +
        `starts up to ${Math.round(Math.max(...lives.startMs))} ms, stops up to ${Math.round(Math.max(0, ...lives.stopMs))} ms`,
    );
    expect({ lost, foreign, malformed }).toEqual({ lost: [], foreign: [], malformed: [] });
    expect(lives.failures).toEqual([]);
    expect(slowest.ms).toBeLessThan(answerMsMax);
    expect(finding.acked).toBeGreaterThan(rounds * 20);
    for (const where of ['kafka', 'disk']) expect(ledger.stored.get(where)).toBeGreaterThan(0);
  });
});
