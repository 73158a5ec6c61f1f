// schemathesis against the compiled binary: requests made from the document, right and wrong ones, and every answer held
// to what the document says of it. Each operation there is gets its examples and a few requests at random; the many that
// break each field in each way are for the routes that are one of a kind and for event types drawn by lot, as all types are
// made alike. It is Python; where it can neither be found nor installed, that is said aloud.

import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { logsPath } from '../../src/ingest/otlp/routes.ts';
import { streamPath } from '../../src/tap/route.ts';
import { contentFlags, tokenFor } from '../support/content-client.ts';
import { randomOf } from '../support/random.ts';
import { runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const version = '4.32.5';
const folder = join(import.meta.dir, '../schemathesis');
const installMsMax = 180_000;

const schemathesis = await findSchemathesis();
if (schemathesis === null)
  process.stderr.write(
    `NOT TESTED: the document with schemathesis, which is not here. pip install schemathesis==${version}, or name it in UGC_TEST_SCHEMATHESIS\n`,
  );

/** Named, installed, or under CI installed now into a folder of its own, kept for the next time. */
async function findSchemathesis(): Promise<string | null> {
  const named = process.env.UGC_TEST_SCHEMATHESIS ?? Bun.which('schemathesis');
  if (named !== null) return named;
  const home = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `ugc-schemathesis-${version}`);
  const kept = join(home, 'bin/schemathesis');
  if (existsSync(kept)) return kept;
  const python = Bun.which('python3');
  if (process.env.CI === undefined || python === null) return null;
  if (!(await succeeds([python, '-m', 'venv', home]))) return null;
  const isInstalled = await succeeds([join(home, 'bin/pip'), 'install', '--quiet', `schemathesis==${version}`]);
  return isInstalled ? kept : null;
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  return (await Bun.spawn([...command], { stdout: 'ignore', stderr: 'ignore', timeout: installMsMax }).exited) === 0;
}

const ofType = /^\/v1\/events\/\w+$/;
const drawnTypes = 2;
/** Else it leaves out the route it has the document from. */
const everything = '--include-path-regex=.';
/** It has no end; test/e2e/stream.test.ts reads it. */
const withoutEnd = `--exclude-path=${streamPath}`;
/** What it takes is the protocol's to say, and a record that is wrong costs itself alone: test/unit/ingest/otlp breaks it. */
const ofOtlp = `--exclude-path=${logsPath}`;

test.skipIf(schemathesis === null)(
  'finds nothing: what fits is accepted, what does not is refused, and every answer is as the document says',
  async () => {
    const random = randomOf('schemathesis');
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false'] });
    const operations = await operationsOf(ugc);
    const types = [...new Set(operations.filter(path => ofType.test(path)))];
    expect(types.length).toBeGreaterThan(30);
    const drawn = Array.from({ length: drawnTypes }, () => random.pick(types));
    process.stderr.write(`schemathesis breaks every field of ${drawn.join(', ')}\n`);
    // The route of all types would be all of them at once.
    const closely = operations.filter(path => !path.startsWith('/v1/events') || drawn.includes(path));

    const [all, some] = await Promise.all([
      run(ugc, random.seed, ['--phases=examples,fuzzing', '--max-examples=3', everything]),
      run(ugc, random.seed, ['--phases=coverage', ...new Set(closely.map(path => `--include-path=${path}`))]),
    ]);
    expect(all).toContain(`${operations.length} selected`);
    expect(some).toContain(`${closely.length} selected`);
    expect(await ugc.stop()).toBe(0);
  },
  600_000,
);

test.skipIf(schemathesis === null)(
  'finds nothing behind a key: with it everything is as without, and who shows none, or another, is let in nowhere',
  async () => {
    const { seed } = randomOf('schemathesis');
    const dataDir = temporaryFolder();
    const add = ['keys', 'add', 'tried', '--kind=secret', '--scopes=events:write,events:read', `--data-dir=${dataDir}`];
    const key = (await runUgc(add)).stdout.trim();
    const ugc = await startUgc({ dataDir, flags: ['--auth=keys', '--request-log=false'] });
    const shown = [`--header=Authorization: Bearer ${key}`];
    const all = await run(ugc, seed, ['--phases=examples,fuzzing', '--max-examples=1', everything, ...shown]);
    expect(all).toContain(`${(await operationsOf(ugc)).length} selected`);
    expect(await ugc.stop()).toBe(0);
  },
  600_000,
);

test.skipIf(schemathesis === null)(
  'finds nothing in the content routes, asked with a token, and everything in them broken in every way',
  async () => {
    const { seed } = randomOf('schemathesis');
    const flags = [...contentFlags, '--role=content', '--request-log=false'];
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
    const shown = `--header=Authorization: Bearer ${tokenFor('tried', 'content:moderate')}`;
    const all = await run(ugc, seed, ['--max-examples=5', '--phases=examples,coverage,fuzzing', everything, shown]);
    const operations = await operationsOf(ugc);
    expect(operations.length).toBeGreaterThan(30);
    expect(all).toContain(`${operations.length} selected`);
    expect(await ugc.stop()).toBe(0);
  },
  600_000,
);

/** The path of each operation of the document. */
async function operationsOf({ url }: Ugc): Promise<string[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const verbs = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);
  const { [streamPath]: _stream, [logsPath]: _logs, ...ending } = paths;
  return Object.entries(ending).flatMap(([path, item]) =>
    Object.keys(item)
      .filter(key => verbs.has(key))
      .map(() => path),
  );
}

/** What it said of a run that found nothing. */
async function run({ url }: Ugc, seed: number, options: readonly string[]): Promise<string> {
  const child = Bun.spawn(
    [
      schemathesis!,
      `--config-file=${join(folder, 'schemathesis.toml')}`,
      'run',
      `${url}/openapi.json`,
      `--seed=${seed}`,
      '--suppress-health-check=too_slow', // of making requests, which is the machine's business
      withoutEnd,
      ofOtlp,
      ...options,
    ],
    {
      stdout: 'pipe',
      stderr: 'inherit',
      // Data of failed examples would be kept beside the configuration.
      cwd: temporaryFolder(),
      env: { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
    },
  );
  const [said, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0) process.stderr.write(said.slice(-20_000));
  expect(code).toBe(0);
  return said;
}
