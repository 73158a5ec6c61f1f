// Every command in the documents is run as it stands there, against one instance, or says why not. In a shell in which
// `ugc` and `dist/ugc` are the binary on the instance's folder, and the documents' ports are the instance's.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drained } from '../support/oracle.ts';
import { binary, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const root = join(import.meta.dir, '../..');

interface Block {
  readonly path: string;
  readonly script: string;
  /** Why it is not run here; null: it is. */
  readonly notRun: string | null;
}

const blocks: readonly Block[] = ['README.md', ...new Bun.Glob('docs/**/*.md').scanSync(root)]
  .toSorted()
  .flatMap(path =>
    [
      ...readFileSync(join(root, path), 'utf8').matchAll(/(<!-- not run: (.*) -->\n\n)?^ *```sh\n([\s\S]*?)^ *```$/gm),
    ].map(([, , notRun = null, script]) => ({ path, script: script!, notRun })),
  );

let ugc: Ugc;
let dataDir: string;
beforeAll(async () => {
  dataDir = temporaryFolder();
  ugc = await startUgc({ dataDir });
});
afterAll(() => ugc.stop());

test('there are commands, and what is not run says why', () => {
  expect(blocks.filter(({ notRun }) => notRun === null).length).toBeGreaterThan(2);
  for (const { notRun } of blocks) if (notRun !== null) expect(notRun.length).toBeGreaterThan(10);
});

test.each(blocks.filter(({ notRun }) => notRun === null).map(block => [block.path, block.script] as const))(
  '%s: %s',
  async (_, script) => {
    const here = script
      .replaceAll('localhost:8080', new URL(ugc.url).host)
      .replaceAll('localhost:8123', new URL(ugc.clickhouseUrl).host)
      .replace(/\bdist\/ugc\b/g, 'ugc');
    // Each command by itself: a comment says what it prints, and a text may go over several lines.
    const preamble = `set -euo pipefail; ugc() { ${binary} "$@" --data-dir=${dataDir}; }`;
    const run = (commands: string) =>
      Bun.spawnSync(['bash', '-c', `${preamble}\n${commands}`], { env: { PATH: process.env.PATH ?? '' } });
    const first = run(here);
    expect({ code: first.exitCode, said: first.stderr.toString().replace(/^ +%[\s\S]*$/m, '') }).toMatchObject({
      code: 0,
    });
    if (!here.includes('/v1/events')) return;
    await drained(ugc);
    expect(run(here.slice(here.indexOf('ugc query'))).stdout.toString()).toContain('button_submit');
  },
);
