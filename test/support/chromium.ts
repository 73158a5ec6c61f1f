// Where a Chromium is: named in UGC_TEST_CHROMIUM, installed, or under CI the system's package or Playwright's. Null where none
// can be had, which under CI is an error.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { packaged } from './apt.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const fetchMsMax = 180_000;

export async function findChromium(): Promise<string | null> {
  const named = process.env.UGC_TEST_CHROMIUM;
  if (named !== undefined) return named;
  const fetched = chromium.executablePath();
  const there = () => installed() ?? (existsSync(fetched) ? fetched : null);
  if (there() !== null || !process.env.CI) return there();
  const why = packaged('chromium', () => installed() !== null);
  if (why !== null) await fetchIt();
  if (there() === null) throw new Error(`${why}; Playwright could not fetch one either`);
  return there();
}

/** For a test: says aloud what is not tested where there is none. */
export async function chromiumFor(tested: string): Promise<string | null> {
  const found = await findChromium();
  if (found === null)
    process.stderr.write(
      `NOT TESTED: ${tested}, since there is no Chromium here. Install one, or name it in UGC_TEST_CHROMIUM\n`,
    );
  return found;
}

const installed = (): string | null => names.map(name => Bun.which(name)).find(path => path !== null) ?? null;

async function fetchIt(): Promise<void> {
  const cli = Bun.resolveSync('playwright-core/package.json', import.meta.dir).replace(/package\.json$/, 'cli.js');
  const child = Bun.spawn([process.execPath, cli, 'install', 'chromium'], {
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: fetchMsMax,
  });
  await child.exited;
}
