// What --version says of a build: the commit, however it can be learnt, and the time.

import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtAtMsOf, commitOf } from '../../../.ci/commit.ts';
import { build, buildText } from '../../../src/process/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'ugc-build-'));
afterAll(() => rmSync(folder, { recursive: true }));

const commit = '0123456789abcdef0123456789abcdef01234567';

/** A folder with these files of .git, as a Docker context has them. */
function clone(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, '.git', path, '..'), { recursive: true });
    writeFileSync(join(root, '.git', path), text);
  }
  return root;
}

test('SOURCE_COMMIT says the commit, before anything that lies there', () => {
  const root = clone('told', { HEAD: `${'f'.repeat(40)}\n` });
  expect(commitOf(root, { SOURCE_COMMIT: commit })).toBe('0123456789ab');
});

test('without git the files in .git say it: a branch of its own file, a packed one, none', () => {
  const head = 'ref: refs/heads/main\n';
  expect(commitOf(clone('loose', { HEAD: head, 'refs/heads/main': `${commit}\n` }), {})).toBe('0123456789ab');
  const packed = `# pack-refs\n${'f'.repeat(40)} refs/heads/other\n${commit} refs/heads/main\n`;
  expect(commitOf(clone('packed', { HEAD: head, 'packed-refs': packed }), {})).toBe('0123456789ab');
  expect(commitOf(clone('detached', { HEAD: `${commit}\n` }), {})).toBe('0123456789ab');
});

test('where nobody can tell it is unknown, also in a folder of another repository', () => {
  expect(commitOf(clone('odd', { HEAD: 'ref: refs/heads/main\n' }), {})).toBe('unknown');
  const root = join(import.meta.dir, '../..');
  expect(commitOf(root, {})).toBe('unknown');
});

test('git says when the tree is not what was committed', () => {
  const root = join(folder, 'git');
  mkdirSync(root);
  const git = (...args: string[]): string => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
    const { success, stdout, stderr } = Bun.spawnSync(['git', ...who, ...args], { cwd: root });
    if (!success) throw new Error(stderr.toString());
    return stdout.toString().trim();
  };
  git('init', '-q');
  writeFileSync(join(root, 'a'), '1');
  git('add', 'a');
  git('commit', '-q', '-m', 'a');
  const head = git('rev-parse', '--short=12', 'HEAD');
  expect(commitOf(root, {})).toBe(head);
  writeFileSync(join(root, 'a'), '2');
  expect(commitOf(root, {})).toBe(`${head}-dirty`);
});

test('a build that is to be the same twice says SOURCE_DATE_EPOCH as its time', () => {
  expect(builtAtMsOf({ SOURCE_DATE_EPOCH: '1700000000' }, 5)).toBe(1_700_000_000_000);
  expect(builtAtMsOf({}, 5)).toBe(5);
});

test('a run from the source is the build dev, of no time', () => {
  expect(build).toEqual({ commit: 'dev', builtAtMs: 0 });
  expect(buildText(build)).toBe('dev');
  expect(buildText({ commit: 'abc', builtAtMs: 1_700_000_000_000 })).toBe('commit abc, built 2023-11-14T22:13:20Z');
});
