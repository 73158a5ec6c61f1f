// Where a Chromium is: named in UGC_TEST_CHROMIUM, installed, or under CI the system's package or Playwright's. Null where none
// can be had, which under CI is an error; who needs one says aloud what has not been tested.

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
