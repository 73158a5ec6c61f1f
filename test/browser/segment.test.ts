// analytics.js 2, as it was published, in a real browser: it asks this server for its settings, sends here and nowhere else,
// and through a front that sheds, limits and loses answers every call is exactly one row.

import { expect, test } from 'bun:test';
import { chromium } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { flakyFront } from '../support/flaky-front.ts';
import { drained } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const executablePath = await chromiumFor('analytics.js in a browser');

/** Its path in the package is in no list of what it exports. */
const bundle = Bun.resolveSync('@segment/analytics-next', import.meta.dir).replace(/\/dist\/.*$/, '/dist/umd/index.js');
const calls = 30;

test.skipIf(executablePath === null)(
  'every call of analytics.js is one row, and it asks no other host',
  async () => {
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, flags: ['--auth=keys', '--request-log=false'] });
    const front = flakyFront({ target: () => ugc.url });
    front.calm(true);
    const key = (
      await runUgc(['keys', 'add', 'site', `--origins=${front.url}`, `--data-dir=${dataDir}`])
    ).stdout.trim();
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', request => asked.push(request.url()));
    await page.route(`${front.url}/shop`, route =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Shop</title>' }),
    );
    await page.goto(`${front.url}/shop`);
    await page.addScriptTag({ path: bundle });
    await page.evaluate(
      `(async () => { window.sdk = (await AnalyticsNext.AnalyticsBrowser.load({ writeKey: '${key}', cdnURL: location.origin }))[0] })()`,
    );
    front.calm(false);
    await page.evaluate(`(() => {
      for (let n = 0; n < ${calls}; n++) {
        if (n % 5 === 0) sdk.page('Home', { n });
        else if (n % 5 === 1) sdk.identify('user', { n });
        else if (n % 5 === 2) sdk.group('group-' + n);
        else if (n % 5 === 3) sdk.alias('user', 'before-' + n);
        else sdk.track('Trailer Muted', { n });
      }
    })()`);
    const rows = async () => {
      const [found] = await ugc.query<Record<string, number>>(`SELECT
        (SELECT toInt32(count()) FROM ugc.page_view) AS pages, (SELECT toInt32(count()) FROM ugc.user_identified) AS users,
        (SELECT toInt32(count()) FROM ugc.group_identified) AS groups, (SELECT toInt32(count()) FROM ugc.user_aliased) AS aliases,
        (SELECT toInt32(count()) FROM ugc.custom) AS tracks`);
      return found!;
    };
    const each = calls / 5;
    const all = { pages: each, users: each, groups: each, aliases: each, tracks: each };
    await eventually(async () => Object.values(await rows()).reduce((sum, count) => sum + count, 0) >= calls, {
      msMax: 240_000,
      what: 'a row for each call',
    });
    front.calm(true);
    await page.waitForFunction('sdk.queue.queue.length === 0');
    await drained(ugc);
    expect(await rows()).toEqual(all);
    expect(front.counts().lost).toBeGreaterThan(0);
    const [row] = await ugc.query<{ page_url: string; device: string; source: string }>(
      'SELECT page_url, device, source FROM ugc.page_view LIMIT 1',
    );
    expect(row).toEqual({ page_url: `${front.url}/shop`, device: 'desktop', source: 'site' });
    expect(asked.filter(url => !url.startsWith(`${front.url}/`))).toEqual([]);
    await browser.close();
    await front.stop();
    expect(await ugc.stop()).toBe(0);
  },
  400_000,
);
