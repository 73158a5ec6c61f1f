// A Python with packages of given versions: under CI made now, kept in the cache for the next time. Null where there is none;
// who needs one then says aloud what has not been tested, and under CI fails.

import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const installMsMax = 300_000;

/** `packages`: `name==version`, each. */
export async function pythonWith(what: string, packages: readonly string[]): Promise<string | null> {
  const name = `ugc-${what}-${Bun.hash(packages.join()).toString(36)}`;
  const home = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), name);
  const kept = join(home, 'bin/python');
  if (existsSync(join(home, 'whole'))) return kept;
  const python = Bun.which('python3');
  if (process.env.CI === undefined || python === null) return null;
  rmSync(home, { recursive: true, force: true }); // half of one is none
  if (!(await succeeds([python, '-m', 'venv', home]))) return null;
  if (!(await succeeds([join(home, 'bin/pip'), 'install', '--quiet', ...packages]))) return null;
  await Bun.write(join(home, 'whole'), '');
  return kept;
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  return (await Bun.spawn([...command], { stdout: 'ignore', stderr: 'inherit', timeout: installMsMax }).exited) === 0;
}
