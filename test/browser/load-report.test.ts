// The report of `ugc load` in a real browser: its drawings are there and stay within the page, bright, dark and narrow, and it
// asks nobody for anything. What an instance says is text in it.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { runUgc, temporaryFolder } from '../support/ugc.ts';

const executablePath = await chromiumFor('the report of ugc load in a browser');

const hostile = '<img src=x onerror=alert(1)>';
const folder = temporaryFolder();
let browser: Browser;
let server: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
  if (executablePath === null) return;
  // Every fifth is refused, with words of its own.
  let requests = 0;
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async request => {
      const { event_id } = (await request.json()) as { event_id: string };
      if (++requests % 5 > 0) return Response.json({ event_id, outcome: 'accepted', stored: 'disk' });
      return Response.json({ type: `urn:ugc:problem:${hostile}` }, { status: 503, headers: { 'retry-after': '1' } });
    },
  });
  for (const name of ['report.html', 'report.svg']) {
    const url = `--url=http://127.0.0.1:${server.port}`;
    const flags = [url, '--rate=300', '--steps=3', '--duration=3', `--report=${join(folder, name)}`];
    expect(await runUgc(['load', ...flags])).toMatchObject({ code: 0 });
  }
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  if (executablePath === null) return;
  await browser.close();
  await server.stop(true);
});

/** Of the page's own: what it would fetch, and what it complains of. */
async function open(name: string, colorScheme: 'light' | 'dark', width: number) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', request => asked.push(request.url()));
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  page.on('dialog', dialog => complaints.push(dialog.message()));
  await page.goto(`file://${join(folder, name)}`);
  return { page, asked, complaints };
}

test.skipIf(executablePath === null)(
  'the page, bright and dark, wide and narrow',
  async () => {
    const papers = new Set<string>();
    for (const [scheme, width] of [
      ['light', 1_000],
      ['dark', 1_000],
      ['light', 390],
    ] as const) {
      const { page, asked, complaints } = await open('report.html', scheme, width);
      expect(asked).toHaveLength(1);
      expect(complaints).toEqual([]);
      expect(await page.locator('svg').count()).toBe(3);
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.textContent('main')).toContain(`503 ${hostile.split(/["/:#]/)[0]}`);
      expect(await page.textContent('main')).toContain('said when to come again');
      papers.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
      // A line for each rate and time, with room of its own; every label within its drawing.
      for (const svg of await page.locator('svg').all()) {
        const outer = (await svg.boundingBox())!;
        for (const line of await svg.locator('path.line').all())
          expect((await line.boundingBox())!.width).toBeGreaterThan(outer.width / 3);
        for (const text of await svg.locator('text').all()) {
          const { x, y, width: wide, height } = (await text.boundingBox())!;
          expect(x).toBeGreaterThanOrEqual(outer.x - 1);
          expect(x + wide).toBeLessThanOrEqual(outer.x + outer.width + 1);
          expect(y + height).toBeLessThanOrEqual(outer.y + outer.height + 1);
        }
      }
      await page.close();
    }
    expect(papers.size).toBe(2);
  },
  120_000,
);

test.skipIf(executablePath === null)(
  'the drawings alone are one file',
  async () => {
    const { page, asked, complaints } = await open('report.svg', 'dark', 920);
    expect(asked).toHaveLength(1);
    expect(complaints).toEqual([]);
    expect(await page.evaluate<string>('document.documentElement.tagName')).toBe('svg');
    expect(await page.locator('text.title').allTextContents()).toEqual([
      'Events a second',
      'Times from when requests were due',
      'Requests answered within a time',
    ]);
    await page.close();
  },
  120_000,
);
