// The console in a real browser: opened at a view, and asked what axe finds, how wide it is and what it complained about.

import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

export const consoleViews = [
  ['flow', 'Flow'],
  ['live', 'Live events'],
  ['rejected', 'Rejected'],
  ['dead', 'Dead letters'],
  ['catalogue', 'Catalogue'],
  ['query', 'Query'],
  ['aggregates', 'Aggregates'],
  ['send', 'Send a test event'],
] as const;

export interface ConsolePage {
  readonly page: Page;
  /** Whatever the browser said: errors, refusals of the policy, dialogs, and questions to other hosts. */
  readonly complaints: string[];
  /** Resolves once the view's heading is there, and what it asks has been answered. */
  show(path: string): Promise<void>;
  /** Each with the elements it is about. */
  axe(): Promise<readonly string[]>;
  /** CSS pixels by which the page is wider than the window. */
  overflow(): Promise<number>;
}

export interface ConsolePageOptions {
  readonly url: string;
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export async function consolePage(browser: Browser, options: ConsolePageOptions): Promise<ConsolePage> {
  const { url, width = 1_280, colorScheme = 'light' } = options;
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', message => {
    if (!refusal.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(error.message));
  page.on('dialog', dialog => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', request => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:'))
      complaints.push(`asked ${request.url()}`);
  });
  return {
    page,
    complaints,
    async show(path) {
      await page.goto(`${url}/#/${path}`);
      const [, title] = consoleViews.find(([name]) => name === path.split('/')[0]) ?? ['', 'Your first event'];
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
      await page.getByText('Asking…').waitFor({ state: 'hidden' });
    },
    async axe() {
      const found = await page.evaluate<Violation[]>(`${axe.source};axe.run().then(({ violations }) => violations)`);
      return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    },
    overflow: () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
  };
}

/** What a browser says of each answer of 4xx, which the page itself tells in words. */
const refusal = /^Failed to load resource: .* status of 4\d\d/;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}
