// `ugc doctor --json` of the compiled binary: its exit code, and its checks by id.

import type { Check } from '../../src/operate/doctor/check.ts';
import { runUgc } from './ugc.ts';

export interface Diagnosis {
  readonly code: number;
  readonly success: boolean;
  /** By its own watch. */
  readonly tookMs: number;
  readonly checks: readonly Check[];
  /** Checks of this id, most of them one. */
  of(id: string): readonly Check[];
}

export async function doctor(flags: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runUgc(['doctor', '--json', ...flags], { env: { ...env } });
  if (!stdout.startsWith('{')) throw new Error(`doctor ended with ${code}: ${stderr}`);
  return { code, ...told(stdout) };
}

/** What it has printed. */
export function told(stdout: string): Omit<Diagnosis, 'code'> {
  const { success, tookMs, categories } = JSON.parse(stdout) as {
    readonly success: boolean;
    readonly tookMs: number;
    readonly categories: readonly { readonly checks: readonly Check[] }[];
  };
  const checks = categories.flatMap(category => category.checks);
  return { success, tookMs, checks, of: id => checks.filter(check => check.id === id) };
}

/** What is wrong names the cause, the next step and a page that is there. */
export async function assertHelps(check: Check | undefined): Promise<void> {
  if (check === undefined) throw new Error('there is no such check');
  if (!check.hint) throw new Error(`${check.id} says no next step`);
  const page = Bun.file(`${import.meta.dir}/../../${check.page}`);
  if (!(await page.exists())) throw new Error(`${check.id} names ${check.page}, which is not there`);
}

/** One finding of that id says what is wrong, what follows and what to do, within ten seconds, and the exit code goes by it. */
export async function assertFinds(
  found: Diagnosis,
  id: string,
  seen: RegExp,
  result: 'error' | 'warning' = 'error',
): Promise<void> {
  const checks = found.of(id).filter(check => seen.test(check.seen));
  const shown = `${id} ${seen}: ${JSON.stringify(found.of(id))}`;
  if (checks.length !== 1 || checks[0]!.result !== result) throw new Error(`not found, or not once: ${shown}`);
  if (!checks[0]!.follows) throw new Error(`it says not what follows: ${shown}`);
  await assertHelps(checks[0]);
  if (result === 'error' && found.code !== 1) throw new Error(`it ended with ${found.code}: ${shown}`);
  if (found.tookMs > 10_000) throw new Error(`it took ${found.tookMs} ms: ${shown}`);
}
