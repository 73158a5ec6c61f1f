// The demo as somebody sees it: sign in, search, open a film, play, like it; and each of that is a row.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { type Demo, startDemo } from '../../demo/start.ts';
import { catalogue } from '../../schemas/catalogue.ts';
import { chromiumFor } from '../support/chromium.ts';
import { composeWith } from '../support/compose.ts';
import { freePorts } from '../support/free-ports.ts';
import { eventually, runUgc } from '../support/ugc.ts';

const executablePath = await chromiumFor('the demo');

let demo: Demo;
let browser: Browser;
beforeAll(async () => {
  if (executablePath === null) return;
  demo = await startDemo({ sitePort: 0 });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await demo?.close();
  if (demo !== undefined) expect(await demo.ended).toBe(0);
}, 120_000);

/** Of each type how many rows there are. */
async function counts(): Promise<Readonly<Record<string, number>>> {
  const sql = 'SELECT event_type, toUInt32(count()) AS events FROM events GROUP BY event_type';
  const { stdout } = await runUgc(['query', sql, '--json', `--data-dir=${demo.dataDir}`]);
  const rows = stdout.split('\n').filter(line => line !== '');
  return Object.fromEntries(
    rows.map(row => {
      const { event_type: type, events } = JSON.parse(row) as { event_type: string; events: number };
      return [type, events];
    }),
  );
}

test.skipIf(executablePath === null)(
  'signing in, searching, opening, playing and liking a film are rows, and nothing is wider than a phone',
  async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const errors: string[] = [];
    page.on('pageerror', error => errors.push(error.message));
    page.on('console', message => ['error', 'warning'].includes(message.type()) && errors.push(message.text()));
    await page.goto(demo.siteUrl);
    await page.click('#sign');
    await page.fill('#title', 'star');
    await page.press('#title', 'Enter');
    expect(await page.locator('.films li').count()).toBe(1);
    await page.click('#card-the-star');
    await page.click('#like');
    await page.locator('#like[aria-pressed=true]').waitFor();
    expect(await page.locator('#likes').textContent()).toBe('1 likes it');
    await page.evaluate(
      "(async video => { video.playbackRate = 8; await video.play() })(document.querySelector('video'))",
    );
    // Slowly from there on, or it might end before the choice is made.
    await page.waitForFunction(
      "(video => video.currentTime > 6 && (video.playbackRate = 1))(document.querySelector('video'))",
    );
    await page.selectOption('#quality', '360p');
    await page.evaluate("document.querySelector('video').playbackRate = 8");
    await page.waitForFunction("document.querySelector('video').ended");
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await page.goto('about:blank');
    const told = await eventually(
      async () => {
        const rows = await counts();
        return (rows.page_time ?? 0) >= 2 && (rows.film_closed ?? 0) >= 2 && rows.film_liked === 1 && rows;
      },
      { what: 'the rows', pauseMs: 500 },
    );
    expect(told).toMatchObject({
      page_view: 2,
      page_time: 2,
      search_filter_use: 1,
      user_identified: 1,
      film_opened: 2, // once more in the other quality
      film_closed: 2,
      quality_change: 1,
      film_liked: 1,
      custom: 1,
    });
    expect(errors).toEqual([]);
  },
  120_000,
);

test('in a container it listens everywhere at the ports it was given, and its page names ugc as the browser reaches it', async () => {
  const [sitePort = 0, ugcPort = 0] = await freePorts(2);
  const { demo: service } = composeWith({ DEMO_PORT: `${sitePort}`, DEMO_UGC_PORT: `${ugcPort}` }).services;
  const { environment, command, healthcheck } = service!;
  // Kafka is away, and ClickHouse: what is taken waits on the disk.
  const own = Object.entries(environment).filter(([name]) => !/CLICKHOUSE|BROKERS/.test(name));
  const env = {
    PATH: process.env.PATH!,
    ...Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
    UGC_KAFKA_BROKERS: '127.0.0.1:1',
    UGC_CLICKHOUSE_URL: 'http://127.0.0.1:1',
  };
  const root = join(import.meta.dir, '../..');
  const child = Bun.spawn([...command!], { cwd: root, env, stdout: 'pipe', stderr: 'inherit' });
  const [, ...check] = healthcheck!.test;
  const isHealthy = () => Bun.spawnSync(check, { env, stderr: 'ignore' }).exitCode === 0;
  expect(isHealthy()).toBe(false);
  await eventually(isHealthy, { what: 'both to be healthy' });
  const page = await (await fetch(`http://localhost:${sitePort}/`)).text();
  expect(page).toContain(`src="http://localhost:${ugcPort}/sdk.js"`);
  const key = /data-ugc-key="(.+?)"/.exec(page)![1]!;
  const answer = await fetch(`http://localhost:${ugcPort}/v1/events?key=${key}`, {
    method: 'POST',
    headers: { origin: `http://localhost:${sitePort}` },
    body: JSON.stringify({ ...catalogue.find('click')!.example, timestamp: Date.now() }),
  });
  expect({ status: answer.status, said: await answer.json() }).toMatchObject({ status: 200, said: { stored: 'disk' } });
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
}, 60_000);
