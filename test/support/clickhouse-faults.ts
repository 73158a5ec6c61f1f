// The faults of ClickHouse, in the words of faults.ts: of its process, of what it is told to let its users do, and of its
// tables. Those it has words for begin once a mover has been told them.

import type { ClickhouseFront, ClickhouseGate } from './clickhouse-gate.ts';
import { type WrongAnswer, wrongAnswers } from './clickhouse-strangers.ts';
import { aimMsMax, type EtlFaultsOptions, hung, killed } from './etl-faults.ts';
import { type Fault, type Make, missed, within } from './faults.ts';

export function clickhouseFaults(options: EtlFaultsOptions): readonly Make[] {
  const { random, movers, clickhouse, password } = options;
  const { part } = clickhouse;
  const gates = movers.map(({ front }) => front.gate);
  const imposed = (
    kind: string,
    { code, settings, of }: { code: string; settings: Record<string, string>; of: 'all' | 'inserts' },
  ): Make => {
    const all = (now: Record<string, string>) => {
      for (const gate of gates) gate.impose(now, of);
    };
    return () => ({
      ...{ kind, waits: true },
      begin: () => untilSaid(gates, code, () => all(settings)),
      end: () => all({}),
    });
  };
  const askAllFor = (now: string) => {
    for (const gate of gates) gate.askFor(now);
  };
  const it = () => part;
  return [
    killed('ClickHouse', it),
    () => {
      const { gate } = random.pick(movers).front;
      return {
        kind: 'ClickHouse killed while it inserts',
        waits: true,
        begin: async () => {
          const caught = await gate.catch('inside', aimMsMax);
          await part.kill();
          caught?.pass();
          return caught === null ? missed : undefined;
        },
        end: () => part.start(),
      };
    },
    hung('ClickHouse hung', it, () => random.pick([0, 2_000])),
    // What the mover holds just then it has to have again.
    within(
      hung('ClickHouse hung', it, () => 500),
      killed('mover', () => random.pick(movers).part),
    ),
    imposed('ClickHouse read-only', { code: '164', settings: { readonly: '1' }, of: 'all' }),
    imposed('memory limit hit', { code: '241', settings: { max_memory_usage: String(2 ** 20) }, of: 'inserts' }),
    () => ({
      kind: 'password changed, and changed back',
      waits: true,
      begin: () => untilSaid(gates, '516', () => askAllFor('another')),
      end: () => askAllFor(password),
    }),
    () => {
      const mover = random.pick(movers).part;
      return {
        kind: 'mover started with a wrong password, then with the right one',
        begin: async () => {
          await mover.kill();
          return untilSaid(gates, '516', () => mover.start(['--clickhouse-password=wrong']));
        },
        end: async () => {
          await mover.kill();
          await mover.start();
        },
      };
    },
    () => answersLost(random.pick(movers).front),
    () => {
      const whom = random.pick(Object.keys(wrongAnswers));
      const replaceAll = (wrong: WrongAnswer | null) => {
        for (const gate of gates) gate.replace(wrong);
      };
      const inserts = () => gates.reduce((sum, { replaced }) => sum + replaced, 0);
      return {
        ...{ kind: 'something else answers', whom, waits: true },
        begin: async () => {
          const before = inserts();
          replaceAll(wrongAnswers[whom]!);
          return untilTrue(() => inserts() > before);
        },
        end: () => replaceAll(null),
      };
    },
    ...tableFaults(options),
  ];
}

/** Begins, and waits until ClickHouse has told a mover so. False from `begin`: it could not. */
async function untilSaid(
  gates: readonly ClickhouseGate[],
  code: string,
  begin: () => unknown,
): Promise<typeof missed | undefined> {
  const times = () => gates.reduce((sum, { said }) => sum + (said.get(code) ?? 0), 0);
  const before = times();
  if ((await begin()) === false) return missed;
  return untilTrue(() => times() > before);
}

async function untilTrue(isTrue: () => boolean): Promise<typeof missed | undefined> {
  const end = performance.now() + aimMsMax;
  while (!isTrue()) {
    if (performance.now() > end) return missed;
    await Bun.sleep(20);
  }
}

/** ClickHouse does what it is asked, and nobody hears of it. */
function answersLost({ gate, proxy }: ClickhouseFront): Fault {
  const ending = new AbortController();
  let losing: Promise<void> = Promise.resolve();
  const lose = async (msMax: number): Promise<boolean> => {
    const caught = await gate.catch('after', msMax);
    if (caught === null) return false;
    proxy.cut();
    caught.drop();
    return true;
  };
  return {
    kind: 'answers lost',
    waits: true,
    begin: async () => {
      if (!(await lose(aimMsMax))) return missed;
      losing = (async () => {
        while (!ending.signal.aborted) await lose(100);
      })();
    },
    end: async () => {
      ending.abort();
      await losing;
    },
  };
}

/** Tables that lose no row by it. */
function tableFaults({ random, movers, clickhouse, database }: EtlFaultsOptions): Make[] {
  const rows = ['click_rows', 'film_watched_rows', 'page_view_rows', 'dead_letters_rows'];
  const gates = movers.map(({ front }) => front.gate);
  const undone = (kind: string, code: string, sql: (name: string) => readonly [string, string]): Make => {
    return () => {
      const name = random.pick(rows);
      const [begin, end] = sql(`${database}.${name}`);
      let isOn = false;
      return {
        ...{ kind, whom: name, waits: true },
        begin: () =>
          untilSaid(gates, code, async () => {
            isOn = await clickhouse.command(begin);
            return isOn;
          }),
        end: () => (isOn ? clickhouse.surely(end) : undefined),
      };
    };
  };
  const altered = (setting: string, value: number, usual: number) => (table: string) => {
    const to = (now: number) => `ALTER TABLE ${table} MODIFY SETTING ${setting} = ${now}`;
    return [to(value), to(usual)] as const;
  };
  return [
    // A server that is started anew has attached it already.
    undone('table away', '60', table => [`DETACH TABLE ${table}`, `ATTACH TABLE IF NOT EXISTS ${table}`]),
    undone('table read-only', '774', altered('table_readonly', 1, 0)),
    undone('too many parts', '252', altered('parts_to_throw_insert', 1, 3_000)),
    () => {
      const view = random.pick(['click', 'events', 'dead_letters', 'events_per_minute', 'film_views_daily']);
      const { part } = random.pick(movers);
      return {
        kind: 'view dropped, and made anew by a mover that starts',
        begin: async () => ((await clickhouse.command(`DROP VIEW ${database}.${view} SYNC`)) ? undefined : missed),
        end: async () => {
          await part.kill();
          await part.start();
        },
      };
    },
  ];
}
