// Streams apart: views and events in topics of their own, each with several types, and a mover for each, through the
// compiled binary and a real Kafka. And a type that comes while the mover reads Kafka.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { typedEvent, typeFiles, typeJson } from '../support/type-files.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka();
}, 120_000);
afterAll(() => kafka.stopForGood());

const nameOf = (prefix: string): string => `${prefix}-${Bun.randomUUIDv7().slice(-12)}`;

const start = (flags: readonly string[], dataDir = temporaryFolder()): Promise<Ugc> =>
  startUgc({ dataDir, flags: [`--kafka-brokers=${kafka.brokers.join(',')}`, '--request-log=false', ...flags] });

const examplesOf = (stream: string) =>
  catalogue.types.filter(type => type.stream === stream).map(({ name, example }) => ({ name, example }));

/** Event types that have rows, and how many there are in all. */
const rows = async (ugc: Ugc): Promise<Record<string, number>> => {
  const found = await ugc.query<{ event_type: string; n: number }>(
    'SELECT event_type, count() AS n FROM ugc.events GROUP BY event_type',
  );
  return Object.fromEntries(found.map(({ event_type, n }) => [event_type, Number(n)]));
};

test('views and events go to topics of their own and are moved by processes of their own, each type into its table', async () => {
  const prefix = nameOf('apart');
  const topic = `--topic=${prefix}.{stream}`;
  const edge = await start(['--role=ingest', topic]);
  const group = `--kafka-group=${prefix}`;
  const views = await start(['--role=etl', '--streams=view', topic, group]);
  const rest = await start(['--role=etl', '--streams=event,content', topic, group]);
  const twice = (types: readonly { readonly example: unknown }[]) => types.flatMap(({ example }) => [example, example]);
  const [seen, done, written] = ['view', 'event', 'content'].map(examplesOf) as [
    ReturnType<typeof examplesOf>,
    ReturnType<typeof examplesOf>,
    ReturnType<typeof examplesOf>,
  ];
  // Types of a stream alternate in its topic.
  const answer = await edge.post([...seen, ...done, ...written, ...seen].map(({ example }) => example));
  expect(answer.status).toBe(200);
  expect((await edge.post(twice(done))).status).toBe(200);
  const times = (types: readonly { readonly name: string }[], n: number) =>
    Object.fromEntries(types.map(({ name }) => [name, n]));
  await eventually(async () => Bun.deepEquals(await rows(views), times(seen, 2)), { what: 'every view, and no event' });
  await eventually(async () => Bun.deepEquals(await rows(rest), { ...times(done, 3), ...times(written, 1) }), {
    what: 'every event, and no view',
  });
  for (const ugc of [views, rest]) {
    expect(await ugc.query('SELECT count() AS n FROM ugc.dead_letters')).toEqual([{ n: 0 }]);
    expect(await ugc.stop()).toBe(0);
  }
  expect(await edge.stop()).toBe(0);
}, 120_000);

test('streams that share a topic cannot be moved apart, and that is said', async () => {
  const dataDir = temporaryFolder();
  const brokers = `--kafka-brokers=${kafka.brokers.join(',')}`;
  const shared = ['--role=etl', `--data-dir=${dataDir}`, '--port=0', brokers, '--streams=view', '--topic=everything'];
  const refused = await runUgc(shared);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('UGC_STREAMS=view: the topic everything holds other streams too');
  const unlogged = await runUgc(['--role=etl', `--data-dir=${dataDir}`, '--streams=view']);
  expect({ code: unlogged.code, said: unlogged.stderr }).toMatchObject({ code: 2 });
  expect(unlogged.stderr).toContain('UGC_STREAMS needs a broker');
});

test('a type that comes while Kafka is read has its topic made and read', async () => {
  const prefix = nameOf('grows');
  const files = typeFiles(join(temporaryFolder(), 'types'));
  const ugc = await start([
    `--schemas-dir=${files.folder}`,
    `--topic=${prefix}.{event_type}`,
    `--kafka-group=${prefix}`,
  ]);
  const { example } = examplesOf('event')[0]!;
  expect((await ugc.post(example)).status).toBe(200);
  files.write(typeJson('trailer_watched'));
  await eventually(async () => (await ugc.post(typedEvent('trailer_watched'))).status === 200);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.trailer_watched')).length >= 1, { msMax: 60_000 });
  expect((await ugc.post(example)).status).toBe(200);
  const { name } = examplesOf('event')[0]!;
  await eventually(async () => (await rows(ugc))[name] === 2, { msMax: 60_000 });
  expect(await ugc.stop()).toBe(0);
}, 180_000);
