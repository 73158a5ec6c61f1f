// A browser that visits the pages of automatic-site.ts, for a file of tests: both are there before all of them, what is open is
// closed after each.

import { afterAll, afterEach, beforeAll } from 'bun:test';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type AutomaticSite, automaticSite, type SiteOptions } from './automatic-site.ts';
import { eventually } from './until.ts';

export interface Visits {
  readonly site: AutomaticSite;
  /** A visitor of their own. */
  open(path: string, settings?: VisitSettings): Promise<Page>;
  /** All that was tracked, as type and fields, once the page has tracked `done`. */
  tracked(): Promise<(readonly [type: string, fields: Readonly<Record<string, unknown>>])[]>;
}

export interface VisitSettings extends BrowserContextOptions {
  /** Runs in the page before its own scripts. */
  readonly before?: string;
}

/** `executablePath` null: there is no browser, and nothing is begun. */
export function visits(
  executablePath: string | null,
  options: (browser: Browser) => SiteOptions | Promise<SiteOptions>,
): Visits {
  let site: AutomaticSite;
  let browser: Browser;
  let context: BrowserContext | null = null;
  beforeAll(async () => {
    if (executablePath === null) return;
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox'],
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    site = await automaticSite(await options(browser));
  }, 60_000);
  afterEach(async () => {
    await context?.close();
    context = null;
    site?.forget();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    get site() {
      return site;
    },
    async open(path, { before, ...settings } = {}) {
      context = await browser.newContext(settings);
      const page = await context.newPage();
      if (before !== undefined) await page.addInitScript(before);
      await page.goto(site.url + path);
      return page;
    },
    async tracked() {
      await eventually(() => site.told('done').length > 0, { what: 'all that was tracked' });
      return site.told().flatMap(({ type, fields }) => (type === 'done' ? [] : [[type, fields] as const]));
    },
  };
}
