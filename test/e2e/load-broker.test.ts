// `ugc load --into=broker`: etl alone, with records as an edge writes them.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { isWithoutKafka, kafkaClient, startKafka, type TestKafka } from '../support/kafka.ts';
import { cleanUp, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

test('without a broker it says what it needs, and what is of HTTP is refused', async () => {
  const dataDir = `--data-dir=${temporaryFolder()}`;
  for (const [flags, words] of [
    [[], 'needs a broker'],
    [['--shape=segment'], '--into=broker has no --shape=segment'],
    [['--gzip'], 'of HTTP'],
  ] as const) {
    const { code, stderr } = await runUgc(['load', '--into=broker', dataDir, ...flags]);
    expect({ flags, code }).toEqual({ flags, code: 2 });
    expect(stderr).toContain(words);
  }
});

describe.skipIf(await isWithoutKafka())('a broker', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stopForGood());

  test('what was acknowledged becomes rows by etl, and a record is what an edge writes', async () => {
    const dataDir = temporaryFolder();
    const topic = `t${Bun.randomUUIDv7().slice(-8)}.{event_type}`;
    const settings = [`--kafka-brokers=${kafka.brokers}`, `--topic=${topic}`, '--topic-partitions=2'];
    const given = ['load', '--into=broker', '--json', `--data-dir=${dataDir}`, ...settings, '--duration=2'];
    const etl = await startUgc({ dataDir, flags: ['--role=etl', ...settings] });
    for (const flags of [
      ['--rate=300', '--bad-share=10%', '--duplicate-share=10%'],
      ['--rate=2000', '--shape=batch', '--batch=50'],
    ]) {
      const { code, stdout, stderr } = await runUgc([...given, ...flags, '--verify']);
      const { outcomes, answers, verified, events } = JSON.parse(stdout || `"${stderr}"`);
      expect({ flags, code, outcomes }).toMatchObject({
        code: 0,
        outcomes: { failed: 0, wrongly_refused: 0, wrongly_taken: 0, accepted: events - outcomes.refused },
      });
      expect(answers.acknowledged).toBeGreaterThan(0);
      expect(verified).toMatchObject({ missing: 0, duplicate: 0, rows: verified.accepted });
      expect(verified.accepted).toBeGreaterThan(400);
    }
    // Beside a record of an edge: the same headers, the same form.
    const edge = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest', ...settings] });
    await runUgc(['load', `--url=${edge.url}`, '--types=click', '--rate=20', '--duration=1']);
    await runUgc([...given, '--types=click', '--rate=20']);
    const records = await recordsOf(topic.replace('{event_type}', 'click'));
    const forms = new Set(
      records.map(({ headers, value }) => JSON.stringify([headers, Object.keys(JSON.parse(value))])),
    );
    expect(new Set(records.map(({ value }) => JSON.parse(value).source))).toEqual(new Set(['ugc load', '']));
    expect([...forms]).toHaveLength(1);
    await edge.stop();
    await etl.stop();
  }, 120_000);

  async function recordsOf(topic: string): Promise<{ readonly headers: unknown; readonly value: string }[]> {
    const client = kafkaClient(kafka.brokers, 5);
    const admin = client.admin();
    const offsets = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const wanted = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    const consumer = client.consumer({ groupId: `g${Bun.randomUUIDv7()}` });
    const found: { headers: unknown; value: string }[] = [];
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>(resolve =>
      consumer.run({
        eachMessage: async ({ message }) => {
          found.push({ headers: Object.keys(message.headers ?? {}), value: String(message.value) });
          if (found.length === wanted) resolve();
        },
      }),
    );
    await consumer.disconnect();
    return found;
  }
});
