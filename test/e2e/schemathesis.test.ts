// schemathesis against the compiled binary: requests made from the document, right and wrong ones, and every answer held
// to what the document says of it. It is Python; where it can neither be found nor installed, that is said aloud.

import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { startUgc, temporaryFolder } from '../support/ugc.ts';

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

/** One type of each family: the others are made alike. */
const paths = [
  '/v1/events/click',
  '/v1/events/item_return',
  '/v1/events/review_posted',
  '/v1/receipts/{event_id}',
  '/healthz/live',
  '/healthz/ready',
  '/metrics',
  '/openapi.json',
  '/apidocs',
];

test.skipIf(schemathesis === null)(
  'finds nothing: what fits is accepted, what does not is refused, and every answer is as the document says',
  async () => {
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false'] });
    const child = Bun.spawn(
      [
        schemathesis!,
        `--config-file=${join(folder, 'schemathesis.toml')}`,
        'run',
        `${ugc.url}/openapi.json`,
        '--phases=examples,coverage,fuzzing',
        '--max-examples=20',
        '--seed=6',
        ...paths.map(path => `--include-path=${path}`),
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
    expect(said).toMatch(new RegExp(`Operations: +${paths.length} selected`));
    expect(await ugc.stop()).toBe(0);
  },
  300_000,
);
