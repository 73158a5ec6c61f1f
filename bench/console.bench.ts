// What the console costs the server while it is open, and how smooth it is: single events at a fixed rate, the console closed,
// at its picture of the flow and at its live events in turn, so that a noisy neighbour is noisy for all of them. The browser is
// on the same cores: frames are those of a busy machine, a server is slower beside any browser that draws, and so the same
// is also asked without one.

import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../test/support/chromium.ts';
import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { openLoad } from './open-load.ts';
import { treeUs } from './process-tree.ts';
import type { Row } from './report.ts';
import { at, inNewOrder, toTheFirst } from './rounds.ts';

const perSecond = 2_000;
const roundSeconds = 4;
const settleMs = 2_000;
/** For the tables to be merged, after the load. */
const restMs = 10_000;
const paints = 5;

/** What looks on in a part of a round; null is a server nobody looks at, and 'blank' a browser that shows nothing. */
const views = {
  closed: null,
  'beside a browser with an empty page': 'blank',
  'at the flow': 'flow',
  'at live events': 'live',
  'asked as the flow asks, without a browser': 'asked:flow',
  'asked as live events ask, without a browser': 'asked:live',
} as const;

/** What a view reads for as long as it is open, and what it asks again now and then: here once in every part. */
const asks = {
  'asked:flow': ['/v1/stream?kinds=stats', '/v1/console/overview'],
  'asked:live': ['/v1/stream?kinds=stats', '/v1/console/overview', '/v1/stream?kinds=events'],
};
const viewport = { width: 1_280, height: 800 };

interface Part {
  readonly costUs: number;
  readonly framesPerS: number | null;
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
  const restedPaintMs = await firstPaintOf(browser, ugc.url);
  const load = await openLoad({ url: ugc.url, bodies, perSecond });
  const seen = new Map<string, Part[]>(Object.keys(views).map(what => [what, []]));
  const all = { ugc, browser, answered: () => load.samples.length };
  for (let round = 0; round < Math.ceil(seconds / roundSeconds); round++) {
    for (const [what, view] of inNewOrder(Object.entries(views))) {
      seen.get(what)!.push(await part(all, view));
    }
  }
  const firstPaintMs = await firstPaintOf(browser, ugc.url);
  await load.stop();
  await Bun.sleep(restMs);
  const quietPaintMs = await firstPaintOf(browser, ugc.url);
  await browser.close();
  await ugc.stop();
  const closed = seen.get('closed')!.map(({ costUs }) => costUs);
  return [...seen].map(([what, parts]) => {
    const costs = parts.map(({ costUs }) => costUs);
    const frames = parts.flatMap(({ framesPerS }) => framesPerS ?? []);
    return {
      what: `console ${what}, ${perSecond} events/s`,
      'core-µs/event': at(costs, 0.5),
      ...toTheFirst(costs, closed),
      'frames/s': frames.length === 0 ? '' : at(frames, 0.5),
      note:
        what === 'at the flow'
          ? `first paint ${restedPaintMs} ms before the load, ${firstPaintMs} with it on, ${quietPaintMs} after it`
          : '',
    };
  });
}

interface All {
  readonly ugc: Ugc;
  readonly browser: Browser;
  readonly answered: () => number;
}

async function part({ ugc, browser, answered }: All, view: (typeof views)[keyof typeof views]): Promise<Part> {
  const asking =
    view?.startsWith('asked:') === true
      ? asks[view as keyof typeof asks].map(path => askAlong(`${ugc.url}${path}`))
      : [];
  const page =
    view === 'blank'
      ? await browser.newPage({ viewport })
      : view === 'flow' || view === 'live'
        ? await opened(browser, `${ugc.url}/#/${view}`)
        : null;
  await Bun.sleep(settleMs);
  const [cpuUs, events, startedAtMs] = [treeUs(ugc.pid), answered(), performance.now()];
  const frames =
    page === null ? await Bun.sleep(roundSeconds * 1_000) : await page.evaluate<number>(framesIn(roundSeconds * 1_000));
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const costUs = (treeUs(ugc.pid) - cpuUs) / (answered() - events);
  await page?.close();
  for (const one of asking) one.kill();
  return { costUs, framesPerS: frames === undefined ? null : frames / seconds };
}

/** Reads whatever comes, as a process of its own, as a browser is: what it costs is not the generator's. */
const askAlong = (url: string) =>
  Bun.spawn([process.execPath, '-e', 'for await (const _ of (await fetch(process.argv[1])).body);', url], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

async function opened(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport });
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

const framesIn = (ms: number): string => `new Promise(resolve => {
  const endAt = performance.now() + ${ms};
  let frames = 0;
  const next = () => (performance.now() >= endAt ? resolve(frames) : (frames++, requestAnimationFrame(next)));
  requestAnimationFrame(next);
})`;

/** Milliseconds from asking for the page; the middle of several. */
async function firstPaintOf(browser: Browser, url: string): Promise<number> {
  const seen: number[] = [];
  for (let time = 0; time < paints; time++) {
    const page = await opened(browser, url);
    seen.push(
      await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"),
    );
    await page.close();
  }
  return Math.round(at(seen, 0.5));
}
