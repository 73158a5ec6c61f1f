// The console in a real browser, on the compiled binary: each view driven, from the first event on; by keyboard alone; narrow;
// light and dark under axe; and with a stream that breaks.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Browser, chromium } from 'playwright-core';
import { catalogue } from '../../schemas/catalogue.ts';
import { chromiumFor } from '../support/chromium.ts';
import { type ConsolePage, consolePage, consoleViews } from '../support/console-page.ts';
import { exampleClick } from '../support/events.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('the console in a browser');

let ugc: Ugc;
let browser: Browser;
let shown: ConsolePage;

beforeAll(async () => {
  if (executablePath === null) return;
  ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--rejections-seconds=1'] });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  shown = await consolePage(browser, { url: ugc.url });
}, 120_000);
afterAll(async () => {
  if (executablePath === null) return;
  expect(shown.complaints).toEqual([]);
  await browser.close();
  expect(await ugc.stop()).toBe(0);
});

const inBrowser = (name: string, body: () => Promise<void>): void => {
  test.skipIf(executablePath === null)(name, body, 120_000);
};

const now = () => ({ ...exampleClick, timestamp: new Date().toISOString() });
const pageView = () => ({ ...catalogue.find('page_view')!.example, timestamp: new Date().toISOString() });

inBrowser('while there has been no event it says how the first is sent, with this server’s address', async () => {
  await shown.show('');
  expect(await shown.page.getByRole('region', { name: /how it is sent with curl/ }).textContent()).toContain(
    `curl ${ugc.url}/v1/events`,
  );
  expect(await shown.axe()).toEqual([]);
});

inBrowser('a test event is sent from it, and each place it comes to is ticked', async () => {
  await shown.show('send/click');
  const { page } = shown;
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const steps = page.locator('.followed .steps li');
  await steps.filter({ hasText: 'A row' }).and(page.locator('.done')).waitFor();
  expect(await steps.filter({ hasText: 'Accepted' }).getAttribute('class')).toBe('done');
  const [row] = await ugc.query<{ event_id: string }>('SELECT event_id FROM ugc.click');
  expect(await page.locator('.followed h2').textContent()).toContain(row!.event_id);
  await page.getByLabel('The event, as JSON').fill('{"event_type":"click","elment":"x"}');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('.problem').filter({ hasText: '/elment' }).waitFor();
});

inBrowser('once there was one, the flow is shown, with its rates and a table beside each chart', async () => {
  await shown.show('flow');
  const { page } = shown;
  const rate = page
    .locator('.part')
    .filter({ hasText: 'accepted' })
    .filter({ hasText: /accepted\d\d[\d.]*\/s/ });
  await eventually(
    async () => {
      await ugc.post(Array.from({ length: 200 }, now));
      return (await rate.count()) > 0;
    },
    { what: 'the rate of what is accepted', pauseMs: 300 },
  );
  const chart = page.locator('figure').filter({ hasText: 'Events in and rows out' });
  await chart.locator('canvas').waitFor({ state: 'attached' });
  await chart.getByText('As a table').click();
  await chart.getByRole('row').nth(2).waitFor();
});

inBrowser('what passes is shown as it does, filtered, and opens to its bytes and its way', async () => {
  const { page } = shown;
  await shown.show('live');
  const rows = page.locator('.list tbody tr');
  await page.getByText('Waiting for events').waitFor();
  await ugc.post([now(), pageView(), { ...now(), element: 1 }]);
  await eventually(async () => (await rows.count()) >= 3, { what: 'all three' });
  expect(await rows.count()).toBe(3);
  expect(await rows.filter({ hasText: 'rejected' }).count()).toBe(1);
  await page.getByLabel('Outcome').selectOption('accepted');
  await page.getByLabel('Type', { exact: true }).fill('cl*');
  await eventually(async () => {
    await ugc.post([now(), pageView()]);
    return (await rows.filter({ hasText: 'page_view' }).count()) === 0 && (await rows.count()) > 0;
  });
  await page.getByRole('button', { name: 'Pause' }).click();
  const count = await rows.count();
  await ugc.post([now(), now()]);
  await page.getByText(/([2-9]|\d\d) more have passed/).waitFor(); // one sent before may have been on its way
  expect(await rows.count()).toBe(count);
  await rows.first().getByRole('button').click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.steps .done').filter({ hasText: 'Accepted' }).waitFor();
  await eventually(async () => {
    await dialog.getByRole('button', { name: 'Look again' }).click();
    return (await dialog.getByText('The row in').count()) === 1;
  });
  expect(await dialog.getByRole('region', { name: 'the event' }).textContent()).toContain('"element": "play"');
  expect(await shown.axe()).toEqual([]);
});

