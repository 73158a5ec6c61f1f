// Where a Chromium is: named in UGC_TEST_CHROMIUM, installed, or under CI fetched by Playwright. Null where none can be
// had; who needs one then says aloud what has not been tested.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const fetchMsMax = 180_000;

export async function findChromium(): Promise<string | null> {
  const named = process.env.UGC_TEST_CHROMIUM;
  if (named !== undefined) return named;
  const installed = names.map(name => Bun.which(name)).find(path => path !== null);
  if (installed !== undefined) return installed;
  const fetched = chromium.executablePath();
  if (!existsSync(fetched) && process.env.CI !== undefined) await fetchIt();
  return existsSync(fetched) ? fetched : null;
}

async function fetchIt(): Promise<void> {
  const cli = Bun.resolveSync('playwright-core/package.json', import.meta.dir).replace(/package\.json$/, 'cli.js');
  const child = Bun.spawn([process.execPath, cli, 'install', 'chromium'], {
    stdout: 'ignore',
    stderr: 'ignore',
    timeout: fetchMsMax,
  });
  await child.exited;
}
