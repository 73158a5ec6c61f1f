// Clicks, filters and web vitals in a real browser.

import { describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { visits } from '../support/automatic-visits.ts';
import { chromiumFor } from '../support/chromium.ts';
import { eventually } from '../support/until.ts';

const executablePath = await chromiumFor('clicks and web vitals in a browser');

const clicking = `
  <main data-ugc-element="main-is-not-the-nearest" onclick="event.stopPropagation()">
    <button id="trailer" data-ugc-element="trailer"><svg width="9" height="9"><circle id="dot" r="9" /></svg>Trailer</button>
    <button id="cart" data-ugc-event="cart_add" data-ugc-item-id="42" data-ugc-fields='{"quantity": 2}'>Add</button>
  </main>
  <button id="nothing">Nothing</button>
  <a id="inside" href="/plain" onclick="return false">Inside</a>
  <a id="outside" href="https://example.com/a?b#c" onclick="return false"><b id="bold">Outside</b></a>
  <a id="mail" href="mailto:a@example.com" onclick="return false">Mail</a>
  <div id="host"></div>
  <form onsubmit="return false" data-ugc-filter>
    <select id="genre" name="genre"><option value="">all</option><option>noir</option></select>
    <input id="title" name="title" data-ugc-filter="by_title">
    <input id="seen" name="seen" type="checkbox" value="unseen">
    <input id="password" name="password" type="password">
  </form>
  <input id="elsewhere" name="elsewhere">
  <script>
    const host = document.getElementById('host');
    host.attachShadow({ mode: 'open' }).innerHTML = '<button id="deep" data-ugc-element="deep">Deep</button>';
    window.end = auto.clicks()(tracker);
    window.errors = 0;
    addEventListener('error', () => errors++);
  </script>`;
const slow =
  '<h1>Felt</h1><button onclick="for (const to = performance.now() + 120; performance.now() < to;);">slow</button>';

const visiting = visits(executablePath, () => ({
  pages: { '/': clicking, '/felt': `${slow}<script>auto.vitals()(tracker)</script>`, '/plain': '' },
}));

/** What was tracked while the page was used so. */
async function told(use: (page: Page) => Promise<void>): Promise<unknown[]> {
  const page = await visiting.open('/?genre=noir#secret');
  await use(page);
  expect(await page.evaluate('errors')).toBe(0);
  await page.evaluate("tracker.track('done', {})");
  return visiting.tracked();
}

describe.skipIf(executablePath === null)('clicks', () => {
  test('are told by the nearest element that says so, in a shadow too, whoever stops them', async () => {
    const page_url = `${visiting.site.url}/?genre=noir`;
    const all = await told(async on => {
      for (const id of ['trailer', 'dot', 'cart', 'nothing', 'deep']) await on.locator(`#${id}`).click({ force: true });
      await on.locator('#trailer').click({ button: 'right' });
      await on.evaluate('end()');
      await on.locator('#trailer').click();
    });
    expect(all).toEqual([
      ['click', { element: 'trailer', page_url }],
      ['click', { element: 'trailer', page_url }],
      ['cart_add', { item_id: '42', quantity: 2 }],
      ['click', { element: 'deep', page_url }],
    ]);
  }, 60_000);

  test('on a link to another host are told, by whichever button opens it; others are none', async () => {
    const all = await told(async on => {
      for (const id of ['inside', 'mail', 'bold']) await on.locator(`#${id}`).click();
      await on.locator('#bold').dispatchEvent('auxclick', { button: 1 });
    });
    const outside = { page_url: `${visiting.site.url}/?genre=noir`, properties: { href: 'https://example.com/a?b#c' } };
    expect(all).toEqual([
      ['click', { element: 'outbound_link', ...outside }],
      ['click', { element: 'outbound_link', ...outside }],
    ]);
  }, 60_000);

  test('of filters: what was chosen or typed, but nothing that was taken back, no password, nothing elsewhere', async () => {
    const all = await told(async on => {
      await on.locator('#genre').selectOption('noir');
      await on.locator('#genre').selectOption('');
      await on.locator('#title').fill(`the star ${'x'.repeat(2_000)}`);
      await on.locator('#seen').check();
      await on.locator('#seen').uncheck();
      await on.locator('#password').fill('secret');
      await on.locator('#elsewhere').fill('elsewhere');
      await on.locator('#elsewhere').blur();
    });
    expect(all).toEqual([
      ['search_filter_use', { filter_type: 'genre', filter_value: 'noir' }],
      ['search_filter_use', { filter_type: 'by_title', filter_value: `the star ${'x'.repeat(1_015)}` }],
      ['search_filter_use', { filter_type: 'seen', filter_value: 'unseen' }],
    ]);
  }, 60_000);
});

test.skipIf(executablePath === null)(
  'web vitals are one event when the page is left',
  async () => {
    const { site } = visiting;
    const page = await visiting.open('/felt');
    await page.locator('button').click();
    // The layout moves well after the last input, or it would be the user's doing.
    await page.evaluate(`new Promise(done => setTimeout(() => {
      document.querySelector('h1').style.marginTop = '200px';
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100)));
    }, 700))`);
    await page.evaluate("setTimeout(() => { location.href = '/plain' })");
    await eventually(() => site.told('custom').length > 0, { what: 'the vitals' });
    await page.waitForURL('**/plain');
    const [{ fields }] = site.told('custom') as [ReturnType<typeof site.told>[number]];
    expect(site.told().length).toBe(1);
    const properties = fields.properties as Readonly<Record<string, unknown>>;
    expect(fields.name).toBe('web_vitals');
    expect(properties).toEqual({
      page_url: `${site.url}/felt`,
      lcp: expect.any(Number),
      cls: expect.any(Number),
      inp: expect.any(Number),
      ttfb: expect.any(Number),
    });
    expect(Number(properties.inp)).toBeGreaterThanOrEqual(120);
    expect(Number(properties.cls)).toBeGreaterThan(0);
    expect(Number(properties.lcp)).toBeGreaterThan(Number(properties.ttfb));
  },
  60_000,
);
