// What a clone can be told by npm alone: nothing but Node and npm is on the path, and one place says which Bun.

import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dir, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ugc-scripts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const version = packageJson.packageManager.replace('bun@', '');

test('no script calls a Bun by itself: each goes through .ci/bun', () => {
  for (const [name, script] of Object.entries(packageJson.scripts))
    for (const step of script.split('&&').map(step => step.trim()))
      expect({ name, step, ok: /^(\.ci\/bun (run|install) |echo '|exec dist\/ugc$)/.test(step) }).toEqual({
        name,
        step,
        ok: true,
      });
});

test('which Bun is spelled once, and what repeats it for others says the same', () => {
  expect(packageJson.engines.bun).toBe(version);
  expect(packageJson.devDependencies['bun-types']).toBe(version);
  for (const path of ['Dockerfile', '.ci/bun', 'compose.yaml'])
    expect(readFileSync(join(root, path), 'utf8')).not.toContain(version);
});

describe('.ci/bun', () => {
  /** What it runs, with these programs on the path and what every system has. */
  function run(programs: Readonly<Record<string, string>>): string {
    const path = mkdtempSync(join(folder, 'path-'));
    for (const name of ['sh', 'sed', 'dirname']) symlinkSync(Bun.which(name)!, join(path, name));
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(path, name), `#!${Bun.which('sh')}\n${text}\n`);
      chmodSync(join(path, name), 0o755);
    }
    const { stdout, stderr } = Bun.spawnSync([join(root, '.ci/bun'), 'run', 'a file.ts'], { env: { PATH: path } });
    return `${stdout}${stderr}`;
  }

  const npx = 'echo "npx: $*"';

  test('takes the one npx brings where there is none, or another', () => {
    expect(run({ npx })).toBe(`npx: --yes bun@${version} run a file.ts\n`);
    expect(run({ npx, bun: 'echo 1.0.0' })).toBe(`npx: --yes bun@${version} run a file.ts\n`);
  });

  test('takes the one on the path where it is the very one', () => {
    const bun = `[ "$1" = --version ] && echo ${version} || echo "bun: $*"`;
    expect(run({ npx, bun })).toBe('bun: run a file.ts\n');
  });
});
