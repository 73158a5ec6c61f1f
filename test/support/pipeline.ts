// The whole pipeline of the etl's chaos over Kafka: one broker behind a proxy, an edge under load on a small disk, and what
// moves its events (etl-parts.ts).

import { nameOf } from '../../src/config/from.ts';
import type { Clickhouse, Mover, Replaying } from './etl-faults.ts';
import { topics } from './etl-oracle.ts';
import { startEtl } from './etl-parts.ts';
import { makeRoom } from './faults.ts';
import { startCluster, type TestCluster } from './kafka-cluster.ts';
import { behind } from './kafka-oracle.ts';
import type { Ledger } from './load.ts';
import { kafkaTeam, otherTeam } from './other-team.ts';
import { type Random, seeded } from './random.ts';
import { type SmallDisk, smallDisk } from './small-disk.ts';
import { temporaryFolder, type Ugc } from './ugc.ts';
import { type UgcLives, ugcLives } from './ugc-lives.ts';

export interface Pipeline {
  readonly cluster: TestCluster;
  readonly disk: SmallDisk | null;
  readonly edge: UgcLives;
  readonly clickhouse: Clickhouse;
  readonly movers: readonly Mover[];
  readonly replaying: Replaying;
  readonly database: string;
  readonly password: string;
  readonly sessionMs: number;
  /** Over HTTP, past the gates; `ugc.` stands for the database. */
  readonly query: Ugc['query'];
  readonly command: (sql: string) => Promise<void>;
  /** Records that movers and replay have yet to move. */
  behind(): Promise<number>;
  /** Nobody writes to Kafka any more; what runs, runs unhindered. */
  quiet(): Promise<void>;
  /** All that ended of itself, with its last words. */
  crashes(): readonly string[];
  /** How often ClickHouse answered a mover with each of its codes. */
  said(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const sessionMs = 1_500;
const partitions = 3;
/** The one topic that is read again, so that nothing else is held to a lesser promise than it. */
const againTopic = 'ugc.quality_change';

export async function startPipeline(random: Random, ledger: Ledger): Promise<Pipeline> {
  const disk = smallDisk(96);
  const jitter = seeded(random.seed + 1).next;
  const cluster = await startCluster({
    nodes: 1,
    random: jitter,
    properties: { 'group.min.session.timeout.ms': '1000' },
  });
  const reaching = [
    ...[`--kafka-brokers=${cluster.proxied.join(',')}`, '--kafka-request-timeout-ms=2000'],
    `--topic-partitions=${partitions}`,
  ];
  let reading = 1;
  const offsets = new Map(Array.from({ length: partitions }, (_, at) => [`${againTopic}/${at}`, 0]));
  const from = [...offsets].map(([place, offset]) => `${place}=${offset}`).join();
  const etl = await startEtl({
    jitter,
    reading: [...reaching, `--kafka-session-timeout-ms=${sessionMs}`],
    again: () => [`--from=${from}`, `--kafka-group=again-${reading}`],
  });
  const { clickhouse, movers, replayer, database, password } = etl;
  if (replayer === null) throw new Error('Kafka can be read again');
  const edge = await ugcLives({
    dataDir: disk?.path ?? temporaryFolder(),
    flags: [...reaching, '--role=ingest', '--request-log=false', '--buffer-disk-reserve-bytes=1MiB'],
    random: seeded(random.seed + 2),
    ledger,
    circumstances: () => 'chaos',
    isExcused: () => true, // how soon the edge answers is the business of kafka-chaos.test.ts
    makeRoom: () => disk !== null && makeRoom(disk),
    pauseMsMax: 150,
  });
  const writing = new AbortController();
  const { brokers } = cluster;
  const team = otherTeam({
    connect: () => kafkaTeam(brokers),
    random: seeded(random.seed + 3),
    ledger,
    topics: new Map(['click', 'film_watched', 'quality_change'].map(type => [type, `ugc.${type}`])),
    signal: writing.signal,
  });
  return {
    ...{ cluster, disk, edge, clickhouse, movers, database, password, sessionMs },
    replaying: {
      ...{ random, clickhouse, replayer },
      table: `${database}.${againTopic.replace('ugc.', '')}_rows`,
      readAgain: () => {
        reading++;
      },
      replayDead: etl.replayDead,
    },
    query: etl.query,
    command: etl.command,
    async behind() {
      const again = `again-${reading}-from-${nameOf({ offsets })}`;
      const of = await behind(
        brokers,
        new Map([
          ['ugc-etl', topics],
          [again, [againTopic]],
        ]),
      );
      return [...of.values()].reduce((sum, each) => sum + each);
    },
    async quiet() {
      writing.abort();
      await edge.quiet();
      await cluster.heal();
      etl.heal();
      await team;
    },
    crashes: etl.crashes,
    said: etl.said,
    async close() {
      await etl.close();
      await cluster.stopForGood();
      disk?.unmount();
    },
  };
}
