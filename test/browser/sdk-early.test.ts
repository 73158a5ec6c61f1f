// The script tag with `async`, and before it the lines of docs/use/browser.md as they stand there: what a page calls before
// the script has come is rows, in its order and of its own time, before what tracks by itself.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { drained } from '../support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('calls before the SDK has come');

const docs = readFileSync(join(import.meta.dir, '../../docs/use/browser.md'), 'utf8');
const snippet = /```html\n(<script>\n.*?<script async [^\n]*<\/script>\n)```/s.exec(docs)![1]!;

let ugc: Ugc;
let browser: Browser;
beforeAll(async () => {
  if (executablePath === null) return;
  ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false'] });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  if (executablePath === null) return;
  await browser.close();
  expect(await ugc.stop()).toBe(0);
});

/** Between two calls: more than the clock is corrected by. */
const pauseMs = 300;

interface EarlyPage {
  readonly page: Page;
  /** What went wrong in it. */
  readonly errors: readonly string[];
  /** Lets the script come. */
  come(): void;
}

/** Of ugc's own origin; its script is held back. `path` tells its rows from others'. */
async function pageAt(path: string, attributes = ''): Promise<EarlyPage> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('console', message => errors.push(message.text()));
  const head = snippet
    .replace('https://events.example.com', ugc.url)
    .replace('data-key="ugc_pk_…"', `data-url="${ugc.url}" data-country="NL" data-device="desktop" ${attributes}`);
  await page.route(`${ugc.url}${path}`, route =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>Shop</title><link rel="icon" href="data:,">${head}<p>Shop`,
    }),
  );
  const held = Promise.withResolvers<void>();
  await page.route(`${ugc.url}/sdk.js`, async route => {
    await held.promise;
    await route.continue();
  });
  await page.goto(ugc.url + path, { waitUntil: 'commit' });
  await page.getByText('Shop').waitFor();
  return { page, errors, come: held.resolve };
}

interface Row {
  readonly type: string;
  readonly element: string;
  readonly user: string | null;
  readonly at: number;
}
const rowsAt = (path: string): Promise<Row[]> =>
  ugc
    .query<Row>(`SELECT * FROM (
    SELECT event_id, 'click' AS type, element, user_id AS user, toUnixTimestamp64Milli(timestamp) AS at FROM ugc.click WHERE page_url LIKE '%${path}'
    UNION ALL SELECT event_id, 'page_view', '', user_id, toUnixTimestamp64Milli(timestamp) FROM ugc.page_view WHERE page_url LIKE '%${path}'
  ) ORDER BY toString(event_id)`)
    .then(rows => rows.map(({ type, element, user, at }) => ({ type, element, user, at: Number(at) })));

const click = (path: string, element: string): string =>
  `ugc.track('click', { element: '${element}', page_url: '${path}' })`;

describe.skipIf(executablePath === null)('what is called before the script has come', () => {
  test('is kept in its order, each with its own time and user, before what tracks by itself', async () => {
    const { page, errors, come } = await pageAt('/early');
    const calledAt: number[] = [];
    for (const call of [click('/early', 'first'), "ugc.identify('ann')", click('/early', 'second'), 'ugc.page()']) {
      calledAt.push(await page.evaluate<number>(`(() => { const at = Date.now(); ${call}; return at })()`));
      await page.waitForFunction(`Date.now() > ${calledAt.at(-1)} + ${pauseMs}`);
    }
    expect(await page.evaluate<number>('ugc.q.length')).toBe(4);
    const cameAt = await page.evaluate<number>('Date.now()');
    come();
    await page.waitForFunction('ugc.q === undefined');
    await page.evaluate(click('/early', 'third'));
    await page.evaluate('ugc.flush()');
    await eventually(async () => (await rowsAt('/early')).length >= 5, { what: 'the rows' });
    await drained(ugc);
    const rows = await rowsAt('/early');
    expect(rows.map(({ type, element, user }) => [type, element, user])).toEqual([
      ['click', 'first', null],
      ['click', 'second', 'ann'],
      ['page_view', '', 'ann'],
      ['page_view', '', 'ann'],
      ['click', 'third', 'ann'],
    ]);
    const [first, second, viewed, tracked] = rows.map(({ at }) => at);
    for (const [at, called] of [
      [first, calledAt[0]],
      [second, calledAt[2]],
      [viewed, calledAt[3]],
    ] as const) {
      expect(at! - called!).toBeGreaterThanOrEqual(-5); // what the server corrects the clock by is of milliseconds
      expect(at! - called!).toBeLessThan(pauseMs);
    }
    expect(tracked).toBeGreaterThanOrEqual(cameAt - 5);
    expect(errors).toEqual([]);
  }, 60_000);

  test('counts without consent only from where it is given', async () => {
    const { page, errors, come } = await pageAt('/asked', 'data-consent="false" data-auto=""');
    for (const call of [click('/asked', 'before'), 'ugc.optIn()', click('/asked', 'after')]) await page.evaluate(call);
    come();
    await page.waitForFunction('ugc.q === undefined');
    await page.evaluate('ugc.flush()');
    await eventually(async () => (await rowsAt('/asked')).length > 0, { what: 'a row' });
    await drained(ugc);
    expect((await rowsAt('/asked')).map(({ element }) => element)).toEqual(['after']);
    expect(errors).toEqual([]);
  }, 60_000);
});
