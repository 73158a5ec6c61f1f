// Page views and page time in a real browser, by what its pages really did: apps that move, the back/forward cache, tabs in the
// background, pages prepared unseen, a machine that slept.

import { describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import type { Told } from '../support/automatic-site.ts';
import { visits } from '../support/automatic-visits.ts';
import { chromiumFor } from '../support/chromium.ts';
import { ownBrowser } from '../support/own-browser.ts';
import { eventually } from '../support/until.ts';

const executablePath = await chromiumFor('page views and page time in a browser');

const begin = '<script>window.ends = [auto.pageTime({ idleMs: 3000 })(tracker), auto.pageViews()(tracker)]</script>';
const tall = '<div style="height: 4000px">tall</div>';
/** The page's own account of how long it could be seen, told where it goes. */
const account = `<script>
  let [seen, since] = [0, document.visibilityState === 'visible' ? performance.now() : null];
  const turn = () => {
    if (since !== null) seen += performance.now() - since;
    since = document.visibilityState === 'visible' ? performance.now() : null;
  };
  addEventListener('visibilitychange', turn);
  addEventListener('pagehide', () => { turn(); since = null; tracker.track('account', { seen }); });
</script>`;
const after = (ms: number, what: string): string => `setTimeout(() => { ${what} }, ${ms});`;

const pages = {
  '/films': begin + tall,
  '/other': begin,
  '/plain': '',
  '/hash': '<script>auto.pageViews({ hash: true })(tracker)</script>',
  '/tabs': `${account}${begin}<script>let tab;
    ${after(1_500, "tab = open('/plain')")} ${after(3_500, 'tab.close()')} ${after(5_000, "location.href = '/plain'")}</script>`,
  '/speculating': `${begin}<script type="speculationrules">{"prerender":[{"urls":["/prepared"],"eagerness":"immediate"}]}</script>
    <script>${after(2_000, "location.href = '/prepared'")}</script>`,
  '/prepared': `<script>
    const wasUnseen = document.prerendering;
    addEventListener('prerenderingchange', () => tracker.track('activated', {}), true);
    tracker.track('loaded', { wasUnseen });
  </script>${begin}`,
};

const visiting = visits(executablePath, () => ({ pages }));

const noNavigation = "Object.defineProperty(window, 'navigation', { value: undefined, configurable: true })";
const opened = (path: string, withoutNavigation = false): Promise<Page> =>
  visiting.open(path, {
    viewport: { width: 800, height: 1_000 },
    ...(withoutNavigation ? { before: noNavigation } : {}),
  });

const views = (): unknown[] =>
  visiting.site.told('page_view').map(({ fields: { page_url: url, referrer_url: from } }) => [short(url), short(from)]);
const short = (url: unknown): unknown => (typeof url === 'string' ? url.replace(visiting.site.url, '') : url);
const times = (path: string): Told[] =>
  visiting.site.told('page_time').filter(({ fields }) => String(fields.page_url).startsWith(visiting.site.url + path));
const sum = (rows: readonly Told[], field: string): number =>
  rows.reduce((total, { fields }) => total + Number(fields[field]), 0);
/** Told by the page after all that was asked of it. */
const toldAll = async (page: Page): Promise<void> => {
  await page.evaluate("tracker.track('done', {})");
  await eventually(() => visiting.site.told('done').length > 0, { what: 'all that was tracked' });
};

describe.skipIf(executablePath === null)('page views', () => {
  for (const withoutNavigation of [false, true])
    test(`each page an app moves to is one, ${withoutNavigation ? 'by the history' : 'by the Navigation API'}`, async () => {
      const page = await opened('/films?genre=noir', withoutNavigation);
      expect(await page.evaluate("'navigation' in window && !!window.navigation")).toBe(!withoutNavigation);
      await page.evaluate(`
        history.pushState(null, '', '/film/1');
        history.pushState({ open: true }, '', '/film/1');
        history.replaceState(null, '', '/film/1?t=20');
        location.hash = 'reviews';
        history.pushState(null, '', '/film/2#token=secret');
      `);
      await page.evaluate(
        "new Promise(done => { addEventListener('popstate', done, { once: true }); history.go(-3) })",
      );
      // An undone part tells nothing more.
      await page.evaluate("ends.forEach(end => end()); history.pushState(null, '', '/film/3')");
      await toldAll(page);
      expect(views()).toEqual([
        ['/films?genre=noir', null],
        ['/film/1', '/films?genre=noir'],
        ['/film/1?t=20', '/film/1'],
        ['/film/2', '/film/1?t=20'],
        ['/film/1', '/film/2'],
      ]);
    }, 60_000);

  test('another # is another page by choice', async () => {
    const page = await opened('/hash#/a');
    await page.evaluate("location.hash = '/b'");
    await eventually(() => views().length === 2, { what: 'two views' });
    expect(views()).toEqual([
      ['/hash#/a', null],
      ['/hash#/b', '/hash#/a'],
    ]);
  }, 60_000);

  test('a page that comes back from the back/forward cache is one more, and time in it counts nothing', async () => {
    const startedAt = performance.now();
    const page = await opened('/films');
    await page.evaluate('window.isTheSame = true');
    await page.evaluate("ahead += 3_000; location.href = '/other'");
    await eventually(() => views().length === 2, { what: 'the other page' });
    const stayMs = await page.evaluate<number>('new Promise(done => setTimeout(() => done(performance.now()), 1_500))');
    await page.goBack({ waitUntil: 'commit' });
    await eventually(() => page.evaluate('window.isTheSame === true'), { what: 'the page out of the cache' });
    await eventually(() => views().length === 3, { what: 'three views' });
    await page.evaluate("ahead += 2_000; location.href = '/plain'");
    const told = await eventually(() => times('/films').length === 2 && times('/films'), { what: 'both its times' });
    expect(views()).toEqual([
      ['/films', null],
      ['/other', '/films'],
      ['/films', null],
    ]);
    const ranMs = performance.now() - startedAt;
    expect(sum(told, 'visible_ms')).toBeGreaterThanOrEqual(5_000);
    expect(sum(told, 'visible_ms')).toBeLessThanOrEqual(5_000 + ranMs - stayMs);
  }, 60_000);

  test('a page prepared unseen is viewed once it is seen, and its time begins there', async () => {
    const own = ownBrowser(executablePath!, `${visiting.site.url}/speculating`);
    try {
      await eventually(() => views().length === 2, { what: 'the view of the prepared page' });
      expect(visiting.site.told('loaded').map(({ fields }) => fields.wasUnseen)).toEqual([true]);
      const [activated, view] = [visiting.site.told('activated')[0]!, visiting.site.told('page_view')[1]!];
      expect(view.atMs).toBeGreaterThanOrEqual(activated.atMs);
      expect(views()).toEqual([
        ['/speculating', null],
        ['/prepared', '/speculating'],
      ]);
    } finally {
      await own.close();
    }
  }, 120_000);
});

describe.skipIf(executablePath === null)('page time', () => {
  test('a tab in the background counts nothing; what is told is what the page saw', async () => {
    const own = ownBrowser(executablePath!, `${visiting.site.url}/tabs`);
    try {
      await eventually(() => visiting.site.told('account').length === 1, { what: 'the page to leave' });
      const told = await eventually(() => times('/tabs').length >= 2 && times('/tabs'), { what: 'both times of it' });
      const seen = Number(visiting.site.told('account')[0]!.fields.seen);
      expect(Math.abs(sum(told, 'visible_ms') - seen)).toBeLessThanOrEqual(seen * 0.05);
      expect(told.length).toBe(2);
      for (const { fields } of told) expect(Number(fields.engaged_ms)).toBeLessThanOrEqual(Number(fields.visible_ms));
    } finally {
      await own.close();
    }
  }, 120_000);

  test('time and scrolling belong to the page that was left', async () => {
    const page = await opened('/films');
    await page.mouse.move(5, 5);
    // The browser tells a scroll with its next frame.
    await page.evaluate(
      "new Promise(seen => { addEventListener('scroll', seen, { once: true }); scrollTo(0, 1000) }).then(() => 0)",
    );
    await page.evaluate('ahead += 4000');
    await page.evaluate("history.pushState(null, '', '/film/1')");
    await page.evaluate("document.body.replaceChildren('short'); scrollTo(0, 0); ahead += 2000");
    await page.evaluate("location.href = '/plain'");
    await eventually(() => times('/film/1').length > 0, { what: 'the second page’s time' });
    const [[films], [film]] = [times('/films'), times('/film/1')];
    // Two of four screens were seen of the tall page; of the short one all.
    expect(films!.fields.scroll_share as number).toBeCloseTo(0.5, 1);
    expect(film!.fields.scroll_share).toBe(1);
    expect(films!.fields.visible_ms as number).toBeGreaterThanOrEqual(4_000);
    expect(film!.fields.visible_ms as number).toBeGreaterThanOrEqual(2_000);
  }, 60_000);

  test('of a page left before the first look, what was on the screen was seen', async () => {
    const page = await opened('/films');
    // Begun and left in one task: neither a look nor a scroll's sign comes between.
    await page.evaluate(`
      ends[0]();
      auto.pageTime()(tracker);
      scrollTo(0, 1000);
      ahead += 500;
      history.pushState(null, '', '/film/1');
    `);
    await eventually(() => times('/films').length > 0, { what: 'its time' });
    expect(times('/films')[0]!.fields.scroll_share).toBeCloseTo(0.5, 1);
  }, 60_000);

  test('a machine that slept counts a slice, and nobody there counts as seen but not as used', async () => {
    const startedAt = performance.now();
    const page = await opened('/films');
    await page.mouse.move(5, 5);
    await page.evaluate('ahead += 8 * 3_600_000');
    await page.mouse.move(6, 6);
    // Three seconds after the last move it is idle: of four more only three count.
    await page.evaluate('ahead += 4000');
    await page.keyboard.press('a');
    await page.evaluate("location.href = '/plain'");
    await eventually(() => times('/films').length > 0, { what: 'its time' });
    const ranMs = performance.now() - startedAt;
    const [visible, engaged] = [sum(times('/films'), 'visible_ms'), sum(times('/films'), 'engaged_ms')];
    expect(visible).toBeGreaterThanOrEqual(9_000);
    expect(visible).toBeLessThanOrEqual(9_000 + ranMs);
    expect(engaged).toBeGreaterThanOrEqual(6_000);
    expect(visible - engaged).toBeGreaterThanOrEqual(2_000);
  }, 60_000);

  test('a window that is not in front is seen and not used', async () => {
    const page = await opened('/films');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    const other = await page.context().newPage();
    await other.bringToFront();
    await eventually(() => page.evaluate('!document.hasFocus()'), { what: 'the other window in front' });
    await page.evaluate("ahead += 4000; location.href = '/plain'");
    await eventually(() => times('/films').length > 0, { what: 'its time' });
    const [visible, engaged] = [sum(times('/films'), 'visible_ms'), sum(times('/films'), 'engaged_ms')];
    expect(visible - engaged).toBeGreaterThanOrEqual(4_000);
  }, 60_000);
});
