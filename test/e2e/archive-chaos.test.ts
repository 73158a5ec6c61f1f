// The promise of the archive: two archivers that share a Kafka and write to one folder, and everything against them, at
// random and together, under load: killed, stopped in order, standing still and waking up late; the folder away or full;
// Kafka killed and hung. What the manifest says in the end is the log, record by record. UGC_TEST_ARCHIVE_ROUNDS says how
// long, UGC_TEST_SEED repeats the dice.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { archivedIn, straysIn } from '../support/archive-oracle.ts';
import { eventsIn } from '../support/archived-events.ts';
import { deckOf, diskFaults, type Make, makeRoom, missed } from '../support/faults.ts';
import { isWithoutKafka, kafkaClient, startKafka, type TestKafka } from '../support/kafka.ts';
import { sourcesOf } from '../support/kafka-source.ts';
import { load, newLedger } from '../support/load.ts';
import { drained } from '../support/oracle.ts';
import { type Part, partOf } from '../support/part.ts';
import { randomOf } from '../support/random.ts';
import { roundsOf, tally } from '../support/rounds.ts';
import { seedsOf } from '../support/seeds.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { eventually, temporaryFolder } from '../support/ugc.ts';

const given = process.env.UGC_TEST_ARCHIVE_ROUNDS;
const rounds = Number(given ?? 60);
/** A machine that is busy with other things plays fewer rounds, and says so. */
const playMsMax = given === undefined ? 120_000 : Number.POSITIVE_INFINITY;
const topic = 'archived.events';
/** One topic is the whole log. */
const alone = ['--ledger=false', '--rejections-seconds=0'];

