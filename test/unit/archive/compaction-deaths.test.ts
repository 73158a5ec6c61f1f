// Compactors beside each other, and files that go on coming, while each compactor may die before or after any call of the
// store. Whoever reads by the manifest, at any time, finds each record once; in the end nothing lies there that is not named.

import { expect, test } from 'bun:test';
import { memoryColdStore } from '../../../src/adapters/memory/cold-store.ts';
import { type CompactingOptions, compactArchive } from '../../../src/archive/compactor.ts';
import { readHoldings } from '../../../src/archive/holdings.ts';
import { filePath } from '../../../src/archive/layout.ts';
import type { ArchivedFile, Entry } from '../../../src/archive/manifest.ts';
import { hashOf } from '../../../src/archive/read-file.ts';
import { settleEntry } from '../../../src/archive/records.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { ColdStore } from '../../../src/ports/cold-store.ts';
import { linesFormat } from '../../support/archive-lines.ts';
import { seeded } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const { signal } = new AbortController();
const days = ['2026-11-01', '2026-11-02'];
const graceMs = 1_000_000;

/** Rejects for ever from its n-th call on, before or after it was done: to the store it is as if the process had died. */
function mortal(store: ColdStore, random: () => number, callsMax: number): ColdStore {
  let calls = 0;
  const isLate = random() < 0.5;
  const fate = async <T>(work: () => Promise<T>): Promise<T> => {
    await Bun.sleep(random() * 2);
    const number = ++calls;
    if (number > callsMax || (number === callsMax && !isLate)) throw new PipelineError('archive_unavailable', 'dead');
    const done = await work();
    if (number === callsMax) throw new PipelineError('archive_unavailable', 'dead');
    return done;
  };
  return {
    ...store,
    create: (path, bytes) => fate(() => store.create(path, bytes)),
    read: path => fate(() => store.read(path)),
    list: folder => fate(() => store.list(folder)),
    remove: path => fate(() => store.remove(path)),
  };
}

async function linesOf(store: ColdStore, files: readonly ArchivedFile[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, sha256 } of files) {
    const bytes = await store.read(path);
    if (bytes === null) throw new Error(`${path} is in the manifest and not there`);
    expect(hashOf(bytes)).toBe(sha256);
    lines.push(...Buffer.from(bytes).toString().trimEnd().split('\n'));
  }
  return lines.toSorted();
}

/** An archiver: entry after entry of one chain, a file of each day. */
function archiverOf(store: ColdStore, random: () => number) {
  const chain = { topic: 't', log: 'a', partition: 0 };
  const lines: string[] = [];
  let before: Promise<void> = Promise.resolve();
  return {
    lines,
    enter: (): Promise<void> => {
      before = before.then(enter);
      return before;
    },
  };

  async function enter(): Promise<void> {
    const files: ArchivedFile[] = [];
    const first = lines.length;
    const fresh: string[] = [];
    for (const day of days) {
      const rows = 1 + Math.floor(random() * 4);
      const own = Array.from({ length: rows }, (_, at) => {
        const number = String(first + fresh.length + at).padStart(12, '0');
        return `{"event_id":"00000000-0000-4000-8000-${number}","received_at":"${day} 12:00:00.000"}`;
      });
      fresh.push(...own);
      const content = Buffer.from(own.map(line => `${line}\n`).join(''));
      const sha256 = hashOf(content);
      const path = filePath({ ...chain, format: linesFormat, type: 'seen', day, first, last: first, sha256 });
      await store.create(path, content);
      const [receivedFromMs, bytes] = [Date.parse(`${day}T12:00Z`), content.length];
      const told = { path, format: 'parquet' as const, type: 'seen', version: 1, day, rows, bytes, sha256 };
      files.push({ ...told, receivedFromMs, receivedToMs: receivedFromMs });
    }
    const last = first + fresh.length - 1;
    const entry: Entry = {
      ...{ ...chain, first, last, formats: ['parquet'], records: fresh.length, dead: 0, missing: [], files },
      ...{ by: 'test', at: '2026-11-03T00:00:00Z' },
    };
    await settleEntry(store, entry, signal);
    lines.push(...fresh);
  }
}

const seeds = Number(process.env.UGC_TEST_ROUNDS ?? 10);

test.each(Array.from({ length: seeds }, (_, seed) => seed + 1))(
  'compactors die, and each record is read once all the while: seed %d',
  async seed => {
    const random = seeded(seed).next;
    const store = memoryColdStore();
    const archiver = archiverOf(store, random);
    let nowMs = Date.parse('2026-11-03T00:00Z');
    const compact = (on: ColdStore, more: Partial<CompactingOptions> = {}) =>
      compactArchive({
        ...{ store: on, formats: { parquet: linesFormat, csv: linesFormat }, signal, now: () => nowMs, graceMs },
        ...{ definitionOf: () => ({ type: 'seen', summary: '', columns: [] }), isWanted: () => true },
        ...{ filesMin: 2, fileBytes: 2_000, tell: null, isDry: false, ...more },
      });
    const slow = mortal(store, random, Number.POSITIVE_INFINITY);
    let isOver = false;
    let readings = 0;
    const reader = (async () => {
      while (!isOver) {
        const before = archiver.lines.toSorted();
        // As slow as it likes within the grace.
        const { files, problems } = await readHoldings(slow, signal);
        const found = await linesOf(slow, files);
        expect(problems).toEqual([]);
        expect(new Set(found).size).toBe(found.length);
        expect(before.filter(line => !found.includes(line))).toEqual([]);
        readings++;
      }
    })();
    for (let round = 0; round < 10; round++) {
      for (let count = 1 + Math.floor(random() * 3); count > 0; count--) await archiver.enter();
      const runs = Array.from({ length: 1 + Math.floor(random() * 3) }, async () => {
        await Bun.sleep(random() * 40);
        const callsMax = 1 + Math.floor(random() * 200);
        // They need not have the same settings.
        return compact(mortal(store, random, callsMax), { fileBytes: random() < 0.5 ? 2_000 : 4_000 });
      });
      const entering = Promise.all(
        Array.from({ length: Math.floor(random() * 3) }, async () => {
          await Bun.sleep(random() * 60);
          await archiver.enter();
        }),
      );
      for (const run of await Promise.allSettled(runs))
        if (run.status === 'rejected') expect(String(run.reason)).toContain('dead');
        else expect(run.value.problems).toEqual([]);
      await entering;
      // Who has listed is through with it by then.
      if (random() < 0.3) {
        const seen = readings;
        await until(() => readings >= seen + 2, 'a reading of after');
        nowMs += graceMs;
      }
    }
    isOver = true;
    await reader;

    const wanted = archiver.lines.toSorted();
    await compact(store, { filesMin: 2 });
    nowMs += graceMs;
    const last = await compact(store, { filesMin: 2 });
    expect({ problems: last.problems, waiting: last.waiting.files }).toEqual({ problems: [], waiting: 0 });
    const { files, problems } = await readHoldings(store, signal);
    expect(problems).toEqual([]);
    expect(await linesOf(store, files)).toEqual(wanted);
    const named = new Set(files.map(({ path }) => path));
    const strays = (await store.list(''))
      .map(({ path }) => path)
      .filter(path => !path.startsWith('_') && !named.has(path));
    expect(strays).toEqual([]);
  },
);
