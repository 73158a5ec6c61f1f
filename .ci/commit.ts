// Which commit is being built, for --version: SOURCE_COMMIT where it is set; else what git says; else, where there is no
// git (in the Dockerfile's first stage), what lies in .git; else nobody knows. And when, in milliseconds.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

const digits = 12;

export function commitOf(root: string, env: Env): string {
  return env.SOURCE_COMMIT?.trim().slice(0, digits) || saidByGit(root) || lyingIn(join(root, '.git')) || 'unknown';
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), else now. */
export const builtAtMsOf = ({ SOURCE_DATE_EPOCH: seconds }: Env, nowMs: number): number =>
  /^\d+$/.test(seconds ?? '') ? Number(seconds) * 1000 : nowMs;

/** With `-dirty` behind it when files differ from the commit; '' where git is missing or refuses. */
function saidByGit(root: string): string {
  if (!existsSync(join(root, '.git')) || Bun.which('git') === null) return ''; // a clone inside of another repository is not that one
  const command = ['git', 'describe', '--always', '--dirty', '--exclude=*', `--abbrev=${digits}`];
  const { success, stdout } = Bun.spawnSync(command, { cwd: root, stderr: 'ignore' });
  return success ? stdout.toString().trim() : '';
}

function lyingIn(git: string): string {
  try {
    const head = readFileSync(join(git, 'HEAD'), 'utf8').trim();
    const ref = /^ref: (\S+)$/.exec(head)?.[1];
    return (ref === undefined ? head : refIn(git, ref)).slice(0, digits);
  } catch {
    return '';
  }
}

function refIn(git: string, ref: string): string {
  const loose = join(git, ref);
  if (existsSync(loose)) return readFileSync(loose, 'utf8').trim();
  const packed = readFileSync(join(git, 'packed-refs'), 'utf8').split('\n');
  return packed.find(line => line.endsWith(` ${ref}`))?.split(' ', 1)[0] ?? '';
}
