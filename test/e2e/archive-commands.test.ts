// `ugc archive …` on the compiled binary: what is archived is listed, held against the tables, and brought back exactly; and
// what is wrong with it is named.

import { beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { catalogue } from '../../schemas/catalogue.ts';
import { anyEventOf, jsonOf } from '../support/any-event.ts';
import { metric } from '../support/oracle.ts';
import { seeded } from '../support/random.ts';
import { binary, eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const perType = 5;
const events = catalogue.types.length * perType;
const folder = temporaryFolder();
const dataDir = temporaryFolder();
const settings = [`--archive-url=file://${folder}`, '--archive-format=parquet,csv', '--archive-file-seconds=1'];

const archive = (word: string, ...more: readonly string[]) =>
  runUgc(['archive', word, ...settings, `--data-dir=${dataDir}`, ...more]);

/** Every column of every row, in one number for each type. */
async function hashes(ugc: Ugc, database: string): Promise<Record<string, unknown>> {
  const found = catalogue.types.map(async ({ name }) => {
    const rows = await ugc.query(`SELECT count() AS n, sum(cityHash64(*)) AS hash FROM ${database}.${name}`);
    return [name, rows[0]] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

let ugc: Ugc;
let before: Record<string, unknown>;

beforeAll(async () => {
  ugc = await startUgc({ dataDir, flags: settings });
  for (const [at, type] of catalogue.types.entries()) {
    const some = fc.sample(anyEventOf(type, Date.now()), { numRuns: perType, seed: at + 1 });
    const body = jsonOf(some.map(event => ({ ...event, event_type: type.name, event_id: Bun.randomUUIDv7() })));
    expect((await ugc.post(body)).status).toBe(200);
  }
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.events')).length === events, { what: 'rows' });
  await eventually(
    async () => {
      const { stdout } = await archive('ls', '--json');
      const { days } = JSON.parse(stdout) as { days: { events: number }[] };
      return days.reduce((sum, day) => sum + day.events, 0) === events;
    },
    { what: 'all in the archive', pauseMs: 500 },
  );
  before = await hashes(ugc, 'ugc');
}, 300_000);

test('ls and verify say what there is, and that it is whole', async () => {
  const { stdout, code } = await archive('ls', '--type=click');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/click +\d{4}-\d\d-\d\d +5 /) });
  const verified = await archive('verify', '--json');
  const report = JSON.parse(verified.stdout);
  expect({ code: verified.code, closes: report.closes, problems: report.problems }).toEqual({
    ...{ code: 0, closes: true },
    problems: [],
  });
  await eventually(async () => (await metric(ugc.url, 'ugc_archive_verified_whole')) === 1, {
    what: 'the archiver tells of it',
    pauseMs: 500,
  });
  const doctor = await runUgc([
    'doctor',
    '--json',
    ...settings,
    `--data-dir=${dataDir}`,
    `--port=${new URL(ugc.url).port}`,
  ]);
  const { categories } = JSON.parse(doctor.stdout) as {
    readonly categories: readonly { readonly checks: readonly { readonly id: string; readonly result: string }[] }[];
  };
  const checks = categories.flatMap(({ checks: of }) => of).filter(({ id }) => id.startsWith('archive.'));
  expect(checks.map(({ id, result }) => `${id}: ${result}`)).toContain('archive.verified: success');
  for (const { type, archived, rows, missing, absent } of report.days)
    expect({ type, archived, rows, missing, absent }).toEqual({ type, archived: rows, rows, missing: 0, absent: 0 });
});

test('restore brings the same tables into another database, twice is once', async () => {
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await archive('restore', '--database=again');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`restored ${events} events`) });
  }
  expect(await hashes(ugc, 'again')).toEqual(before);
});

test('a restore that is killed at random moments and repeated is once', async () => {
  const random = seeded(29);
  let killed = 0;
  for (let round = 0; round < 8; round++) {
    const command = [binary, 'archive', 'restore', ...settings, `--data-dir=${dataDir}`, '--database=killed'];
    const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore', env: { PATH: process.env.PATH ?? '' } });
    await Bun.sleep(random.between(50, 1_500)); // the moment of its death
    child.kill('SIGKILL');
    await child.exited;
    if (child.signalCode === 'SIGKILL') killed++;
  }
  expect(killed).toBeGreaterThan(0);
  expect((await archive('restore', '--database=killed')).code).toBe(0);
  expect(await hashes(ugc, 'killed')).toEqual(before);
});

test('restore after the tables were lost gives the same exact tables as before', async () => {
  expect(await ugc.stop()).toBe(0);
  rmSync(join(dataDir, 'clickhouse'), { recursive: true });
  ugc = await startUgc({ dataDir, flags: settings });
  const { days } = JSON.parse((await archive('verify', '--json')).stdout) as {
    days: { absent: number; type: string }[];
  };
  expect(days.filter(({ absent }) => absent !== perType)).toEqual([]);
  const { code } = await archive('restore');
  expect(code).toBe(0);
  expect(await hashes(ugc, 'ugc')).toEqual(before);
});

test('restore --stdout gives every event as a line', async () => {
  const { stdout, code } = await archive('restore', '--stdout');
  const lines = stdout.trimEnd().split('\n');
  expect({ code, lines: lines.length }).toEqual({ code: 0, lines: events });
  expect(new Set(lines.map(line => (JSON.parse(line) as { event_id: string }).event_id)).size).toBe(events);
});

test('verify names a flipped byte, a file that is gone, and an entry that is gone', async () => {
  const day = readdirSync(join(folder, 'parquet/click'))[0]!;
  const of = (type: string): string => join(folder, 'parquet', type, day);
  const click = join(of('click'), readdirSync(of('click'))[0]!);
  const whole = readFileSync(click);
  const flipped = Buffer.from(whole);
  flipped[20] = flipped[20]! ^ 1;
  writeFileSync(click, flipped);
  const one = await archive('verify', '--files-only');
  expect({ code: one.code, out: one.stdout }).toEqual({
    ...{ code: 1 },
    out: expect.stringMatching(/parquet\/click\/.* has other bytes than the manifest says/),
  });
  const refused = await archive('restore', '--type=click', '--database=damaged');
  expect({ code: refused.code, stderr: refused.stderr }).toEqual({
    ...{ code: 1 },
    stderr: expect.stringContaining('has other bytes than the manifest says'),
  });
  writeFileSync(click, whole);
  rmSync(join(of('ordering'), readdirSync(of('ordering'))[0]!));
  const two = await archive('verify', '--quick', '--files-only');
  expect({ code: two.code, out: two.stdout }).toEqual({
    ...{ code: 1 },
    out: expect.stringMatching(/parquet\/ordering\/.* is not there/),
  });
  expect(await ugc.stop()).toBe(0);
});
