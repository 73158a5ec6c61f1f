// Topics that change under a running ugc: deleted and made again, by ugc itself or by somebody else with more partitions,
// grown, and the broker killed meanwhile; and a ugc that is killed with events on its disk and started again with other
// topics and settings. At random and under load, from the client to the row. A topic is deleted only once all of it is
// rows: what an operator deletes unread is gone, and no fault of ugc's. UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Admin } from 'kafkajs';
import { catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import { isWithoutKafka, kafkaClient, startKafka, type TestKafka } from '../support/kafka.ts';
import { load, newLedger } from '../support/load.ts';
import { compareRows, drained, metric } from '../support/oracle.ts';
import { randomOf, seeded } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const rounds = Number(process.env.UGC_TEST_TOPIC_ROUNDS ?? 10);
const eventsARound = 300;

describe.skipIf(await isWithoutKafka('own'))('topics that change', () => {
  const random = randomOf('kafka topics chaos');
  const loading = seeded(random.seed + 1);
  let kafka: TestKafka;
  let admin: Admin;
  beforeAll(async () => {
    kafka = await startKafka({ properties: { 'num.io.threads': '3' } }); // never somebody else's
    admin = kafkaClient(kafka.brokers, 20).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await kafka?.stopForGood();
  });

  test(`${rounds} rounds: every event that was acked is a row, once, and nothing else is`, async () => {
    const ledger = newLedger();
    const patterns = ['ugc.{family}', 'other.{family}', 'all'];
    let pattern = patterns[0]!;
    const topics = () => [...new Set(catalogue.types.map(type => topicOf(pattern, type)))];
    const dataDir = temporaryFolder();
    const start = (...more: readonly string[]): Promise<Ugc> =>
      startUgc({
        dataDir,
        flags: [
          ...[`--kafka-brokers=${kafka.brokers}`, `--topic=${pattern}`, '--topic-partitions=2', ...more],
          ...['--request-log=false', '--kafka-session-timeout-ms=6000', '--kafka-request-timeout-ms=3000'],
        ],
      });
    let ugc = await start();
    /** Found replaced, by the lives before this one. */
    let replaced = 0;
    const partitionsOf = async (topic: string): Promise<number> => (await admin.fetchTopicOffsets(topic)).length;
    const remove = () => admin.deleteTopics({ topics: [topic] });
    let topic = '';
    /** Each begins with everything being rows and nobody sending. */
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      deleted: remove,
      'deleted and made again': async () => {
        await remove();
        // ugc may have been faster.
        await admin.createTopics({ topics: [{ topic, numPartitions: random.between(1, 6) }], waitForLeaders: false });
      },
      grown: async () => {
        const count = (await eventually(() => partitionsOf(topic))) + random.between(1, 2);
        await admin.createPartitions({ topicPartitions: [{ topic, count }] });
      },
      'deleted, and the broker killed': async () => {
        await remove();
        await kafka.kill();
        restarting = Bun.sleep(random.between(200, 2_000)).then(() => kafka.restart()); // how long it is away is random
      },
      'settings changed, with events on the disk': async () => {
        await kafka.kill();
        await send();
        replaced += await metric(ugc.url, 'ugc_etl_log_replaced_total');
        const signal = random.pick(['SIGKILL', 'SIGTERM'] as const);
        ugc.kill(signal);
        await ugc.exited;
        pattern = random.pick(patterns.filter(other => other !== pattern));
        ugc = await start(
          random.pick(['--kafka-compression=none', '--kafka-compression=gzip', '--kafka-compression=zstd']),
          random.pick(['--etl-interval-ms=0', '--etl-interval-ms=500', '--etl-block-rows-max=50']),
          random.pick(['--unknown-fields=drop', '--unknown-fields=reject']),
        );
        restarting = Bun.sleep(random.between(0, 1_000)).then(() => kafka.restart());
      },
    };
    let restarting: Promise<void> = Promise.resolve();
    /** More events acked than before, from clients that then fall silent. */
    const send = async (): Promise<void> => {
      const wanted = ledger.acked.size + eventsARound;
      const stopping = new AbortController();
      const { signal } = stopping;
      const sending = load({ url: ugc.url, random: loading, ledger, clients: 3, signal, pauseMsMax: 10 });
      await eventually(() => ledger.acked.size >= wanted, { what: 'more events are acked' });
      stopping.abort();
      await sending;
    };
    const allRows = async (after: string): Promise<void> => {
      await drained(ugc);
      await eventually(async () => (await compareRows(ugc.query, ledger)).lost.length === 0, {
        what: `all of ${ledger.acked.size} acked events are rows after "${after}"`,
      });
    };

    await send();
    await allRows('the start');
    const names = Object.keys(changes);
    const dealt: string[] = [];
    for (let round = 0; round < rounds; round++) {
      // One that was deleted and has had no events since need not be there again yet.
      const there = (await admin.listTopics()).filter(name => topics().includes(name));
      topic = random.pick(there.toSorted());
      // Each kind at least once.
      const name = names[round] ?? random.pick(names);
      dealt.push(`${name} ${topic}`);
      await changes[name]!();
      await send();
      await restarting;
      await allRows(name);
    }
    console.log(`topics chaos: ${dealt.join(', ')}; ${ledger.acked.size} acked`);
    expect(await compareRows(ugc.query, ledger)).toMatchObject({ lost: [], doubled: [], foreign: [] });
    expect([...ledger.failures]).toEqual([]);
    expect(replaced + (await metric(ugc.url, 'ugc_etl_log_replaced_total'))).toBeGreaterThan(0);
    await eventually(
      async () =>
        Bun.deepEquals(await (await fetch(`${ugc.url}/healthz/ready`)).json(), { ready: true, detail: {} }) ||
        (await (await fetch(`${ugc.url}/healthz/ready`)).text()),
      { what: 'all is well' },
    );
    expect(ugc.output()).not.toContain('MaxListenersExceededWarning');
    expect(await ugc.stop()).toBe(0);
  });
});
