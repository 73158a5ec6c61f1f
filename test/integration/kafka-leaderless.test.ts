// A partition whose brokers are all away, as happens with one replica: its topic's other partitions are written and read
// as ever, and its own records wait. Then the broker comes back, or an operator gives what it had up.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import { kafkaLog } from '../../src/adapters/kafka/write/log.ts';
import { partitionOf } from '../../src/adapters/kafka/write/partition.ts';
import type { Envelope, Log } from '../../src/ports/log.ts';
import { envelope } from '../support/buffer.ts';
import { isWithoutKafka, kafkaClient } from '../support/kafka.ts';
import { startCluster, type TestCluster } from '../support/kafka-cluster.ts';
import { kafkaJars } from '../support/kafka-jars.ts';
import { commitAll, namesOf, read, sourcesOf, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/until.ts';

describe.skipIf(await isWithoutKafka('own'))('a partition of three on three brokers, without replicas,', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stopForGood());
  const sources = sourcesOf(() => ({ brokers: cluster.brokers }));

  /** Partition 0 lives on node 1 alone, 1 on 2, 2 on 3. */
  async function spread(topic: string): Promise<void> {
    const admin = kafkaClient(cluster.brokers, 10).admin();
    await admin.connect();
    const replicaAssignment = [0, 1, 2].map(partition => ({ partition, replicas: [partition + 1] }));
    await eventually(() =>
      admin.createTopics({
        topics: [{ topic, replicaAssignment, configEntries: [{ name: 'min.insync.replicas', value: '1' }] }],
        waitForLeaders: false,
      }),
    );
    await eventually(() => admin.fetchTopicOffsets(topic), { what: 'its leaders' });
    await admin.disconnect();
  }
  const logOf = (): Log =>
    kafkaLog({ brokers: cluster.brokers, clientId: 'ugc', requestTimeoutMs: 10_000, metadataAgeMsMax: 500 });
  /** Keys, each of which belongs to the partition of its place. */
  const keys = [0, 1, 2].map(wanted => {
    for (let at = 0; ; at++) if (partitionOf(`user-${at}`, 3) === wanted) return `user-${at}`;
  });
  const to = (topic: string, name: string, key: string | null): Envelope => ({
    ...envelope(name),
    topic,
    key,
    body: stamped(name),
  });
  const storedOf = (outcomes: Awaited<ReturnType<Log['publish']>>) => outcomes.map(outcome => outcome.ok);

  /** Another broker is to hold the partition, and to lead it without what was there. */
  async function giveUp(topic: string, partition: number, node: number): Promise<boolean> {
    const jars = await kafkaJars();
    if ('missing' in jars) throw new Error(jars.missing);
    const script = join(import.meta.dir, '../support/java/GiveUp.java');
    const what = [cluster.brokers[0]!, topic, `${partition}`, `${node}`];
    const java = Bun.spawn(['java', '-cp', `${jars.jars}/*`, script, ...what], { stdout: 'ignore', stderr: 'pipe' });
    const said = await new Response(java.stderr).text();
    if ((await java.exited) !== 0) throw new Error(said.slice(-1_000));
    return true;
  }

  test('costs nobody but its own keys anything while its broker is away, and all of it is there when it is back', async () => {
    const [topic, group] = ['leaderless', 'leaderless-readers'];
    await spread(topic);
    const log = logOf();
    const source = sources.open(group, [topic]);
    expect(storedOf(await log.publish(keys.map((key, at) => to(topic, `a${at}`, key))))).toEqual([true, true, true]);
    await commitAll(source, await read(source, 3));

    await cluster.nodes[2]!.kill();
    const withNodeThree = to(topic, 'late', keys[2]!);
    await eventually(
      async () => {
        const [outcome] = await log.publish([withNodeThree]);
        return outcome!.ok === false && outcome!.error.message.includes('has no leader');
      },
      { what: 'the cluster knows that the partition has no leader' },
    );
    const sent = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'];
    const outcomes = await log.publish([
      ...keys.map((key, at) => to(topic, sent[at]!, key)),
      ...sent.slice(3).map(name => to(topic, name, null)),
    ]);
    expect(storedOf(outcomes)).toEqual([true, true, false, true, true, true]);
    expect(outcomes[2]).toMatchObject({ error: { code: 'log_unavailable', isOfPart: true } });
    const stored = sent.filter(name => name !== 'b2');
    expect(namesOf(await read(source, 5)).toSorted()).toEqual(stored);
    await eventually(() => source.problem()?.includes(`${topic}/2 has no leader`), { what: 'the reader says so' });

    // Who starts now reads what can be read, and says of the rest that it is not known.
    const other = sources.open(`${group}-2`, [topic]);
    expect(namesOf(await read(other, 7)).toSorted()).toEqual(['a0', 'a1', ...stored]);
    expect(other.problem()).toContain(`${topic}/2 has no leader`);
    expect(other.lag().has(topic)).toBe(false);
    await other.close();

    await cluster.heal();
    await eventually(async () => (await log.publish([to(topic, 'back', keys[2]!)]))[0]!.ok, {
      what: 'it is written to',
    });
    const back = new Set<string>();
    while (!back.has('back')) for (const name of namesOf(await read(source, 1))) back.add(name);
    await eventually(() => source.problem() === null);
    await Promise.all([log.close(), source.close()]);
  });

  test.skipIf(Bun.which('java') === null)(
    'is given up with Kafka’s own tools when its broker is gone for good, and goes on elsewhere',
    async () => {
      const [topic, group] = ['given-up', 'given-up-readers'];
      await spread(topic);
      const log = logOf();
      const source = sources.open(group, [topic]);
      expect(storedOf(await log.publish(keys.map((key, at) => to(topic, `a${at}`, key))))).toEqual([true, true, true]);
      await commitAll(source, await read(source, 3));
      await cluster.nodes[2]!.kill();
      await eventually(() => source.problem()?.includes('has no leader'), { what: 'the reader says so' });

      // Topics can be created, whatever has no leader.
      expect(
        await ensureTopics({ brokers: cluster.brokers, clientId: 'ugc' }, [`${topic}.more`], {
          partitions: 2,
          replicas: 1,
        }),
      ).toEqual([`${topic}.more`]);

      await eventually(() => giveUp(topic, 2, 1), { what: 'another broker leads it' });

      await eventually(async () => (await log.publish([to(topic, 'b', keys[2]!)]))[0]!.ok, {
        what: 'it is written to',
      });
      const seen = new Set<string>();
      while (!seen.has('b')) for (const name of namesOf(await read(source, 1))) seen.add(name);
      await eventually(() => source.problem() === null);
      await Promise.all([log.close(), source.close()]);
      await cluster.heal();
    },
  );
});