describe.skipIf(await isWithoutKafka('own')).each(seedsOf('archive chaos'))(
  'the archive and everything against it, by seed %i',
  seed => {
    const random = randomOf('archive chaos', seed);
    const ledger = newLedger();
    const disk: SmallDisk | null = smallDisk(256);
    const parent = disk?.path ?? temporaryFolder();
    const mounted = join(parent, 'mounted');
    const folder = join(mounted, 'cold');
    let kafka: TestKafka;
    let edge: Part;
    let archivers: readonly Part[];
    const sources = sourcesOf(() => ({ brokers: kafka.brokers }));

    beforeAll(async () => {
      mkdirSync(mounted);
      kafka = await startKafka();
      const shared = () => [
        `--kafka-brokers=${kafka.brokers.join(',')}`,
        `--topic=${topic}`,
        '--topic-partitions=3',
        ...alone,
      ];
      edge = await partOf('the edge', () => ['--role=ingest', ...shared()]);
      const archiving = () => [
        ...['--role=archive', ...shared(), `--archive-url=file://${folder}`, '--archive-file-seconds=1'],
        ...['--archive-file-bytes=64KiB', '--archive-memory-bytes=16MiB', '--kafka-session-timeout-ms=6000'],
      ];
      archivers = await Promise.all(['archiver 1', 'archiver 2'].map(name => partOf(name, archiving)));
    });
    afterAll(async () => {
      for (const part of [...(archivers ?? []), edge]) await part?.kill();
      await sources.closeAll();
      await kafka?.stopForGood();
      disk?.unmount();
    });

    function kinds(): readonly Make[] {
      const one = (): Part => random.pick(archivers);
      const killed = (part = one()) => ({ kind: 'killed', whom: part.name, begin: part.kill, end: () => part.start() });
      const ended = (part = one()) => ({ kind: 'ended', whom: part.name, begin: part.stop, end: () => part.start() });
      const hung = (part = one()) => ({ kind: 'hung', whom: part.name, begin: part.hang, end: part.cont });
      // As long as it takes the group to give away what it owns.
      const forgotten = (part = one()) => ({
        kind: 'hung until forgotten',
        whom: part.name,
        begin: async () => {
          part.hang();
          await Bun.sleep(random.between(6_000, 9_000));
        },
        end: part.cont,
      });
      const away = () => ({
        kind: 'the folder away',
        begin: () => (existsSync(mounted) ? renameSync(mounted, `${mounted}.away`) : missed),
        end: () => {
          if (existsSync(`${mounted}.away`)) renameSync(`${mounted}.away`, mounted);
        },
      });
      const brokerKilled = () => ({ kind: 'Kafka killed', begin: () => kafka.kill(), end: () => kafka.restart() });
      const brokerHung = () => ({ kind: 'Kafka hung', begin: () => kafka.stop(), end: () => kafka.cont() });
      const both = () => ({
        kind: 'both killed',
        begin: () => Promise.all(archivers.map(part => part.kill())),
        end: () => Promise.all(archivers.map(part => part.start())),
      });
      const full = disk === null ? [] : diskFaults(disk, random);
      const often = [killed, killed, killed, ended, hung, hung, both, away, away, ...full, ...full];
      return [...often, forgotten, brokerKilled, brokerHung].map(make => () => make());
    }

    test(`${rounds} rounds: the manifest is the log`, async () => {
      const loading = new AbortController();
      const options = { random, ledger, clients: 2, signal: loading.signal, pauseMsMax: 60 };
      const loaded = load({ url: edge.now().url, ...options });
      const chaos = roundsOf({ random, lastsMsMax: 700, restMsMax: 500 });
      const played = await chaos.play(rounds, deckOf(random, kinds()), playMsMax);
      if (played < rounds) console.warn(`ONLY ${played} OF ${rounds} ROUNDS IN ${playMsMax} ms`);
      loading.abort();
      await loaded;
      if (disk !== null) makeRoom(disk);
      await drained(edge.now());

      const log = await wholeLog();
      const store = folderColdStore(folder);
      await eventually(async () => (await recordsIn(store)) >= log.length, {
        ...{ msMax: 150_000, pauseMs: 1_000, what: 'the end of the log' },
      });
      const archived = await archivedIn(store);
      const rows = (await eventsIn(archived, 'parquet')).map(identityOf);
      console.log(
        `archive chaos: ${tally(chaos.dealt)}\narchive chaos: ${log.length} records, ${archived.entries.length} entries`,
      );
      expect(rows.toSorted()).toEqual(log.toSorted());
      const ids = new Set(rows.map(row => row.slice(0, 36)));
      expect([...ledger.acked.keys()].filter(id => !ids.has(id))).toEqual([]);
      // Nothing was deleted of the log, so each partition is one chain, and nothing is missing in it.
      expect(
        archived.entries.filter(({ missing }) => missing.length > 0).map(({ files: _, ...entry }) => entry),
      ).toEqual([]);
      expect(new Set(archived.entries.map(({ log }) => log)).size).toBe(1);
      await eventually(async () => (await straysIn(store)).length === 0, {
        pauseMs: 1_000,
        what: 'no files that nobody names',
      });
      expect([...edge.crashes, ...archivers.flatMap(({ crashes }) => crashes)]).toEqual([]);
      expect(ledger.acked.size).toBeGreaterThan(played * 10);
      for (const part of [...archivers, edge]) await part.stop();
    }, 3_600_000);

    /** Read apart from the archive, by a reader of its own, up to where the broker says that it ends. */
    async function wholeLog(): Promise<string[]> {
      const admin = kafkaClient(kafka.brokers, 10).admin();
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(topic);
      await admin.disconnect();
      const count = ends.reduce((sum, { high }) => sum + Number(high), 0);
      const source = sources.open('oracle', [topic]);
      const lines: string[] = [];
      await eventually(
        async () => {
          const batches = await source.poll({ paused: new Set(), bytesMax: 2 ** 22 }, AbortSignal.timeout(2_000));
          for (const { ndjson } of batches) lines.push(...Buffer.from(ndjson).toString().split('\n').slice(0, -1));
          return lines.length >= count;
        },
        { what: `${count} records of the log` },
      );
      return lines.map(line => identityOf(JSON.parse(line)));
    }
  },
);

/** The parts of a record that nobody else has. */
const identityOf = (event: Readonly<Record<string, unknown>>): string =>
  `${event.event_id} ${event.event_type} ${Date.parse(zoned(String(event.received_at)))}`;

/** Files say times in UTC without saying so. */
const zoned = (time: string): string => (time.endsWith('Z') ? time : `${time.replace(' ', 'T')}Z`);

async function recordsIn(store: ReturnType<typeof folderColdStore>): Promise<number> {
  return (await archivedIn(store)).entries.reduce((sum, { records }) => sum + records, 0);
}
