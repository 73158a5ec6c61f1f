// kafkajs without our patch, for tests that show what the patch is for: a copy of the installed package, the patch taken
// back. Fails when the patch does not fit what is installed.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dir, '../..');
const patch = join(root, packageJson.patchedDependencies['kafkajs@2.2.4']);

/** The folder of the copy, to be required from; gone when the process ends. */
export function kafkajsAsPublished(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafkajs-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(dirname(require.resolve('kafkajs/package.json')), folder, { recursive: true, dereference: true });
  const { exitCode, stderr } = Bun.spawnSync(['git', 'apply', '--reverse', patch], { cwd: folder });
  if (exitCode !== 0) throw new Error(`the patch does not fit the installed kafkajs: ${stderr}`);
  return folder;
}

/** How many timers are set while `ms` go by. */
export async function timersSetIn(ms: number): Promise<number> {
  const { setTimeout: original } = globalThis;
  const over = new Promise(resolve => original(resolve, ms));
  let timers = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
    timers++;
    return original(...args);
  }) as typeof original;
  await over;
  globalThis.setTimeout = original;
  return timers;
}
