// The half of an etl's chaos that is the same whatever log there is: two movers that share it, perhaps a third that reads
// one topic again, and the ClickHouse they all write to, which is our own binary with the embedded engine behind its HTTP
// port. Each mover has its own gate to it.

import { type ClickhouseFront, clickhouseFront, type Point } from './clickhouse-gate.ts';
import { aimMsMax, type Clickhouse, type Mover } from './etl-faults.ts';
import { freePorts } from './free-ports.ts';
import { foreignBytesMax } from './other-team.ts';
import { type Part, partOf } from './part.ts';
import { binary, eventually, queryRows, temporaryFolder, type Ugc } from './ugc.ts';

export interface EtlParts {
  readonly clickhouse: Clickhouse;
  readonly movers: readonly Mover[];
  /** Null: the log cannot be read again. */
  readonly replayer: Mover | null;
  readonly database: string;
  readonly password: string;
  /** Over HTTP, past the gates; `ugc.` stands for the database. */
  readonly query: Ugc['query'];
  readonly command: (sql: string) => Promise<void>;
  /** Runs `ugc dead replay`, killed at that point of an insert; false when it came to its end before. */
  replayDead(point: Point): Promise<boolean>;
  /** Every mover's way to ClickHouse is well again. */
  heal(): void;
  /** All that ended of itself, with its last words. */
  crashes(): readonly string[];
  /** How often ClickHouse answered a mover with each of its codes. */
  said(): ReadonlyMap<string, number>;
  /** SIGTERM to all. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface EtlPartsOptions {
  readonly jitter: () => number;
  /** How a mover reaches the log. */
  readonly reading: readonly string[];
  /** Of the one that reads again, at each of its starts; null = none does. */
  readonly again: (() => readonly string[]) | null;
}

const database = 'remote';
const password = 'right';
const named = (sql: string): string => sql.replaceAll('ugc.', `${database}.`);

export async function startEtl({ jitter, reading, again }: EtlPartsOptions): Promise<EtlParts> {
  const [port] = (await freePorts(1)) as [number];
  const part = await partOf('ClickHouse', () => [
    '--role=etl',
    ...['--clickhouse-http-readonly=false', `--clickhouse-http-port=${port}`, '--clickhouse-memory-bytes-max=1GiB'],
  ]);
  const { clickhouseUrl } = part.now();
  const front = () => clickhouseFront({ target: port, password, random: jitter });
  const operator = await front();
  const moving = ({ url }: ClickhouseFront): string[] => [
    ...[...reading, '--role=etl', '--shutdown-timeout-ms=5000'],
    ...[`--clickhouse-url=${url}`, `--clickhouse-database=${database}`, `--clickhouse-password=${password}`],
    ...['--clickhouse-timeout-ms=1500', '--clickhouse-refresh-seconds=10', `--body-bytes-max=${foreignBytesMax}`],
  ];
  const moverOf = async (name: string, more: () => readonly string[] = () => []): Promise<Mover> => {
    const own = await front();
    return { part: await partOf(name, () => [...moving(own), ...more()]), front: own };
  };
  const movers = [await moverOf('mover 1'), await moverOf('mover 2')];
  const replayer = again === null ? null : await moverOf('replay', again);
  const clickhouse = clickhouseOf(part, clickhouseUrl);
  const all = replayer === null ? movers : [...movers, replayer];
  const fronts = [operator, ...all.map(mover => mover.front)];
  return {
    ...{ clickhouse, movers, replayer, database, password },
    query: sql => queryRows(clickhouseUrl, named(sql)),
    command: sql => clickhouse.surely(named(sql)),
    replayDead: point => replayDead(operator, point),
    heal() {
      for (const each of all) each.front.proxy.heal();
    },
    crashes: () => [part, ...all.map(mover => mover.part)].flatMap(({ crashes }) => crashes),
    said: () => sumOf(fronts.map(({ gate }) => gate.said)),
    async stop() {
      for (const each of [...all.map(mover => mover.part), part]) await each.stop();
    },
    async close() {
      for (const each of [...all.map(mover => mover.part), part]) await each.kill();
      for (const each of fronts) await each.close();
    },
  };
}

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
