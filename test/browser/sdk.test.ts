// The SDK in a real browser, on pages of another origin, as the executable serves it: pages that reload, close, sleep and are
// killed, servers that go and come back, tabs that share a storage. Every `track` that returned is exactly one row.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('the SDK in a browser');
const inBrowser = test.skipIf(executablePath === null);

let ugc: Ugc;
let network: TcpProxy;
let browser: Browser;
const site = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch({ url }) {
    const said = url.endsWith('/tag')
      ? `data-url="${ugc.url}" data-auto="pageViews" data-country="US" data-device="tv"`
      : '';
    return new Response(`<!doctype html><title>a shop</title><script src="${ugc.url}/sdk.js" ${said}></script>`, {
      headers: { 'content-type': 'text/html' },
    });
  },
});
const shop = `http://127.0.0.1:${site.port}/`;
/** Playwright keeps pages out of the back/forward cache unless it is told not to. */
const launching = {
  executablePath: executablePath ?? '',
  args: ['--no-sandbox'],
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
};

beforeAll(async () => {
  if (executablePath === null) return;
  ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--cors-origins=http://127.0.0.1:${site.port}`, '--request-log=false'],
  });
  network = await tcpProxy({ target: Number(new URL(ugc.url).port), random: Math.random });
  browser = await chromium.launch(launching);
}, 120_000);
afterAll(async () => {
  await site.stop(true);
  if (executablePath === null) return;
  await browser.close();
  await network.close();
  expect(await ugc.stop()).toBe(0);
});

/** In the page: begins the SDK; events go through the network that may fail. */
async function begun(page: Page, options: Readonly<Record<string, unknown>> = {}): Promise<Page> {
  await page.goto(shop);
  const given = { url: `http://127.0.0.1:${network.port}`, common: { country: 'US', device: 'tv' }, ...options };
  await page.evaluate(`(() => {
    window.dropped = [];
    window.sdk = ugc.init({ ...${JSON.stringify(given)}, onDropped: (event, why) => dropped.push([event.element, why]) });
  })()`);
  return page;
}

/** Tracks so many clicks; the ids that `track` returned. */
const track = (page: Page, element: string, count = 3): Promise<string[]> =>
  page.evaluate(
    `Array.from({ length: ${count} }, () => sdk.track('click', { element: '${element}', page_url: location.href }))`,
  );

const stored = async (element: string): Promise<string[]> =>
  (await ugc.query<{ event_id: string }>(`SELECT event_id FROM ugc.click WHERE element = '${element}'`))
    .map(({ event_id }) => event_id)
    .toSorted();

async function expectRows(element: string, ids: readonly string[]): Promise<void> {
  await eventually(async () => (await stored(element)).length >= ids.length, { what: `a row for each of ${element}` });
  expect(await stored(element)).toEqual(ids.toSorted());
}

async function withContext(use: (context: BrowserContext) => Promise<void>): Promise<void> {
  network.heal();
  const context = await browser.newContext();
  await use(context).finally(() => context.close());
}

const waiting = (page: Page): Promise<number> =>
  page.evaluate(`Object.keys(localStorage).filter(key => /^ugc \\S+ \\S+ \\S+$/.test(key)).length`);

/** The ids a page sends from now on, a request at a time. */
function sentBy(page: Page): string[] {
  const ids: string[] = [];
  page.on('request', request => {
    if (request.method() !== 'POST') return;
    for (const { event_id } of JSON.parse(request.postData() ?? '').events) ids.push(event_id);
  });
  return ids;
}

inBrowser('a page that is closed, reloaded or left right after tracking has sent it: nothing opens after it', () =>
  withContext(async context => {
    const page = await begun(await context.newPage());
    const closed = await track(page, 'closed');
    await page.close({ runBeforeUnload: true });
    await expectRows('closed', closed);
    const other = await begun(await context.newPage());
    const reloaded = await track(other, 'reloaded');
    await other.reload();
    await expectRows('reloaded', reloaded);
  }),
);

inBrowser('what no answer has confirmed is sent again at the next visit, and is one row', () =>
  withContext(async context => {
    const page = await begun(await context.newPage());
    const ids = await track(page, 'beaconed');
    await page.goto('about:blank');
    await expectRows('beaconed', ids);
    const next = await context.newPage();
    const sent = sentBy(next);
    await begun(next);
    await eventually(async () => (await waiting(next)) === 0, { what: 'an answer for what the beacon took' });
    expect(sent.toSorted()).toEqual(ids.toSorted());
    await expectRows('beaconed', ids);
  }),
);

inBrowser('a page without a network keeps what it tracks, and sends it when there is one', () =>
  withContext(async context => {
    const page = await begun(await context.newPage(), { batchEvents: 20 });
    await context.setOffline(true);
    const ids = await track(page, 'off line', 500);
    await page.evaluate('sdk.flush()');
    expect(await waiting(page)).toBe(500);
    await context.setOffline(false);
    await expectRows('off line', ids);
    await eventually(async () => (await waiting(page)) === 0, { what: 'nothing to wait' });
  }),
);

inBrowser('a server that is away and comes back, before and after the page has gone', () =>
  withContext(async context => {
    const page = await begun(await context.newPage());
    network.refuse();
    const ids = await track(page, 'away');
    await page.evaluate('sdk.flush()');
    ids.push(...(await track(page, 'away')));
    await page.close({ runBeforeUnload: true });
    network.heal();
    const next = await begun(await context.newPage());
    await expectRows('away', ids);
    expect(await next.evaluate('dropped')).toEqual([]);
    network.refuse();
    const later = await track(next, 'away for a while');
    await next.evaluate('sdk.flush()');
    network.heal();
    await expectRows('away for a while', later);
  }),
);

