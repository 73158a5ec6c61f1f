// Two archivers that both read the whole of one log into one target, all the time, while they and the target's servers are
// killed, stand still and are full at random moments. What the manifest says in the end is the log, record by record.

import { expect } from 'bun:test';
import { type Archiver, startArchiver } from '../../src/archive/archiver.ts';
import { deadTable } from '../../src/archive/dead.ts';
import type { ColdStore } from '../../src/ports/cold-store.ts';
import type { Ack, Batch, Source } from '../../src/ports/source.ts';
import { encodeHere, linesFormat } from './archive-lines.ts';
import { archivedIn, straysIn } from './archive-oracle.ts';
import { quietLogger } from './quiet.ts';
import type { Random } from './random.ts';
import { eventually } from './until.ts';

/** Breaks something; what it gives mends it, and resolves when it is whole. */
export interface TargetFault {
  readonly name: string;
  begin(): Promise<() => Promise<void>>;
}

export interface TargetChaos {
  readonly open: () => ColdStore;
  readonly faults: readonly TargetFault[];
  readonly rounds: number;
  readonly random: Random;
  /** A fault lasts so long at most. */
  readonly lastsMsMax: number;
}

const partitions = 2;

export async function playTargetChaos({ open, faults, rounds, random, lastsMsMax }: TargetChaos): Promise<void> {
  const logs: string[][] = Array.from({ length: partitions }, () => []);
  const committed = Array.from({ length: partitions }, () => 0);
  const next = random.next;
  const stores: ColdStore[] = [];
  const start = (): Run => {
    const store = open();
    stores.push(store);
    return startOne(sourceOf(logs, committed, next), store, next);
  };
  const oracle = open();
  // A server that has just started may take longer than a file is given.
  await eventually(() => oracle.prepare().then(() => true), { what: 'a target that is prepared' });
  let running = [start(), start()];
  const dealt = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [partition, log] of logs.entries())
      for (let count = Math.floor(next() * 60); count > 0; count--) log.push(bodyOf(partition, log.length, next));
    await Bun.sleep(next() * 100);
    // Each of them once, then as luck has it.
    const fault = faults[round] ?? random.pick(faults);
    dealt.set(fault.name, (dealt.get(fault.name) ?? 0) + 1);
    const mend = await fault.begin();
    await Bun.sleep(next() * lastsMsMax);
    if (next() < 0.4) {
      const [first, second] = running as [Run, Run];
      await first.kill();
      running = [second, start()];
    }
    await mend();
  }
  console.log(
    `${rounds} rounds, seed ${random.seed}: ${[...dealt].map(([name, times]) => `${name} ${times}`).join(', ')}`,
  );
  const isDone = (): boolean => logs.every((log, partition) => committed[partition] === log.length);
  await eventually(isDone, { what: 'everything is committed', msMax: 180_000 });
  for (const { archiver } of running) await archiver.stop();
  const { entries, files } = await archivedIn(oracle);
  const lines = files.flatMap(({ bytes }) => Buffer.from(bytes).toString().trimEnd().split('\n'));
  expect(lines.toSorted()).toEqual(logs.flat().toSorted());
  expect(entries.every(({ missing, dead }) => missing.length === 0 && dead === 0)).toBe(true);
  expect(await straysIn(oracle)).toEqual([]);
  for (const store of [...stores, oracle]) await store.close();
}

interface Run {
  readonly archiver: Archiver;
  kill(): Promise<void>;
}

/** Of a log that it has for itself, as it believes. */
function sourceOf(logs: readonly string[][], committed: number[], next: () => number): Source {
  const cursors = [...committed];
  return {
    async poll(_, signal) {
      await Bun.sleep(2);
      if (signal.aborted) return [];
      const batches: Batch[] = [];
      for (let partition = 0; partition < partitions; partition++) {
        const first = cursors[partition]!;
        const lines = logs[partition]!.slice(first, first + 1 + Math.floor(next() * 20));
        if (lines.length === 0) continue;
        const last = first + lines.length - 1;
        cursors[partition] = last + 1;
        const ack = { partition, last } as unknown as Ack;
        const ndjson = Buffer.from(lines.map(line => `${line}\n`).join(''));
        const [topic, type, count, oldestAtMs, epoch] = ['t', 'seen', lines.length, 0, 1] as const;
        batches.push({ ack, topic, partition, first, last, type, count, oldestAtMs, ndjson, epoch });
      }
      return batches;
    },
    async commit(ack) {
      const { partition, last } = ack as unknown as { partition: number; last: number };
      committed[partition] = Math.max(committed[partition]!, last + 1);
    },
    owns: () => true,
    async close() {},
  };
}

const seen = { type: 'seen', summary: '', columns: [] };

function startOne(source: Source, target: ColdStore, next: () => number): Run {
  let isDead = false;
  const never = new Promise<never>(() => {});
  // What was sent is on its way; a dead one asks nothing more, and hears of nothing.
  const alive = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDead) return never;
    try {
      const done = await work();
      return isDead ? await never : done;
    } catch (error) {
      if (isDead) return never;
      throw error;
    }
  };
  const { title, prepare, close } = target;
  const archiver = startArchiver({
    openSource: () => source,
    topics: () => ['t'],
    store: {
      title,
      prepare,
      close,
      create: (path, bytes, signal) => alive(() => target.create(path, bytes, signal)),
      read: (path, signal) => alive(() => target.read(path, signal)),
      list: (folder, signal) => alive(() => target.list(folder, signal)),
      remove: (path, signal) => alive(() => target.remove(path, signal)),
    },
    formats: [linesFormat],
    everyFormat: [linesFormat],
    encode: encodeHere,
    definitionOf: type => [seen, deadTable].find(table => table.type === type),
    judge: () => ({ ok: false, reason: 'invalid', detail: 'not expected' }),
    unknownTypes: 'wait',
    isDense: true,
    fileBytes: 2_000 + next() * 10_000,
    fileSeconds: 0.1 + next() * 0.5,
    memoryBytes: 20_000,
    by: 'test',
    logger: quietLogger,
    metrics: { entered: () => {} },
    retryMsMin: 20,
    retryMsMax: 200,
    graceMs: 1,
  });
  return {
    archiver,
    async kill() {
      isDead = true;
      await archiver.stop();
    },
  };
}

const bodyOf = (partition: number, at: number, next: () => number): string => {
  const receivedAt = new Date(Date.UTC(2026, 10, 1) + Math.floor(next() * 2 * 86_400_000)).toISOString();
  const id = `${String(partition).padStart(8, '0')}-0000-4000-8000-${String(at).padStart(12, '0')}`;
  return `{"event_id":"${id}","event_type":"seen","schema_version":1,"received_at":"${receivedAt}"}`;
};
