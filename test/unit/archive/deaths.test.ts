// Archivers that share a log and a store, and die at random: between any two calls of the store, before or after it was
// done. What the manifest says in the end is the log, record by record.

import { expect, test } from 'bun:test';
import { memoryColdStore } from '../../../src/adapters/memory/cold-store.ts';
import { type Archiver, startArchiver } from '../../../src/archive/archiver.ts';
import { deadTable } from '../../../src/archive/dead.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { ColdStore } from '../../../src/ports/cold-store.ts';
import type { Ack, Batch, Source } from '../../../src/ports/source.ts';
import { encodeHere, linesFormat } from '../../support/archive-lines.ts';
import { archivedIn, straysIn } from '../../support/archive-oracle.ts';
import { quietLogger } from '../../support/quiet.ts';
import { seeded } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const partitions = 3;
const dayMs = 86_400_000;

interface Group {
  append(partition: number, bodies: readonly string[]): void;
  /** A member of its own: partitions move when one comes or goes. */
  join(): Source;
  committed(partition: number): number;
  readonly ends: readonly number[];
}

/** A log that several read as one: each partition belongs to one of them, under an epoch. */
function group(random: () => number): Group {
  const logs: string[][] = Array.from({ length: partitions }, () => []);
  const committed = Array.from({ length: partitions }, () => 0);
  const owners: (object | null)[] = Array.from({ length: partitions }, () => null);
  const epochs = Array.from({ length: partitions }, () => 0);
  const cursors = Array.from({ length: partitions }, () => 0);
  const members: object[] = [];

  function share(): void {
    for (let at = 0; at < partitions; at++) {
      const owner = members.length === 0 ? null : members[Math.floor(random() * members.length)]!;
      if (owner === owners[at]) continue;
      owners[at] = owner;
      epochs[at]!++;
      cursors[at] = committed[at]!;
    }
  }

  return {
    append: (partition, bodies) => void logs[partition]!.push(...bodies),
    committed: partition => committed[partition]!,
    get ends() {
      return logs.map(log => log.length);
    },
    join() {
      const self = {};
      members.push(self);
      share();
      return {
        async poll(_, signal) {
          await Bun.sleep(1);
          if (signal.aborted) return [];
          const batches: Batch[] = [];
          for (let partition = 0; partition < partitions; partition++) {
            const first = cursors[partition]!;
            const lines = logs[partition]!.slice(first, first + 1 + Math.floor(random() * 5));
            if (owners[partition] !== self || lines.length === 0) continue;
            cursors[partition] = first + lines.length;
            const last = first + lines.length - 1;
            const ack = { partition, last, epoch: epochs[partition] } as unknown as Ack;
            const ndjson = Buffer.from(lines.map(line => `${line}\n`).join(''));
            const epoch = epochs[partition]!;
            const type = 'seen';
            const [topic, count, oldestAtMs] = ['t', lines.length, 0];
            batches.push({ ack, topic, partition, first, last, type, count, oldestAtMs, ndjson, epoch });
          }
          return batches;
        },
        async commit(ack) {
          const { partition, last, epoch } = ack as unknown as { partition: number; last: number; epoch: number };
          if (owners[partition] !== self || epochs[partition] !== epoch) return;
          committed[partition] = Math.max(committed[partition]!, last + 1);
        },
        owns: ({ partition, epoch }) => owners[partition] === self && epochs[partition] === epoch,
        async close() {
          const at = members.indexOf(self);
          if (at < 0) return;
          members.splice(at, 1);
          share();
        },
      };
    },
  };
}

/** Fails now and then before or after it has done what it was asked; after `kill` nothing of it is done any more. */
function mortal(store: ColdStore, random: () => number, failing: number) {
  const dead = Promise.withResolvers<never>();
  let isDead = false;
  let thawed: Promise<void> = Promise.resolve();
  const fate = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDead) return dead.promise;
    await Bun.sleep(random() * 2);
    await thawed;
    if (isDead) return dead.promise;
    if (random() < failing) throw new PipelineError('archive_unavailable', 'away before');
    const done = await work();
    await null;
    if (isDead) return dead.promise;
    if (random() < failing) throw new PipelineError('archive_unavailable', 'away behind');
    return done;
  };
  const { title, prepare, close } = store;
  return {
    store: {
      title,
      prepare,
      close,
      create: (path, bytes) => fate(() => store.create(path, bytes)),
      read: path => fate(() => store.read(path)),
      list: folder => fate(() => store.list(folder)),
      remove: path => fate(() => store.remove(path)),
    } satisfies ColdStore,
    kill: () => {
      isDead = true;
    },
    /** Until what it gives is called everything stands still, then goes on as if nothing had been. */
    freeze: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      thawed = promise;
      return resolve;
    },
  };
}

