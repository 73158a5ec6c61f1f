// The role archive on the compiled binary: events of every type go in by HTTP, and what the manifest of the archive says is
// what was answered `accepted`, each once, in each format; behind the disk buffer and behind Kafka.

import { expect, test } from 'bun:test';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { getPriority } from 'node:os';
import fc from 'fast-check';
import { catalogue } from '../../schemas/catalogue.ts';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { anyEventOf, jsonOf } from '../support/any-event.ts';
import { archivedIn, straysIn } from '../support/archive-oracle.ts';
import { eventsIn } from '../support/archived-events.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { nicenessesOf } from '../support/niceness.ts';
import { metric } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const own = kafkaInTest();

const settings = (folder: string) => [
  `--archive-url=file://${folder}`,
  '--archive-format=parquet,csv',
  '--archive-file-seconds=1',
  '--rejections-seconds=0',
  '--ledger=false',
  // Read into something that is no plain value: it is not for the thread that makes the files.
  '--trusted-proxies=127.0.0.1',
];

/** Of every type, some; gives the ids. */
async function sendSome(ugc: Ugc, seed: number): Promise<string[]> {
  const ids: string[] = [];
  for (const type of catalogue.types) {
    const events = fc
      .sample(anyEventOf(type, Date.now()), { numRuns: 4, seed })
      .map(event => ({ ...event, event_type: type.name, event_id: Bun.randomUUIDv7() }));
    const response = await ugc.post(jsonOf(events));
    expect({ type: type.name, status: response.status }).toEqual({ type: type.name, status: 200 });
    ids.push(...events.map(({ event_id: id }) => id));
  }
  return ids;
}

async function archivedIds(folder: string, format: string): Promise<string[]> {
  const events = await eventsIn(await archivedIn(folderColdStore(folder)), format);
  return events.map(({ event_id: id }) => String(id)).toSorted();
}

async function holdsExactly(folder: string, ids: readonly string[]): Promise<void> {
  const store = folderColdStore(folder);
  await eventually(
    async () => (await archivedIn(store)).entries.reduce((sum, { records }) => sum + records, 0) >= ids.length,
    { what: 'everything in the manifest' },
  );
  for (const format of ['parquet', 'csv']) expect(await archivedIds(folder, format)).toEqual(ids.toSorted());
  expect(await straysIn(store)).toEqual([]);
}

test('behind the disk buffer every accepted event is in the manifest once, also after a kill', async () => {
  const [dataDir, folder] = [temporaryFolder(), temporaryFolder()];
  const first = await startUgc({ dataDir, flags: settings(folder) });
  const ids = await sendSome(first, 1);
  await holdsExactly(folder, ids);
  expect(await metric(first.url, 'ugc_archive_events_total')).toBe(ids.length);
  ids.push(...(await sendSome(first, 2)));
  first.kill('SIGKILL');
  await first.exited;
  const second = await startUgc({ dataDir, flags: settings(folder) });
  ids.push(...(await sendSome(second, 3)));
  await holdsExactly(folder, ids);
  // Nobody needs them there any more.
  await eventually(async () => (await metric(second.url, 'ugc_buffer_events')) === 0, { what: 'an empty buffer' });
  expect(await second.stop()).toBe(0);
}, 300_000);

test('an archive that is away is said, waited for, and holds up no rows', async () => {
  const [dataDir, parent] = [temporaryFolder(), temporaryFolder()];
  const folder = `${parent}/cold`;
  await Bun.write(folder, 'a file in its place');
  const ugc = await startUgc({ dataDir, flags: settings(folder) });
  const ids = await sendSome(ugc, 4);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.events')).length === ids.length, { what: 'rows' });
  const ready = await (await fetch(`${ugc.url}/healthz/ready`)).text();
  expect(ready).toContain('something there is a file and no folder');
  await Bun.file(folder).unlink();
  await holdsExactly(folder, ids);
  expect(await ugc.stop()).toBe(0);
}, 300_000);

test('an archive that is not there at the start, as its disk is not mounted, is not begun anew', async () => {
  const [dataDir, parent] = [temporaryFolder(), temporaryFolder()];
  const [folder, disk] = [`${parent}/cold`, `${parent}/disk`];
  const first = await startUgc({ dataDir, flags: settings(folder) });
  const ids = await sendSome(first, 8);
  await holdsExactly(folder, ids);
  expect(await first.stop()).toBe(0);
  renameSync(folder, disk);
  mkdirSync(folder);
  const second = await startUgc({ dataDir, flags: settings(folder) });
  ids.push(...(await sendSome(second, 9)));
  const ready = async () => (await fetch(`${second.url}/healthz/ready`)).text();
  await eventually(async () => (await ready()).includes('is it mounted'), { what: 'readiness tells' });
  expect((await folderColdStore(folder).list('')).map(({ path }) => path)).toEqual([]);
  rmSync(folder, { recursive: true });
  renameSync(disk, folder);
  await holdsExactly(folder, ids);
  expect(await second.stop()).toBe(0);
}, 300_000);