inBrowser('what is rejected is grouped by why, with how to mend it', async () => {
  const { page } = shown;
  await shown.show('rejected');
  await eventually(async () => {
    await page.getByRole('button', { name: 'Ask again' }).click();
    return (await page.locator('.groups > li').count()) > 0;
  });
  const group = page.locator('.groups > li').filter({ hasText: 'click' }).first();
  expect((await group.textContent())!.length).toBeGreaterThan(30);
});

inBrowser('a query is answered as a table and a chart, and one that is wrong in words', async () => {
  const { page } = shown;
  await shown.show('query');
  const box = page.getByLabel(/^SQL/);
  await box.fill("SELECT * FROM (SELECT 'a' AS name, 3 AS n UNION ALL SELECT 'b', 5)");
  await box.press('Control+Enter');
  await page.getByText('2 rows in').waitFor();
  await page.locator('.bar').first().waitFor();
  expect(await page.getByRole('region', { name: 'What was found' }).locator('tbody tr').count()).toBe(2);
  await box.fill('SELECT nothing FROM nowhere');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.locator('.problem').waitFor();
  expect(await page.locator('select option').filter({ hasText: 'SELECT nothing' }).count()).toBe(1);
});

inBrowser('every view is clean under axe, light and dark, and no wider than a window of 360', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const narrow = await consolePage(browser, { url: ugc.url, width: 360, colorScheme });
    for (const [path] of consoleViews) {
      await narrow.show(path);
      expect({ path, colorScheme, axe: await narrow.axe(), overflow: await narrow.overflow() }).toEqual({
        path,
        colorScheme,
        axe: [],
        overflow: 0,
      });
    }
    expect(narrow.complaints).toEqual([]);
    await narrow.page.context().close();
  }
});

inBrowser('every view is reached by key, and an event is opened and closed by it', async () => {
  const { page } = shown;
  await shown.show('flow');
  const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
  async function tabTo(text: string): Promise<void> {
    for (let press = 0; press < 100; press++) {
      if ((await focused()) === text) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`${text} is not reached by Tab`);
  }
  for (const [, name] of consoleViews.slice(1)) {
    await tabTo(name);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    expect(await focused()).toBe(name);
    await page.evaluate('document.activeElement.blur()');
  }
  await shown.show('live');
  await page.getByText('Waiting for events').waitFor();
  await ugc.post(now());
  const first = await page.locator('.list tbody button').first().textContent();
  await tabTo(first!);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await focused()).toBe(first!);
});

inBrowser('on the port for operators a test event is sent from elsewhere, and followed', async () => {
  const apart = await startUgc({ dataDir: temporaryFolder(), flags: ['--admin-port=0'] });
  const adminUrl = String(/"admin":"([^"]+)"/.exec(apart.output())?.[1]);
  const other = await consolePage(browser, { url: adminUrl });
  await other.show('send/click');
  expect(await other.page.getByRole('button', { name: 'Send', exact: true }).count()).toBe(0);
  const box = await other.page.getByLabel('The event, as JSON').inputValue();
  expect(await other.page.getByRole('region', { name: /with curl/ }).textContent()).toContain(box);
  expect((await apart.post(box)).status).toBe(200);
  await other.page.getByRole('button', { name: 'Follow it' }).click();
  await other.page.locator('.followed .done').filter({ hasText: 'A row' }).waitFor();
  expect(other.complaints).toEqual([]);
  await other.page.context().close();
  expect(await apart.stop()).toBe(0);
});

inBrowser('a connection that breaks is told, and what passes is read on from where it was', async () => {
  const proxy = await tcpProxy({ target: Number(new URL(ugc.url).port), random: Math.random });
  const other = await consolePage(browser, { url: `http://127.0.0.1:${proxy.port}` });
  const { page } = other;
  await other.show('live');
  await page.getByText('Waiting for events').waitFor();
  await page.getByText(/^✓ live/).waitFor();
  proxy.refuse();
  await page.getByText('not live', { exact: false }).first().waitFor();
  const { event_id: missed } = (await (await ugc.post(now())).json()) as { event_id: string };
  proxy.heal();
  await page.getByText(/^✓ live/).waitFor();
  await page.locator('.list tbody button').first().click();
  await page.getByRole('dialog').getByText(missed).first().waitFor();
  await page.context().close();
  await proxy.close();
});
