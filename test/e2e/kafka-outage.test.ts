// Kafka away in each of its ways, one at a time: what clients are told, what an operator sees, and that everything comes
// back by itself.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import { clientEvent, exampleClick } from '../support/events.ts';
import { isWithoutKafka, kafkaClient } from '../support/kafka.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../support/kafka-cluster.ts';
import { compareWithKafka, readKafka } from '../support/kafka-oracle.ts';
import { type Ledger, load, newLedger, type Timed } from '../support/load.ts';
import { drained, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const click = (more: object = {}) => ({ ...exampleClick, event_id: Bun.randomUUIDv7(), ...more });
const random = randomOf('kafka outage');

describe.skipIf(await isWithoutKafka('own'))('one broker', () => {
  let cluster: TestCluster;
  let node: ClusterNode;
  let prefix: string;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    node = cluster.nodes[0]!;
  });
  afterAll(() => cluster?.stopForGood());
  /** Each test has topics of its own, and a broker in health. */
  beforeEach(async () => {
    prefix = `t${Bun.randomUUIDv7().slice(-8)}`;
    await cluster.heal();
  });

  const topics = () => catalogue.types.map(type => topicOf(`${prefix}.{event_type}`, type));
  const start = (dataDir: string, ...flags: string[]): Promise<Ugc> =>
    startUgc({
      dataDir,
      flags: [
        ...['--role=ingest', '--request-log=false', `--kafka-brokers=${cluster.proxied.join(',')}`],
        ...[`--topic=${prefix}.{event_type}`, '--topic-partitions=2', ...flags],
      ],
    });
  const stored = async (ugc: Ugc, event: object = click()): Promise<string> => {
    const response = await ugc.post(event);
    const { stored: where } = (await response.json()) as { stored?: string };
    return `${response.status} ${where}`;
  };
  const ready = async (ugc: Ugc) => (await fetch(`${ugc.url}/healthz/ready`)).status;
  const takesAgain = (ugc: Ugc) => eventually(async () => (await stored(ugc)) === '200 kafka', { what: 'kafka again' });
  const idsInKafka = async () => [...(await readKafka(cluster.brokers, topics())).events.keys()].sort();
  const createTopics = async (configEntries: { name: string; value: string }[] = []) => {
    const admin = kafkaClient(cluster.brokers, 5).admin();
    await admin.connect();
    await admin.createTopics({
      topics: topics().map(topic => ({ topic, numPartitions: 2, configEntries })),
      waitForLeaders: false, // kafkajs gives up on a topic that not every broker has heard of yet
    });
    await admin.disconnect();
  };

  /** Load on a new ugc, through an outage and back; what clients saw of it, and what Kafka has afterwards. */
  async function through(outage: { readonly begin: () => unknown; readonly end: () => unknown }) {
    const ugc = await start(temporaryFolder());
    const ledger: Ledger = newLedger();
    const answers: Timed[] = [];
    const loading = new AbortController();
    const { signal } = loading;
    const onAnswer = (answer: Timed) => void answers.push(answer);
    const done = load({ url: ugc.url, random, ledger, clients: 6, signal, pauseMsMax: 20, onAnswer });
    const more = (where: string, count: number) => {
      const before = ledger.stored.get(where) ?? 0;
      return eventually(() => (ledger.stored.get(where) ?? 0) > before + count, { what: `events on ${where}` });
    };
    await more('kafka', 200);
    const beganAt = performance.now();
    await outage.begin();
    await more('disk', 500);
    expect(await ready(ugc)).toBe(200);
    expect(await metric(ugc.url, 'ugc_breaker_open')).toBe(1);
    await outage.end();
    await more('kafka', 500);
    expect(await metric(ugc.url, 'ugc_breaker_open')).toBe(0);
    loading.abort();
    await done;
    await drained(ugc);
    expect(await ugc.stop()).toBe(0);
    const slowestOf = (some: readonly Timed[]) =>
      Math.max(...some.map(({ sentAt, answeredAt }) => answeredAt - sentAt));
    const slowestMs = slowestOf(answers.filter(({ answeredAt }) => answeredAt >= beganAt));
    const usualMs = slowestOf(answers.filter(({ answeredAt }) => answeredAt < beganAt));
    const found = compareWithKafka(ledger, await readKafka(cluster.brokers, topics()));
    console.log(
      `outage: ${found.acked} acked, slowest answer ${Math.round(slowestMs)} ms, before it ${Math.round(usualMs)} ms, ${found.repeatedByUs} sent twice by us`,
    );
    expect(found).toMatchObject({ lost: [], foreign: [], malformed: [] });
    expect(ledger.failures).toEqual(new Map());
    // A second, and what this machine takes beside its other work.
    return { longest: { isMs: slowestMs, mayBeMs: 1_000 + 2 * usualMs }, found };
  }

  test('posthog#28042: killed, no request fails or takes a second, and Kafka has all of it once it is back', async () => {
    const { longest } = await through({ begin: () => node.kill(), end: () => node.start() });
    expect(longest.isMs).toBeLessThan(longest.mayBeMs);
  });

  test('hung: what is in flight is answered from the disk, and Kafka has all of it once it goes on', async () => {
    const { longest } = await through({ begin: () => node.stop(), end: () => node.cont() });
    expect(longest.isMs).toBeLessThan(longest.mayBeMs);
  });

  test('behind a network that is silent, then gone: the same', async () => {
    const { longest } = await through({
      begin: () => node.proxy.hang(),
      end: () => {
        node.proxy.cut();
        node.proxy.heal();
      },
    });
    expect(longest.isMs).toBeLessThan(longest.mayBeMs);
  });

  test('down at the start: events are taken at once, outlive a kill, and are delivered when it comes', async () => {
    const dataDir = temporaryFolder();
    await node.kill();
    const first = await start(dataDir);
    const events = [click(), click(), clientEvent(random)];
    for (const event of events) expect(await stored(first, event)).toBe('200 disk');
    expect(await ready(first)).toBe(200);
    first.kill('SIGKILL');
    await first.exited;

    const ugc = await start(dataDir);
    const last = click();
    expect(await stored(ugc, last)).toBe('200 disk');
    expect(await metric(ugc.url, 'ugc_buffer_events')).toBe(4);
    await node.start();
    await drained(ugc);
    expect(await idsInKafka()).toEqual([...events, last].map(({ event_id }) => event_id).sort());
    await takesAgain(ugc);
    expect(await ugc.stop()).toBe(0);
  });

  test('hung at the start: events are taken within three seconds more than with one that answers', async () => {
    await createTopics();
    const begun = async (where: string) => {
      const startedAt = performance.now();
      const ugc = await start(temporaryFolder());
      expect(await stored(ugc)).toBe(`200 ${where}`);
      return { ugc, ms: performance.now() - startedAt };
    };
    const before = await begun('kafka');
    expect(await before.ugc.stop()).toBe(0);
    node.stop();
    const { ugc, ms } = await begun('disk');
    expect(ms - before.ms).toBeLessThan(3_000);
    expect(await ready(ugc)).toBe(200);
    node.cont();
    await takesAgain(ugc);
    await drained(ugc);
    expect(await ugc.stop()).toBe(0);
  });

  test('hung at SIGTERM: the process ends in time, with 0, and what was acked is delivered by the next one', async () => {
    const dataDir = temporaryFolder();
    const ugc = await start(dataDir, '--shutdown-timeout-ms=3000');
    await takesAgain(ugc);
    node.stop();
    let event = click();
    await eventually(
      async () => {
        event = click();
        return (await stored(ugc, event)) === '200 disk';
      },
      { what: 'an event on the disk' },
    );
    const startedAt = performance.now();
    expect(await ugc.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    node.cont();
    const next = await start(dataDir);
    await drained(next);
    expect(await idsInKafka()).toContain(event.event_id);
    expect(await next.stop()).toBe(0);
  });

  test('an event that its topic never takes is set aside and counted, and the others flow', async () => {
    await createTopics([{ name: 'max.message.bytes', value: '1500' }]);
    const ugc = await start(temporaryFolder());
    const large = click({ properties: { note: 'x'.repeat(5_000) } });
    const small = [click(), clientEvent(random), click()];
    const response = await ugc.post([small[0], large, small[1], small[2]]);
    expect(response.status).toBe(200);
    await eventually(async () => (await metric(ugc.url, 'ugc_buffer_quarantined_events')) === 1);
    await drained(ugc);
    expect(await idsInKafka()).toEqual(small.map(({ event_id }) => event_id).sort());
    expect(ugc.output()).toContain('max.message.bytes');
    expect(await stored(ugc)).toBe('200 kafka');
    expect(await ugc.stop()).toBe(0);
  });

  test('topics that are missing and must not be created: the command is said, and once they are there all is well', async () => {
    const ugc = await start(temporaryFolder(), '--topic-create=false');
    expect(await stored(ugc)).toBe('200 disk');
    for (const topic of topics()) {
      const command = `kafka-topics.sh --bootstrap-server ${cluster.proxied[0]} --create --if-not-exists --topic ${topic} --partitions 2 --replication-factor 1`;
      await eventually(() => ugc.output().includes(command), { what: command });
    }
    expect(ugc.output()).toMatch(/"log\.level":"error"/);
    expect(await ready(ugc)).toBe(200);
    expect(await metric(ugc.url, 'ugc_buffer_events')).toBe(1);
    await createTopics();
    await drained(ugc);
    await takesAgain(ugc);
    expect(await ugc.stop()).toBe(0);
  });

  test.skipIf(process.platform !== 'linux')(
    'an idle process hardly works, neither with Kafka nor with events that wait for it',
    async () => {
      const ugc = await start(temporaryFolder());
      await takesAgain(ugc);
      await drained(ugc);
      expect(await cpuShare(ugc.pid)).toBeLessThan(0.1);
      await node.kill();
      expect(
        await stored(
          ugc,
          Array.from({ length: 50 }, () => click()),
        ),
      ).toStartWith('200');
      expect(await cpuShare(ugc.pid)).toBeLessThan(0.1);
      await node.start();
      await drained(ugc);
      expect(await ugc.stop()).toBe(0);
    },
  );
});

const cpuSeconds = 3;

/** Of one core, over some seconds: the process's own time, so whoever else works does not count. */
async function cpuShare(pid: number): Promise<number> {
  // utime and stime, in hundredths of a second: proc_pid_stat(5)
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  await Bun.sleep(cpuSeconds * 1000);
  const share = (ticks() - before) / 100 / cpuSeconds;
  console.log(`idle: ${(share * 100).toFixed(1)} % of a core`);
  return share;
}
