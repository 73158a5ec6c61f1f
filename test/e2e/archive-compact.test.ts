// `ugc archive compact` on the compiled binary, beside a running archiver: killed at random moments and twice at once, it
// leaves the same records, which verify and restore read, while what was replaced is there and after it was taken away.

import { beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../schemas/catalogue.ts';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { readHoldings } from '../../src/archive/holdings.ts';
import { anyEventOf, jsonOf } from '../support/any-event.ts';
import { randomOf } from '../support/random.ts';
import { binary, eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('archive compact');
const perType = 4;
const rounds = 3;
const folder = temporaryFolder();
const dataDir = temporaryFolder();
const store = folderColdStore(folder);
const settings = [`--archive-url=file://${folder}`, '--archive-format=parquet,csv', '--archive-file-seconds=1'];
const today = `--to=${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}`;
const events = catalogue.types.length * perType;

const archive = (word: string, ...more: readonly string[]) =>
  runUgc(['archive', word, ...settings, `--data-dir=${dataDir}`, ...more]);
const compact = (...more: readonly string[]) => archive('compact', today, '--files-min=2', '--json', ...more);
const holdings = () => readHoldings(store, new AbortController().signal);

async function archivedEvents(): Promise<number> {
  const { files } = await holdings();
  return files.filter(({ format }) => format === 'csv').reduce((sum, { rows }) => sum + rows, 0);
}

async function send(seed: number): Promise<void> {
  const before = await archivedEvents();
  for (const [at, type] of catalogue.types.entries()) {
    const some = fc.sample(anyEventOf(type, Date.now()), { numRuns: perType, seed: seed * 1_000 + at });
    const body = jsonOf(some.map(event => ({ ...event, event_type: type.name, event_id: Bun.randomUUIDv7() })));
    expect((await ugc.post(body)).status).toBe(200);
  }
  await eventually(async () => (await archivedEvents()) === before + events, { what: 'all in the archive' });
}

/** Every column of every row, in one number for each type. */
async function hashes(database: string): Promise<Record<string, unknown>> {
  const found = catalogue.types.map(async ({ name }) => {
    const rows = await ugc.query(`SELECT count() AS n, sum(cityHash64(*)) AS hash FROM ${database}.${name}`);
    return [name, rows[0]] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

async function strays(): Promise<string[]> {
  const named = new Set((await holdings()).files.map(({ path }) => path));
  return (await store.list('')).map(({ path }) => path).filter(path => !path.startsWith('_') && !named.has(path));
}

async function isWhole(database: string): Promise<void> {
  const verified = await archive('verify', '--json');
  expect({ code: verified.code, problems: JSON.parse(verified.stdout).problems }).toEqual({ code: 0, problems: [] });
  const restored = await archive('restore', `--database=${database}`);
  expect({ code: restored.code, stderr: restored.stderr }).toEqual({ code: 0, stderr: expect.anything() });
  expect(await hashes(database)).toEqual(await hashes('ugc'));
}

let ugc: Ugc;

beforeAll(async () => {
  await store.prepare();
  ugc = await startUgc({ dataDir, flags: settings });
  for (let round = 1; round <= rounds; round++) await send(round);
}, 300_000);

test('--dry-run says what would be done, and a day that is not over is left alone', async () => {
  const before = (await store.list('')).length;
  const { code, stdout } = await compact('--dry-run');
  const { days, removed } = JSON.parse(stdout);
  expect({ code, removed: removed.files }).toEqual({ code: 0, removed: 0 });
  expect(days.length).toBeGreaterThanOrEqual(catalogue.types.length * 2);
  const over = await archive('compact', '--files-min=2');
  expect({ code: over.code, stdout: over.stdout }).toEqual({ code: 0, stdout: 'Nothing is to be compacted.\n' });
  expect((await store.list('')).length).toBe(before);
});

test('killed at random, and twice at once, it leaves the same records in fewer files', async () => {
  const before = (await holdings()).files.length;
  for (let times = 0; times < 4; times++) {
    const flags = [...settings, `--data-dir=${dataDir}`, today, '--files-min=2'];
    const child = Bun.spawn([binary, 'archive', 'compact', ...flags], { stdout: 'ignore', stderr: 'ignore' });
    // Until it has written something more, and a moment: its start takes longer than its work.
    const there = (await store.list('compacted')).length;
    await eventually(async () => child.exitCode !== null || (await store.list('compacted')).length > there, {
      what: 'a compactor at work',
      pauseMs: 1,
    });
    await Bun.sleep(random.between(0, 30));
    child.kill('SIGKILL');
    await child.exited;
  }
  const runs = await Promise.all([compact(), compact()]);
  expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
    { code: 0, stderr: expect.anything() },
    { code: 0, stderr: expect.anything() },
  ]);
  const { files, problems } = await holdings();
  expect(problems).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(before / (rounds - 1));
  expect(files.every(({ path }) => path.startsWith('compacted/'))).toBe(true);
  await isWhole('within_grace');
}, 120_000);

test('what came later is taken along, and what was replaced goes once its grace is over', async () => {
  await send(rounds + 1);
  expect((await strays()).length).toBeGreaterThan(0);
  const { code } = await archive('compact', today, '--files-min=2', '--grace=0', '--json');
  expect(code).toBe(0);
  await send(rounds + 2);
  const second = JSON.parse((await compact()).stdout);
  expect(second.problems).toEqual([]);
  const last = JSON.parse((await archive('compact', today, '--files-min=100', '--grace=0', '--json')).stdout);
  expect({ problems: last.problems, waiting: last.waiting.files }).toEqual({ problems: [], waiting: 0 });
  expect(await strays()).toEqual([]);
  const listed = await archive('ls', '--paths', '--type=click', '--archive-format=csv');
  const wanted = (await holdings()).files.filter(({ type, format }) => type === 'click' && format === 'csv');
  expect(listed.stdout).toBe(wanted.map(({ path }) => `${path}\n`).join(''));
  await isWhole('after_grace');
  expect(await ugc.stop()).toBe(0);
}, 120_000);
