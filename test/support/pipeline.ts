// The whole pipeline of the etl's chaos: a broker behind a proxy, an edge under load on a small disk, two movers that
// share its topics, a third that reads one topic again, and the ClickHouse they all write to, which is our own binary
// with the embedded engine behind its HTTP port. Each mover has its own gate to it.

import { type ClickhouseFront, clickhouseFront, type Point } from './clickhouse-gate.ts';
import type { EtlBroker } from './etl-broker.ts';
import { aimMsMax, type Clickhouse, type Mover, type Replaying } from './etl-faults.ts';
import { topics } from './etl-oracle.ts';
import { makeRoom } from './faults.ts';
import { freePorts } from './free-ports.ts';
import type { Ledger } from './load.ts';
import { foreignBytesMax, otherTeam } from './other-team.ts';
import { type Part, partOf } from './part.ts';
import { type Random, seeded } from './random.ts';
import { type SmallDisk, smallDisk } from './small-disk.ts';
import { binary, eventually, queryRows, temporaryFolder, type Ugc } from './ugc.ts';
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

const database = 'remote';
const password = 'right';
const named = (sql: string): string => sql.replaceAll('ugc.', `${database}.`);
/** The one topic that is read again, so that nothing else is held to a lesser promise than it. */
const againTopic = 'ugc.quality_change';

export async function startPipeline(broker: EtlBroker, random: Random, ledger: Ledger): Promise<Pipeline> {
  const disk = smallDisk(96);
  const jitter = seeded(random.seed + 1).next;
  const [port] = (await freePorts(1)) as [number];
  const part = await partOf('ClickHouse', () => [
    '--role=etl',
    ...['--clickhouse-http-readonly=false', `--clickhouse-http-port=${port}`, '--clickhouse-memory-bytes-max=1GiB'],
  ]);
  const { clickhouseUrl } = part.now();
  const front = () => clickhouseFront({ target: port, password, random: jitter });
  const operator = await front();

  const moving = ({ url }: ClickhouseFront): string[] => [
    ...[...broker.flags, ...broker.moving, '--role=etl', '--shutdown-timeout-ms=5000'],
    ...[`--clickhouse-url=${url}`, `--clickhouse-database=${database}`],
    ...[`--clickhouse-password=${password}`, '--clickhouse-timeout-ms=1500', '--clickhouse-refresh-seconds=10'],
    `--body-bytes-max=${foreignBytesMax}`,
  ];
  const moverOf = async (name: string, more: () => readonly string[] = () => []): Promise<Mover> => {
    const own = await front();
    return { part: await partOf(name, () => [...moving(own), ...more()]), front: own };
  };
  const movers = [await moverOf('mover 1'), await moverOf('mover 2')];
  let reading = 1;
  const replayer = await moverOf('replay', () => broker.again(againTopic, reading));
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
  const clickhouse = clickhouseOf(part, clickhouseUrl);
  const all = [...movers, replayer];
  const parts = [part, ...all.map(mover => mover.part)];
  const gates = [operator, ...all.map(mover => mover.front)].map(({ gate }) => gate);
  return {
    ...{ disk, edge, clickhouse, movers, database, password },
    replaying: {
      ...{ random, clickhouse, replayer },
      table: `${database}.${againTopic.replace('ugc.', '')}_rows`,
      readAgain: () => {
        reading++;
      },
      replayDead: point => replayDead(operator, point),
    },
    query: sql => queryRows(clickhouseUrl, named(sql)),
    command: sql => clickhouse.surely(named(sql)),
    behind: () => broker.behind(topics, { topic: againTopic, reading }),
    async quiet() {
      writing.abort();
      await edge.quiet();
      await broker.heal();
      for (const each of all) each.front.proxy.heal();
      await team;
    },
    crashes: () => parts.flatMap(({ crashes }) => crashes),
    said: () => sumOf(gates.map(({ said }) => said)),
    async close() {
      for (const each of [...all.map(mover => mover.part), part]) await each.kill();
      for (const each of [operator, ...all.map(mover => mover.front)]) await each.close();
      await broker.close();
      disk?.unmount();
    },
  };

  async function replayDead({ gate, url }: ClickhouseFront, point: Point): Promise<boolean> {
    const child = Bun.spawn(
      [
        ...[binary, 'dead', 'replay', `--data-dir=${temporaryFolder()}`, `--clickhouse-url=${url}`],
        ...[`--clickhouse-database=${database}`, `--clickhouse-password=${password}`, '--clickhouse-timeout-ms=1500'],
      ],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
    );
    const caught = await Promise.race([gate.catch(point, aimMsMax), child.exited.then(() => null)]);
    child.kill('SIGKILL');
    await child.exited;
    caught?.drop();
    return caught !== null;
  }
}

function clickhouseOf(part: Part, url: string): Clickhouse {
  const ask = (sql: string, msMax: number): Promise<Response> =>
    fetch(url, { method: 'POST', body: sql, signal: AbortSignal.timeout(msMax) });
  const run = async (sql: string, msMax: number): Promise<void> => {
    const answer = await ask(sql, msMax);
    if (!answer.ok) throw new Error(`${sql}: ${await answer.text()}`);
  };
  return {
    part,
    command: async sql => {
      try {
        await run('SELECT 1', 1_500);
      } catch {
        return false;
      }
      const answer = await ask(sql, 20_000);
      const text = await answer.text();
      const isThere = answer.headers.get('x-clickhouse-exception-code') !== '60'; // or another fault has it away
      if (!answer.ok && isThere) throw new Error(`${sql}: ${text}`);
      return answer.ok;
    },
    surely: async sql => {
      await eventually(() => run(sql, 5_000).then(() => true), { what: sql });
    },
  };
}

function sumOf(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const each of counts) for (const [name, times] of each) sum.set(name, (sum.get(name) ?? 0) + times);
  return sum;
}