inBrowser('two tabs send each its own, and one takes over from the other when that has gone', () =>
  withContext(async context => {
    const [one, other] = [await begun(await context.newPage()), await begun(await context.newPage())];
    const [byOne, byOther] = [sentBy(one), sentBy(other)];
    network.refuse();
    const ids = [await track(one, 'tabs'), await track(other, 'tabs')] as const;
    await Promise.all([one, other].map(page => page.evaluate('sdk.flush()')));
    network.heal();
    await expectRows('tabs', ids.flat());
    expect([[...new Set(byOne)], [...new Set(byOther)]]).toEqual([ids[0], ids[1]]);
    network.refuse();
    const left = await track(one, 'left to the other');
    await one.close({ runBeforeUnload: true });
    network.heal();
    await expectRows('left to the other', left);
    await eventually(() => left.every(id => byOther.includes(id)), { what: 'the other to take over' });
  }),
);

inBrowser('a browser that is killed: what was on disk is sent by the next one', async () => {
  network.heal();
  const profile = temporaryFolder();
  const open = () => chromium.launchPersistentContext(profile, launching);
  const killed = await open();
  const page = await begun(await killed.newPage());
  network.refuse();
  const ids = await track(page, 'killed', 50);
  const files = join(profile, 'Default', 'Local Storage', 'leveldb');
  const onDisk = () =>
    readdirSync(files)
      .filter(name => /\.(log|ldb)$/.test(name))
      .map(name => readFileSync(join(files, name), 'latin1'))
      .join('');
  await eventually(() => onDisk().includes(ids.at(-1)!), { what: 'the last event in the files of the profile' });
  process.kill(Number(readlinkSync(join(profile, 'SingletonLock')).split('-').at(-1)), 'SIGKILL');
  await killed.close();
  network.heal();
  const next = await open();
  await begun(await next.newPage());
  await expectRows('killed', ids);
  await next.close();
});

inBrowser('a page that came back out of the back/forward cache goes on, and repeats nothing', () =>
  withContext(async context => {
    const page = await begun(await context.newPage());
    const sent = sentBy(page);
    await page.evaluate(`addEventListener('pageshow', ({ persisted }) => { window.cameBack = persisted; })`);
    const ids = await track(page, 'slept');
    await page.goto('about:blank');
    await page.goBack({ waitUntil: 'commit' });
    await eventually(() => page.evaluate('cameBack === true'), { what: 'the page out of the cache' });
    ids.push(...(await track(page, 'slept')));
    await page.evaluate('sdk.flush()');
    await expectRows('slept', ids);
    expect(await waiting(page)).toBe(0);
    // Once by the beacon, which is not seen here, and once to be confirmed.
    expect(sent.toSorted()).toEqual(ids.toSorted());
  }),
);

inBrowser('storages that refuse, or are full: memory, and nothing is thrown', () =>
  withContext(async context => {
    const refused = await context.newPage();
    await refused.addInitScript(`for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });`);
    await begun(refused);
    await expectRows('refused', await track(refused, 'refused'));
    const full = await context.newPage();
    await full.addInitScript(`localStorage.setItem('x', 'x'.repeat(5_242_870));`);
    await begun(full);
    const ids = await track(full, 'full');
    expect(await waiting(full)).toBe(0);
    await full.close({ runBeforeUnload: true });
    await expectRows('full', ids);
  }),
);

inBrowser('what the server refuses is told of, and the rest goes on', () =>
  withContext(async context => {
    const page = await begun(await context.newPage());
    const ids = await track(page, 'good', 1);
    await page.evaluate(`sdk.track('click', { element: 'no such field', page_url: '/', colour: 'red' })`);
    await page.evaluate('sdk.flush()');
    expect(await page.evaluate('dropped')).toEqual([['no such field', expect.stringContaining('invalid /colour')]]);
    await expectRows('good', ids);
    const stranger = await begun(await context.newPage(), { url: `http://127.0.0.1:${network.port}/nowhere` });
    await track(stranger, 'nowhere', 1);
    await stranger.evaluate('sdk.flush()');
    expect(await stranger.evaluate('dropped')).toEqual([['nowhere', expect.stringContaining('no route')]]);
    expect(await waiting(stranger)).toBe(0);
  }),
);

inBrowser('a page of the server’s own origin sends large batches compressed, which asks nobody before', () =>
  withContext(async context => {
    const page = await context.newPage();
    const asked: (string | undefined)[] = [];
    page.on(
      'request',
      request => void (request.method() === 'POST' && asked.push(request.headers()['content-encoding'])),
    );
    await page.goto(`${ugc.url}/openapi.json`);
    await page.addScriptTag({ url: '/sdk.js' });
    await page.evaluate(`window.sdk = ugc.init({ url: '', common: { country: 'US', device: 'tv' } })`);
    const ids = await track(page, 'compressed', 50);
    await expectRows('compressed', ids);
    expect(asked).toEqual(['gzip']);
  }),
);

inBrowser('a script tag alone begins it, and an address is told without its secrets', () =>
  withContext(async context => {
    const page = await context.newPage();
    await page.goto(`${shop}tag#secret`);
    const session = await page.evaluate('ugc.sessionId');
    const views = () =>
      ugc.query<{ page_url: string }>(`SELECT page_url FROM ugc.page_view WHERE anonymous_id = '${session}'`);
    await eventually(async () => (await views()).length > 0, { what: 'the view of the page' });
    expect(await views()).toEqual([{ page_url: `${shop}tag` }]);
  }),
);

inBrowser('who says Global Privacy Control is not tracked, and nothing is written', () =>
  withContext(async context => {
    const page = await context.newPage();
    await page.addInitScript(`Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })`);
    await begun(page);
    expect(await track(page, 'quiet', 1)).toEqual(['']);
    expect(await page.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0]);
  }),
);
