// What was played, as pictures: every dashboard with its panels, the screens of `ugc top`, the report of `ugc load`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../test/support/chromium.ts';
import { startPrometheus } from '../../test/support/prometheus.ts';
import { dashboardPage, terminalPage } from './page.ts';
import { askedDashboards } from './panels.ts';
import type { Played } from './play.ts';

/** From the folder of a play into `pictures/` in it. */
export async function draw(folder: string): Promise<readonly string[]> {
  const executablePath = await findChromium();
  if (executablePath === null) throw new Error('no Chromium here: install one, or name it in UGC_TEST_CHROMIUM');
  const { from, to, screens } = JSON.parse(readFileSync(join(folder, 'played.json'), 'utf8')) as Played;
  const prometheus = await startPrometheus({ targets: [], ruleFiles: [], keptIn: join(folder, 'prometheus') });
  const dashboards = await askedDashboards(prometheus.url, { from, to }).finally(() => prometheus.stop());
  const pages: Record<string, string> = { 'ugc-load': readFileSync(join(folder, 'load.html'), 'utf8') };
  for (const dashboard of dashboards) pages[dashboard.uid] = dashboardPage(dashboard);
  for (const [name, bytes] of Object.entries(screens)) pages[`ugc-top-${name}`] = terminalPage(bytes, 80, 34);

  const into = join(folder, 'pictures');
  mkdirSync(into, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const paths: string[] = [];
  for (const [name, html] of Object.entries(pages)) {
    const file = join(into, `${name}.html`);
    writeFileSync(file, html);
    const page = await browser.newPage({ colorScheme: 'light', viewport: { width: widthOf(name), height: 900 } });
    page.on('pageerror', error => console.error(`${name}: ${error.message}`));
    await page.goto(`file://${file}`);
    if (name !== 'ugc-load') await page.waitForFunction('document.body.dataset.drawn === "yes"');
    const path = join(into, `${name}.png`);
    await (name.startsWith('ugc-top')
      ? page.locator('#screen').screenshot({ path })
      : page.screenshot({ path, fullPage: true }));
    await page.close();
    paths.push(path);
  }
  await browser.close();
  return paths;
}

const widthOf = (name: string): number => (name === 'ugc-load' ? 1000 : 1600);
