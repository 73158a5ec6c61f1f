// What the console costs the server while it is open, and how smooth it is: single events at a fixed rate, the console closed,
// at its picture of the flow and at its live events in turn, so that a noisy neighbour is noisy for all three. The browser is
// on the same cores: frames are those of a busy machine.

import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../test/support/chromium.ts';
import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { openLoad } from './open-load.ts';
import { treeUs } from './process-tree.ts';
import type { Row } from './report.ts';

const perSecond = 2_000;
const rounds = 3;
const settleMs = 2_000;
const views = { closed: null, 'at the flow': 'flow', 'at live events': 'live' } as const;

interface Seen {
  cpuUs: number;
  events: number;
  seconds: number;
  frames: number;
}

export async function consoleBench(seconds: number): Promise<Row[]> {
  const executablePath = await findChromium();
  if (executablePath === null) return [{ what: 'console', note: 'not measured: there is no Chromium here' }];
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const random = randomOf('console');
  const bodies = Array.from({ length: 1_000 }, () => {
    const { event_id: _, ...event } = clientEvent(random);
    return JSON.stringify(event);
  });
  const load = await openLoad({ url: ugc.url, bodies, perSecond });
  const seen = new Map(Object.keys(views).map(what => [what, { cpuUs: 0, events: 0, seconds: 0, frames: 0 }]));
  for (let round = 0; round < rounds; round++) {
    for (const [what, view] of Object.entries(views)) {
      const page = view === null ? null : await opened(browser, `${ugc.url}/#/${view}`);
      await Bun.sleep(settleMs);
      await measure({ ugc, page, seconds: seconds / rounds, answered: () => load.samples.length }, seen.get(what)!);
      await page?.close();
    }
  }
  const firstPaintMs = await firstPaintOf(browser, ugc.url);
  await load.stop();
  await browser.close();
  await ugc.stop();
  const costOf = ({ cpuUs, events }: Seen): number => cpuUs / events;
  const closed = costOf(seen.get('closed')!);
  return [...seen].map(([what, told]) => ({
    what: `console ${what}, ${perSecond} events/s`,
    'core-µs/event': costOf(told),
    'more than closed %': (costOf(told) / closed - 1) * 100,
    'frames/s': told.frames === 0 ? '' : told.frames / told.seconds,
    note: told.frames === 0 ? `first paint ${firstPaintMs} ms with the load on` : '',
  }));
}

async function opened(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

interface Measured {
  readonly ugc: Ugc;
  readonly page: Page | null;
  readonly seconds: number;
  readonly answered: () => number;
}

async function measure({ ugc, page, seconds, answered }: Measured, seen: Seen): Promise<void> {
  const [cpuUs, events, startedAtMs] = [treeUs(ugc.pid), answered(), performance.now()];
  if (page === null) await Bun.sleep(seconds * 1_000);
  else seen.frames += await page.evaluate<number>(framesIn(seconds * 1_000));
  seen.cpuUs += treeUs(ugc.pid) - cpuUs;
  seen.events += answered() - events;
  seen.seconds += (performance.now() - startedAtMs) / 1_000;
}

const framesIn = (ms: number): string => `new Promise(resolve => {
  const endAt = performance.now() + ${ms};
  let frames = 0;
  const next = () => (performance.now() >= endAt ? resolve(frames) : (frames++, requestAnimationFrame(next)));
  requestAnimationFrame(next);
})`;

async function firstPaintOf(browser: Browser, url: string): Promise<number> {
  const page = await opened(browser, url);
  const at = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1");
  await page.close();
  return Math.round(at);
}
