// What `ugc doctor` says of topics as somebody has set them up, on a real broker: settings under which events are refused, lost
// before they are read, or not taken at all, and that what it says follows does follow. Brokers that are away, a wrong password
// and a lag are in incidents-kafka.test.ts.

import { describe, expect, test } from 'bun:test';
import { assertFinds, assertHelps, type Diagnosis, doctor } from '../support/doctor.ts';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { metric } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

describe.skipIf(await isWithoutKafka())('topics of Kafka', () => {
  const own = kafkaInTest();
  const settingsOf = (topic: string) => [`--kafka-brokers=${own.kafka.brokers.join(',')}`, `--topic=${topic}`];
  const beforeStart = (topic: string): Promise<Diagnosis> =>
    doctor(['--before-start', `--data-dir=${temporaryFolder()}`, ...settingsOf(topic)]);
  const topicWith = (settings: Readonly<Record<string, string>>): Promise<string> =>
    own.newTopic(
      1,
      Object.entries(settings).map(([name, value]) => ({ name, value })),
    );
  const alter = (topic: string, name: string, value: string) =>
    own.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name, value }] }],
    });
  const stored = async (ugc: Ugc, more: object = {}): Promise<string> => {
    const response = await ugc.post({ ...exampleClick, timestamp: new Date().toISOString(), ...more });
    expect(response.status).toBe(200);
    return ((await response.json()) as { readonly stored: string }).stored;
  };

  test('as they should be nothing is wrong, but that there is one replica', async () => {
    const found = await beforeStart(await topicWith({ 'max.message.bytes': '1048588' }));
    expect(found.code).toBe(0);
    expect(found.checks.filter(({ id, result }) => id.startsWith('kafka.') && result !== 'success')).toMatchObject([
      { id: 'kafka.replication', seen: 'topics have one replica' },
    ]);
    await assertHelps(found.of('kafka.replication')[0]);
  });

  test('messages may be smaller than events: a large one is set aside, and what it says to do helps', async () => {
    const topic = await topicWith({ 'max.message.bytes': '20000' });
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, flags: [...settingsOf(topic), '--role=ingest', '--request-log=false'] });
    const large = { properties: { text: 'x'.repeat(40_000) } };
    await eventually(async () => (await stored(ugc)) === 'kafka', { what: 'a small one in Kafka' });
    await stored(ugc, large);
    await eventually(async () => (await metric(ugc.url, 'ugc_buffer_quarantined_events')) === 1, { what: 'set aside' });
    const settings = [
      ...settingsOf(topic),
      `--data-dir=${dataDir}`,
      `--port=${new URL(ugc.url).port}`,
      '--role=ingest',
    ];
    const found = await doctor(settings);
    await assertFinds(found, 'kafka.sizes', /max\.message\.bytes is less than events may have/, 'warning');
    expect(found.of('buffer.quarantine')).toMatchObject([
      { result: 'warning', seen: expect.stringContaining('1 record') },
    ]);

    const bytes = /raise max\.message\.bytes to (\d+)/.exec(found.of('kafka.sizes')[0]!.hint!)![1]!;
    await alter(topic, 'max.message.bytes', bytes);
    expect((await beforeStart(topic)).of('kafka.sizes')).toEqual([]);
    expect((await runUgc(['buffer', 'requeue', `--data-dir=${dataDir}`])).code).toBe(0);
    await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, { what: 'it is in Kafka' });
    expect(await metric(ugc.url, 'ugc_buffer_quarantined_events')).toBe(0);
    await eventually(async () => (await stored(ugc, large)) === 'kafka', { what: 'another one goes there at once' });
    expect(await ugc.stop()).toBe(0);
  });

  test('more replicas have to be in sync than there are: this Kafka takes events all the same', async () => {
    const topic = await topicWith({ 'min.insync.replicas': '2' });
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [...settingsOf(topic), '--role=ingest'] });
    await eventually(async () => (await stored(ugc)) === 'kafka', { what: 'an event in Kafka' });
    await assertFinds(
      await beforeStart(topic),
      'kafka.replication',
      /min\.insync\.replicas is 2, and there is 1 replica/,
      'warning',
    );
    expect(await ugc.stop()).toBe(0);
  });

  test('records are deleted soon: by age, by size, or all but the last of a key', async () => {
    const short = await beforeStart(await topicWith({ 'retention.ms': '7200000', 'retention.bytes': '1048576' }));
    await assertFinds(short, 'kafka.retention', /are kept for 2 h.*\(retention\.ms\)/, 'warning');
    await assertFinds(short, 'kafka.retention', /a partition keeps 1(\.0)? MiB \(retention\.bytes\)/, 'warning');
    const forever = await beforeStart(await topicWith({ 'retention.ms': '-1', 'retention.bytes': '-1' }));
    expect(forever.of('kafka.retention')).toEqual([]);
    const compacted = await beforeStart(await topicWith({ 'cleanup.policy': 'compact' }));
    await assertFinds(compacted, 'kafka.compacted', /cleanup\.policy is compact/);
  });

  test('records were deleted before they were read: how many, and of which topic', async () => {
    const topic = await own.newTopic();
    const group = own.newName();
    await own.producer.send({ topic, messages: Array.from({ length: 10 }, () => ({ value: '{}' })) });
    await own.admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '2' }] });
    const settings = [...settingsOf(topic), `--kafka-group=${group}`, `--data-dir=${temporaryFolder()}`];
    expect((await doctor(settings)).of('kafka.lost')).toEqual([]);
    await own.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
    const found = await doctor(settings);
    await assertFinds(found, 'kafka.lost', new RegExp(`had not read: 5 of ${topic}`));
    await assertFinds(found, 'kafka.group', /no process reads as group .*3 events in Kafka are not rows yet/);
  });
});