const bodyOf = (partition: number, at: number, random: () => number): string => {
  const receivedAt = new Date(Date.UTC(2026, 10, 1) + Math.floor(random() * 3 * dayMs)).toISOString();
  const id = `${String(partition).padStart(8, '0')}-0000-4000-8000-${String(at).padStart(12, '0')}`;
  return `{"event_id":"${id}","event_type":"seen","schema_version":1,"received_at":"${receivedAt}"}`;
};

const seen = { type: 'seen', summary: '', columns: [] };

interface Run {
  readonly archiver: Archiver;
  /** It stands still and the group forgets it; gives what lets it go on. */
  freeze(): Promise<() => void>;
  kill(): Promise<void>;
}

function startOne(source: Source, store: ColdStore, random: () => number, failing: number): Run {
  const mine = mortal(store, random, failing);
  const archiver = startArchiver({
    openSource: () => source,
    topics: () => ['t'],
    store: mine.store,
    formats: [linesFormat],
    everyFormat: [linesFormat],
    encode: async (...asked) => {
      await Bun.sleep(random() * 2);
      return encodeHere(...asked);
    },
    definitionOf: type => [seen, deadTable].find(table => table.type === type),
    judge: () => ({ ok: false, reason: 'invalid', detail: 'not expected' }),
    unknownTypes: 'wait',
    isDense: true,
    fileBytes: 500 + random() * 3_000,
    fileSeconds: 0.02 + random() * 0.1,
    memoryBytes: 1_000 + random() * 5_000,
    by: 'test',
    logger: quietLogger,
    metrics: { entered: () => {} },
    retryMsMin: 1,
    retryMsMax: 5,
    graceMs: 1,
  });
  return {
    archiver,
    freeze: async () => {
      const thaw = mine.freeze();
      await source.close();
      return thaw;
    },
    // It says nothing more, and its ownership ends only when the group notices.
    kill: async () => {
      mine.kill();
      await archiver.stop();
    },
  };
}

const seeds = Number(process.env.UGC_TEST_ROUNDS ?? 12);

test.each(Array.from({ length: seeds }, (_, seed) => seed + 1))(
  'deaths at random leave the log in the manifest: seed %d',
  async seed => {
    const random = seeded(seed).next;
    const store = memoryColdStore();
    const log = group(random);
    const wanted = new Set<string>();
    const running: Run[] = [];
    const frozen: { readonly run: Run; readonly thaw: () => void }[] = [];
    /** Woken, without any ownership: what they had begun they may finish. */
    const late: Run[] = [];
    for (let round = 0; round < 12; round++) {
      for (let partition = 0; partition < partitions; partition++) {
        const from = log.ends[partition]!;
        const bodies = Array.from({ length: Math.floor(random() * 40) }, (_, at) =>
          bodyOf(partition, from + at, random),
        );
        for (const body of bodies) wanted.add(body);
        log.append(partition, bodies);
      }
      while (running.length < 2) running.push(startOne(log.join(), store, random, 0.03));
      await Bun.sleep(random() * 40);
      for (const { thaw, run } of frozen.splice(0)) {
        thaw();
        await Bun.sleep(random() * 30);
        if (random() < 0.5) await run.kill();
        else late.push(run);
      }
      if (random() < 0.3) {
        const [run] = running.splice(Math.floor(random() * running.length), 1);
        frozen.push({ run: run!, thaw: await run!.freeze() });
      } else if (random() < 0.7) await running.splice(Math.floor(random() * running.length), 1)[0]!.kill();
    }
    for (const { thaw } of frozen) thaw();
    for (const { kill } of [...running, ...frozen.map(({ run }) => run), ...late]) await kill();
    const last = startOne(log.join(), store, random, 0);
    await until(() => log.ends.every((end, partition) => log.committed(partition) === end), 'everything is committed');
    await last.archiver.stop();

    const { entries, files } = await archivedIn(store);
    const lines = files.flatMap(({ bytes }) => Buffer.from(bytes).toString().trimEnd().split('\n'));
    expect(lines.toSorted()).toEqual([...wanted].toSorted());
    expect(entries.every(({ missing, dead }) => missing.length === 0 && dead === 0)).toBe(true);
    expect(await straysIn(store)).toEqual([]);
  },
);