test('behind Kafka the same, by a process of its own; what can be no event is kept as it is', async () => {
  const name = own.newName();
  const [dataDir, folder] = [temporaryFolder(), temporaryFolder()];
  const kafka = [
    `--kafka-brokers=${own.kafka.brokers.join(',')}`,
    `--topic=${name}.{event_type}`,
    `--kafka-group=${name}`,
    '--topic-partitions=2',
  ];
  const ingest = await startUgc({
    dataDir,
    flags: ['--role=ingest', '--rejections-seconds=0', '--ledger=false', ...kafka],
  });
  const archiver = (role: string, at = temporaryFolder()) =>
    startUgc({ dataDir: at, flags: [`--role=${role}`, ...settings(folder), ...kafka] });
  const tables = temporaryFolder();
  const first = await archiver('archive,etl', tables);
  const ids = await sendSome(ingest, 5);
  await holdsExactly(folder, ids);
  // The thread that makes the files stands back behind the one that fills the tables.
  expect(nicenessesOf(first.pid)[0]).toBe(getPriority()); // as it was started
  expect(nicenessesOf(first.pid)).toContain(10);
  first.kill('SIGKILL');
  await first.exited;
  ids.push(...(await sendSome(ingest, 6)));
  const topic = `${name}.film_closed`;
  const event = { ...catalogue.find('film_closed')!.example, event_id: Bun.randomUUIDv7() };
  await own.producer.send({
    topic,
    messages: [
      { value: JSON.stringify(event) },
      { value: 'no JSON\nat all' },
      { value: null },
      {
        value:
          '{"event_id":"0199c6a0-0000-7000-8000-000000000000","event_type":"film_closed","schema_version":1,"received_at":"never"',
      },
    ],
  });
  const second = await archiver('archive');
  expect(nicenessesOf(second.pid)[0]).toBe(10); // it has nothing else to do
  const store = folderColdStore(folder);
  await eventually(async () => (await archivedIn(store)).entries.some(({ dead }) => dead > 0), {
    what: 'dead records',
  });
  await eventually(
    async () => (await archivedIn(store)).entries.reduce((sum, { records }) => sum + records, 0) === ids.length + 4,
    { what: 'the foreign ones' },
  );
  const events = await eventsIn(await archivedIn(store), 'parquet');
  const dead = events.filter(({ event_type: type }) => type === '_dead');
  expect(dead.map(({ reason }) => reason).toSorted()).toEqual(['not_json', 'not_json', 'tombstone']);
  expect(dead.map(({ raw }) => Buffer.from(String(raw), 'base64').toString())).toContain('no JSON\nat all');
  const living = events.filter(({ event_type: type }) => type !== '_dead').map(({ event_id: id }) => String(id));
  expect(living.toSorted()).toEqual([...ids, event.event_id].toSorted());
  expect((await archivedIn(store)).entries.flatMap(({ missing }) => missing)).toEqual([]);
  expect(await straysIn(store)).toEqual([]);
  for (const ugc of [second, ingest]) expect(await ugc.stop()).toBe(0);
  await own.admin.fetchTopicMetadata({ topics: [topic] }); // or the next one does not find it
  await own.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  const verified = await runUgc(['archive', 'verify', '--json', `--data-dir=${tables}`, ...settings(folder), ...kafka]);
  const { log, problems } = JSON.parse(verified.stdout) as {
    readonly log: readonly { readonly archived: number; readonly behind: number; readonly next: number }[];
    readonly problems: readonly string[];
  };
  expect({ code: verified.code, problems }).toEqual({ code: 0, problems: [] });
  expect(log.filter(({ behind }) => behind > 0)).toEqual([]);
  expect(log.reduce((sum, { archived }) => sum + archived, 0)).toBe(ids.length + 4);
}, 300_000);

test('that Kafka is about to delete what is not archived is said before, in readiness and by a metric', async () => {
  const topic = own.newName();
  const configEntries = [{ name: 'retention.ms', value: '10000' }];
  await own.admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] });
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [
      ...[
        '--role=ingest,archive',
        '--request-log=false',
        ...settings(temporaryFolder()),
        '--archive-file-seconds=3600',
      ],
      ...[`--kafka-brokers=${own.kafka.brokers.join(',')}`, `--topic=${topic}`, `--kafka-group=${topic}`],
    ],
  });
  const said = async (): Promise<string | null> => {
    const { detail } = (await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: Record<string, string> };
    return detail.archive_retention ?? null;
  };
  const left = () => metric(ugc.url, 'ugc_archive_retention_left_seconds');
  await eventually(async () => (await left()) === 10, { what: 'all of it is left' });
  expect(await said()).toBeNull();
  const ids = await sendSome(ugc, 7);
  expect(ids.length).toBeGreaterThan(0);
  await eventually(async () => String(await said()).includes('will be deleted in 0 minutes'), { what: 'soon' });
  await eventually(async () => String(await said()).includes('may have been deleted already'), { what: 'late' });
  expect(await left()).toBeLessThan(0);
  expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
  await eventually(() => ugc.output().includes(`what is not archived of ${topic}`), { what: 'a line in the log' });
  expect(await ugc.stop()).toBe(0);
}, 300_000);
