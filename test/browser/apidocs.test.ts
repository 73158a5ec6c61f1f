// The page at /apidocs in a real browser: it shows every operation, an event can be sent from it, and it asks nobody but
// the server it came from. Without a browser test/e2e/openapi.test.ts still holds what the page names.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { catalogue } from '../../schemas/catalogue.ts';
import { chromiumFor } from '../support/chromium.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('/apidocs in a browser');

let ugc: Ugc;
let browser: Browser;
let page: Page;
const asked: string[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  if (executablePath === null) return;
  ugc = await startUgc({ dataDir: temporaryFolder() });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  page = await browser.newPage();
  page.on('request', request => asked.push(request.url()));
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  await page.goto(`${ugc.url}/apidocs`);
}, 120_000);
afterAll(async () => {
  if (executablePath === null) return;
  await browser.close();
  expect(await ugc.stop()).toBe(0);
});

const click = '#operations-film-post_click';

test.skipIf(executablePath === null)(
  'shows every type, sends an event, and asks no other host',
  async () => {
    await page.waitForSelector(click);
    for (const { name, family } of catalogue.types)
      expect([name, await page.locator(`#operations-${family}-post_${name}`).count()]).toEqual([name, 1]);
    await page.click(`${click} .opblock-summary-control`);
    expect(await page.textContent(`${click} .opblock-description`)).toContain('Sending stores for good');
    await page.click(`${click} .execute`);
    const answer = await page.textContent(`${click} .live-responses-table tbody .response-col_description`);
    expect(answer).toContain('"outcome": "accepted"');
    const [row] = await eventually(async () => {
      const rows = await ugc.query<{ timestamp: string }>('SELECT timestamp FROM ugc.click');
      return rows.length > 0 && rows;
    });
    expect(Math.abs(Date.now() - Date.parse(`${row!.timestamp.replace(' ', 'T')}Z`))).toBeLessThan(600_000);
    const refusal = page.locator(`${click} tr[data-code="422"]`).first();
    const example = await refusal.locator('pre.example').first().textContent();
    expect(example).toContain('urn:ugc:problem:invalid');
    expect(example).not.toContain('"results"');
    expect(asked.map(url => url.split('?')[0])).toContain(`${ugc.url}/v1/events/click`);
    expect(asked.filter(url => !url.startsWith(`${ugc.url}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  },
  120_000,
);
