// The pixel in a real browser, in a page of another origin: an image, whatever becomes of the event.

import { expect, test } from 'bun:test';
import { chromium } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { drained } from '../support/oracle.ts';
import { startUgc, temporaryFolder } from '../support/ugc.ts';

const executablePath = await chromiumFor('the pixel in a browser');

test.skipIf(executablePath === null)(
  'is an image of one point in a page, and its event a row; what is refused is an image too',
  async () => {
    const ugc = await startUgc({ dataDir: temporaryFolder() });
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    const page = await browser.newPage();
    const pixel = `${ugc.url}/v1/pixel.gif?event_type=page_view&country=US&device=desktop`;
    await page.setContent(
      `<img src="${pixel}&amp;page_url=https://shop.example/%D0%B4?a=b%26c&amp;referrer_url="><img src="${pixel}">`,
    );
    await page.waitForFunction('[...document.images].every(image => image.complete)');
    expect(await page.evaluate('[...document.images].map(image => [image.naturalWidth, image.naturalHeight])')).toEqual(
      [
        [1, 1],
        [1, 1],
      ],
    );
    await browser.close();
    await drained(ugc);
    expect(await ugc.query('SELECT page_url, referrer_url FROM ugc.page_view')).toEqual([
      { page_url: 'https://shop.example/д?a=b&c', referrer_url: null },
    ]);
    expect(await ugc.stop()).toBe(0);
  },
  120_000,
);
