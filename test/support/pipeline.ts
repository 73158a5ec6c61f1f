// The whole pipeline of the etl's chaos: a broker behind a proxy, an edge under load on a small disk, and what moves its
// events (etl-parts.ts).

import type { EtlBroker } from './etl-broker.ts';
import type { Clickhouse, Mover, Replaying } from './etl-faults.ts';
import { topics } from './etl-oracle.ts';
import { startEtl } from './etl-parts.ts';
import { makeRoom } from './faults.ts';
import type { Ledger } from './load.ts';
import { otherTeam } from './other-team.ts';
import { type Random, seeded } from './random.ts';
import { type SmallDisk, smallDisk } from './small-disk.ts';
import { temporaryFolder, type Ugc } from './ugc.ts';
import { type UgcLives, ugcLives } from './ugc-lives.ts';

export interface Pipeline {
  readonly disk: SmallDisk | null;
  readonly edge: UgcLives;
  readonly clickhouse: Clickhouse;
  readonly movers: readonly Mover[];
  readonly replaying: Replaying;
  readonly database: string;
  readonly password: string;
  /** Over HTTP, past the gates; `ugc.` stands for the database. */
  readonly query: Ugc['query'];
  readonly command: (sql: string) => Promise<void>;
  /** Records that movers and replay have yet to move. */
  behind(): Promise<number>;
  /** Nobody writes to the broker any more; what runs, runs unhindered. */
  quiet(): Promise<void>;
  /** All that ended of itself, with its last words. */
  crashes(): readonly string[];
  /** How often ClickHouse answered a mover with each of its codes. */
  said(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** The one topic that is read again, so that nothing else is held to a lesser promise than it. */
const againTopic = 'ugc.quality_change';

export async function startPipeline(broker: EtlBroker, random: Random, ledger: Ledger): Promise<Pipeline> {
  const disk = smallDisk(96);
  const jitter = seeded(random.seed + 1).next;
  let reading = 1;
  const etl = await startEtl({
    jitter,
    reading: [...broker.flags, ...broker.moving],
    again: () => broker.again(againTopic, reading),
  });
  const { clickhouse, movers, replayer, database, password } = etl;
  if (replayer === null) throw new Error(`${broker.name} can be read again`);
  const edge = await ugcLives({
    dataDir: disk?.path ?? temporaryFolder(),
    flags: [...[...broker.flags, '--role=ingest', '--request-log=false'], '--buffer-disk-reserve-bytes=1MiB'],
    random: seeded(random.seed + 2),
    ledger,
    circumstances: () => 'chaos',
    isExcused: () => true, // how soon the edge answers is the business of kafka-chaos.test.ts
    makeRoom: () => disk !== null && makeRoom(disk),
    pauseMsMax: 150,
  });
  const writing = new AbortController();
  const team = otherTeam({
    broker,
    random: seeded(random.seed + 3),
    ledger,
    topics: new Map(['click', 'film_watched', 'quality_change'].map(type => [type, `ugc.${type}`])),
    signal: writing.signal,
  });
  return {
    ...{ disk, edge, clickhouse, movers, database, password },
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
    behind: () => broker.behind(topics, { topic: againTopic, reading }),
    async quiet() {
      writing.abort();
      await edge.quiet();
      await broker.heal();
      etl.heal();
      await team;
    },
    crashes: etl.crashes,
    said: etl.said,
    async close() {
      await etl.close();
      await broker.close();
      disk?.unmount();
    },
  };
}
