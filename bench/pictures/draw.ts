// What was played, as pictures: every dashboard with its panels, the screens of `ugc top`, the report of `ugc load`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../test/support/chromium.ts';
import { startPrometheus } from '../../test/support/prometheus.ts';
import { dashboardPage, terminalPage } from './page.ts';
import { askedDashboards } from './panels.ts';
import type { Played } from './play.ts';

interface Picture {
  readonly name: string;
  readonly html: string;
  readonly width: number;
  /** The page is drawn by a script, which says when it has. */
  readonly isDrawn: boolean;
}

/** Those that documents show: narrower, and of each so many pixels from the top. */
const inDocs: Readonly<Record<string, number>> = {
  'ugc-overview': 1_035,
  'ugc-tables': 730,
  'ugc-load': 865,
  'ugc-top-outage': 670,
};
const docsFolder = join(import.meta.dir, '../../docs/operate/pictures');
const [width, docsWidth] = [1_600, 1_200];

/** From the folder of a play into `pictures/` in it, and those of the documents into docs/. */
export async function draw(folder: string, forDocs: boolean): Promise<readonly string[]> {
  const executablePath = await findChromium();
  if (executablePath === null) throw new Error('no Chromium here: install one, or name it in UGC_TEST_CHROMIUM');
  const pictures = await picturesOf(folder);
  const into = join(folder, 'pictures');
  for (const each of [into, docsFolder]) mkdirSync(each, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const paths: string[] = [];
  for (const picture of pictures) {
    const file = join(into, `${picture.name}.html`);
    writeFileSync(file, picture.html);
    paths.push(await shoot(browser, picture, file, join(into, `${picture.name}.png`)));
    const height = inDocs[picture.name];
    if (!forDocs || height === undefined) continue;
    const narrow = { ...picture, width: Math.min(picture.width, docsWidth) };
    paths.push(await shoot(browser, narrow, file, join(docsFolder, `${picture.name}.png`), height));
  }
  await browser.close();
  return paths;
}

async function picturesOf(folder: string): Promise<readonly Picture[]> {
  const { from, to, screens } = JSON.parse(readFileSync(join(folder, 'played.json'), 'utf8')) as Played;
  const prometheus = await startPrometheus({ targets: [], ruleFiles: [], keptIn: join(folder, 'prometheus') });
  const dashboards = await askedDashboards(prometheus.url, { from, to }).finally(() => prometheus.stop());
  const drawn = (name: string, html: string): Picture => ({ name, html, width, isDrawn: true });
  return [
    { name: 'ugc-load', html: readFileSync(join(folder, 'load.html'), 'utf8'), width: 1_000, isDrawn: false },
    ...dashboards.map(dashboard => drawn(dashboard.uid, dashboardPage(dashboard))),
    ...Object.entries(screens).map(([name, { bytes, rows }]) =>
      drawn(`ugc-top-${name}`, terminalPage(bytes, 80, rows)),
    ),
  ];
}

/** Whole, or as much of it as is `high`. */
async function shoot(
  browser: Browser,
  picture: Picture,
  file: string,
  path: string,
  high = Number.POSITIVE_INFINITY,
): Promise<string> {
  const page = await browser.newPage({ colorScheme: 'light', viewport: { width: picture.width, height: 900 } });
  page.on('pageerror', error => console.error(`${picture.name}: ${error.message}`));
  await page.goto(`file://${file}`);
  if (picture.isDrawn) await page.waitForFunction('document.body.dataset.drawn === "yes"');
  const { width: wide, height } = await sizeOf(page);
  await page.screenshot({
    path,
    fullPage: true,
    clip: { x: 0, y: 0, width: wide, height: Math.min(height, high) },
  });
  await page.close();
  return path;
}

/** A terminal is as wide as its columns, anything else as the page. */
async function sizeOf(page: Page): Promise<{ readonly width: number; readonly height: number }> {
  const screen = await page
    .locator('#screen')
    .boundingBox({ timeout: 500 })
    .catch(() => null);
  if (screen !== null) return screen;
  const size = await page.evaluate<number[]>(
    '[document.documentElement.scrollWidth, document.documentElement.scrollHeight]',
  );
  return { width: size[0]!, height: size[1]! };
}
