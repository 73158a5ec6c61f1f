// `ugc import` on the binary: beside a running instance, twice, killed half way, and with records that do not fit.

import { afterAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { drained } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { binary, cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

const fixtures = join(import.meta.dir, '../fixtures/import');
const files = { posthog: 'posthog.jsonl', segment: 'segment.ndjson', snowplow: 'snowplow.csv' };

test('three exports, twice: each event is one row, with the times it had', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const rejected = join(temporaryFolder(), 'rejected.ndjson');
  for (const [preset, file] of [...Object.entries(files), ...Object.entries(files)]) {
    const args = [join(fixtures, file), `--preset=${preset}`, `--data-dir=${dataDir}`, '--json'];
    if (preset === 'posthog') args.push(`--rejected=${rejected}`);
    const { code, stdout, stderr } = await runUgc(['import', ...args]);
    expect({ preset, code, stderr }).toEqual({ preset, code: preset === 'posthog' ? 1 : 0, stderr: '' });
    const told = JSON.parse(stdout) as { readonly taken: Readonly<Record<string, number>> };
    expect(Object.values(told.taken).reduce((a, b) => a + b, 0)).toBe(3);
  }
  expect(JSON.parse(readFileSync(rejected, 'utf8'))).toMatchObject({ record: 5, reason: 'invalid' });
  const rows = () =>
    ugc.query<{ source: string; rows: number; day: string }>(
      `SELECT source, toUInt32(uniqExact(event_id)) AS rows, toString(min(toDate(received_at))) AS day FROM ugc.events
       GROUP BY source ORDER BY source`,
    );
  const wanted = [
    { source: 'ugc:import:posthog', rows: 3, day: '2023-05-01' },
    { source: 'ugc:import:segment', rows: 3, day: '2022-12-10' },
    { source: 'ugc:import:snowplow', rows: 3, day: '2021-10-29' },
  ];
  await eventually(async () => (await rows()).reduce((sum, { rows }) => sum + rows, 0) >= 9);
  expect(await rows()).toEqual(wanted);
  const count = await ugc.query<{ rows: number }>('SELECT toUInt32(count()) AS rows FROM ugc.events');
  expect(count).toEqual([{ rows: 9 }]);
  expect(await ugc.stop()).toBe(0);
});

test('a dry run stores nothing, and what was said wrongly is told with what to do', async () => {
  const dataDir = temporaryFolder();
  const file = join(fixtures, files.posthog);
  const dry = await runUgc(['import', file, '--preset=posthog', '--dry-run', `--data-dir=${dataDir}`]);
  expect(dry.code).toBe(1);
  expect(dry.stdout).toContain('would import 3 events of 5 records');
  expect(dry.stdout).toContain('record 5: /page_url');
  for (const [args, words] of [
    [[file], '--preset=posthog | segment | snowplow or --mapping'],
    [['--preset=posthog'], 'it takes files'],
    [['none.ndjson', '--preset=posthog'], 'there is no file none.ndjson'],
    [[file, '--preset=posthog'], 'buffer'],
  ] as const) {
    const { code, stderr } = await runUgc(['import', ...args, `--data-dir=${dataDir}`]);
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr).toContain(words);
  }
});

test('a file that breaks off is told with where to go on, and what came before counts', async () => {
  const lines = readFileSync(join(fixtures, files.segment), 'utf8');
  const file = join(temporaryFolder(), 'segment.gz');
  const packed = gzipSync(
    Buffer.from(lines + Array.from({ length: 20_000 }, () => `${Bun.randomUUIDv7()}\n`).join('')),
  );
  await Bun.write(file, packed.subarray(0, packed.length >> 1));
  const { code, stdout, stderr } = await runUgc(['import', file, '--preset=segment', '--dry-run', '--json']);
  expect(code).toBe(1);
  const { taken, last } = JSON.parse(stdout);
  expect(taken).toEqual({ page_view: 1, custom: 1, user_identified: 1 });
  expect(last.number).toBeGreaterThan(4);
  expect(stderr).toContain(`--skip=${last.number}`);
});

test('killed at any moment and repeated, it is once', async () => {
  const random = randomOf('an import that is killed');
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const file = join(temporaryFolder(), 'many.jsonl');
  const events = 40_000;
  const line = (at: number) =>
    JSON.stringify({
      uuid: `id-${at}`,
      event: `name ${at % 7}`,
      distinct_id: `user-${at % 100}`,
      properties: { at },
      timestamp: new Date(1_680_000_000_000 + at * 1000).toISOString(),
    });
  await Bun.write(file, Array.from({ length: events }, (_, at) => `${line(at)}\n`).join(''));
  const args = ['import', file, '--preset=posthog', `--data-dir=${dataDir}`, '--json'];
  for (let round = 0; round < 8; round++) {
    const child = Bun.spawn([binary, ...args], { stdout: 'ignore', stderr: 'ignore', env: {} });
    const timer = setTimeout(() => child.kill('SIGKILL'), random.between(200, 1_700));
    await child.exited;
    clearTimeout(timer);
  }
  const { code, stdout } = await runUgc(args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).taken).toEqual({ custom: events });
  const count = () =>
    ugc.query<{ rows: number; ids: number }>(
      'SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(event_id)) AS ids FROM ugc.custom',
    );
  await eventually(async () => (await count())[0]?.ids === events);
  await drained(ugc);
  expect(await count()).toEqual([{ rows: events, ids: events }]);
  expect(await ugc.stop()).toBe(0);
}, 300_000);

/** A data folder that an instance has made, and left. */
async function leftFolder(flags: readonly string[] = []): Promise<string> {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags });
  expect(await ugc.stop()).toBe(0);
  return dataDir;
}

test('from stdin, as another program writes it', async () => {
  const dataDir = await leftFolder();
  const child = Bun.spawn([binary, 'import', '-', '--preset=segment', '--json', `--data-dir=${dataDir}`], {
    stdin: Bun.file(join(fixtures, files.segment)),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '' },
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout).taken).toEqual({ page_view: 1, custom: 1, user_identified: 1 });
  const parquet = await runUgc(['import', '-', '--preset=segment', '--format=parquet', `--data-dir=${dataDir}`]);
  expect([parquet.code, parquet.stderr]).toEqual([1, expect.stringContaining('give it as a file')]);
});

test('into a buffer that is full and that nobody empties it stops in words; once somebody does, repeating is once', async () => {
  const small = '--buffer-bytes-max=1048576';
  const dataDir = await leftFolder([small]);
  const file = join(temporaryFolder(), 'many.ndjson');
  const [line] = readFileSync(join(fixtures, files.segment), 'utf8').split('\n');
  const count = 3_000;
  const lines = Array.from({ length: count }, () =>
    JSON.stringify({ ...JSON.parse(line!), messageId: crypto.randomUUID() }),
  );
  await Bun.write(file, lines.join('\n'));
  const run = () => runUgc(['import', file, '--preset=segment', '--json', `--data-dir=${dataDir}`, small]);
  const first = await run();
  expect([first.code, first.stderr]).toEqual([1, expect.stringContaining('the disk buffer is full')]);
  const { taken } = JSON.parse(first.stdout);
  expect(taken.page_view).toBeLessThan(count);
  const ugc = await startUgc({ dataDir, flags: [small] });
  expect((await run()).code).toBe(0);
  const rows = () => ugc.query<{ n: string }>('SELECT toString(count()) AS n FROM ugc.page_view');
  await eventually(async () => (await rows())[0]!.n === String(count), { what: 'each is one row' });
  expect(await ugc.stop()).toBe(0);
}, 120_000);
