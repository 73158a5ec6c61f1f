// The faults of movers, in the words of faults.ts: killed at random and at chosen moments of an insert, also while they read
// the log again after a table was lost.

import type { ClickhouseFront, Point } from './clickhouse-gate.ts';
import { points } from './clickhouse-gate.ts';
import { type Fault, type Make, missed, networkFaults } from './faults.ts';
import type { Part } from './part.ts';
import type { Random } from './random.ts';

/** An etl process and its own way to ClickHouse. */
export interface Mover {
  readonly part: Part;
  readonly front: ClickhouseFront;
}

/** ClickHouse itself, asked past everybody's way to it. */
export interface Clickhouse {
  readonly part: Part;
  /** False when it has not answered within a moment, and then nothing was asked, or when the table is not there. */
  command(sql: string): Promise<boolean>;
  /** Until it has answered. */
  surely(sql: string): Promise<void>;
}

export interface EtlFaultsOptions {
  readonly random: Random;
  readonly movers: readonly Mover[];
  readonly clickhouse: Clickhouse;
  readonly database: string;
  readonly password: string;
  readonly sessionMs: number;
}

/** So long an aimed fault waits for an insert. */
export const aimMsMax = 5_000;

export const moments: Readonly<Record<Point, string>> = {
  before: 'before an insert',
  half: 'in the middle of an insert',
  inside: 'while ClickHouse inserts',
  after: 'after an insert, before its commit',
};

/** kill -9 at that point of the mover's next insert. */
export function killedAt(point: Point, kind: string, { part, front }: Mover): Fault {
  return {
    kind: `${kind} killed ${moments[point]}`,
    waits: true,
    begin: async () => {
      const caught = await front.gate.catch(point, aimMsMax);
      await part.kill();
      caught?.drop();
      return caught === null ? missed : undefined;
    },
    end: () => part.start(),
  };
}

const ended = (kind: string, pick: () => Part, end: (it: Part) => Promise<void>): Make => {
  return () => {
    const it = pick();
    return { kind, begin: () => end(it), end: () => it.start() };
  };
};

/** Killed at no moment in particular. */
export const killed = (name: string, pick: () => Part): Make => ended(`${name} killed`, pick, it => it.kill());

/** SIGSTOP for so long, or longer. */
export function hung(kind: string, pick: () => Part, leastMs: () => number): Make {
  return () => {
    const it = pick();
    let done: Promise<void>;
    return {
      kind,
      begin: () => {
        it.hang();
        done = Bun.sleep(leastMs());
      },
      end: async () => {
        await done;
        it.cont();
      },
    };
  };
}

export function moverFaults({ random, movers, sessionMs }: EtlFaultsOptions): readonly Make[] {
  const some = (): Part => random.pick(movers).part;
  return [
    killed('mover', some),
    ended('mover stopped', some, it => it.stop()),
    hung('mover hung', some, () => 0),
    hung('mover hung past its session', some, () => sessionMs + 500),
    ...points.map(point => () => killedAt(point, 'mover', random.pick(movers))),
    ...networkFaults({
      to: ' between mover and ClickHouse',
      random,
      hitOf: () => ({ whom: '', proxies: [random.pick(movers).front.proxy] }),
    }),
  ];
}

export interface Replaying {
  readonly random: Random;
  readonly clickhouse: Clickhouse;
  /** Reads the topic of one table from its first record on, in a consumer group of its own. */
  readonly replayer: Mover;
  /** So that it reads it all once more from its next start on. */
  readonly readAgain: () => void;
  /** Its rows go, and come back by that alone. */
  readonly table: string;
  /** Runs `ugc dead replay`, killed at that point of an insert; false when it came to its end before. */
  readonly replayDead: (point: Point) => Promise<boolean>;
}

export function replayFaults(options: Replaying): readonly Make[] {
  const { random, replayer, replayDead } = options;
  return [
    () => tableDropped(options),
    ...points.map(point => () => killedAt(point, 'replay', replayer)),
    () => {
      const point = random.pick(points);
      return {
        kind: 'ugc dead replay killed',
        waits: true,
        begin: async () => ((await replayDead(point)) ? undefined : missed),
        end: () => {},
      };
    },
  ];
}

/** All that was in it is gone. A mover that starts makes it anew, and what it had is read from the log again. */
export function tableDropped({ clickhouse, replayer: { part }, readAgain, table }: Replaying): Fault {
  let isGone = false;
  return {
    kind: 'table dropped, recreated and read again',
    begin: async () => {
      isGone = await clickhouse.command(`DROP TABLE IF EXISTS ${table} SYNC`);
      return isGone ? undefined : missed;
    },
    end: async () => {
      if (!isGone) return;
      await part.kill();
      readAgain();
      await part.start();
    },
  };
}
