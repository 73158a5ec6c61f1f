// What the console gives to be copied is run as it stands, for every event type: by a shell, by Python, by Node's own Segment
// library, and by a page with the SDK. Only the key is put in its place. Each is one row of that type.

import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import type { ConsoleType, ConsoleTypes } from '../../src/console/answers.ts';
import { chromiumFor } from '../support/chromium.ts';
import { consolePage } from '../support/console-page.ts';
import { drained } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const root = join(import.meta.dir, '../..');
const executablePath = await chromiumFor('the snippets of the console');

const ways = ['curl', 'SDK', 'Python', 'Segment'] as const;
type Way = (typeof ways)[number];
type Snippets = Readonly<Record<Way, string>>;
const atOnceMax = 2;

/** As a person sees them: of each type in the catalogue, each way chosen and read. */
async function shownSnippets(
  browser: Browser,
  { url, key, isWanted }: { readonly url: string; readonly key: string; readonly isWanted: (type: string) => boolean },
): Promise<ReadonlyMap<string, Snippets>> {
  const { page, complaints } = await consolePage(browser, { url });
  await page.goto(`${url}/#/catalogue`);
  if (key !== '') {
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
  }
  await page.getByLabel('Find a type').waitFor();
  const types = await page.getByRole('navigation', { name: 'Event types' }).getByRole('link').allTextContents();
  const found = new Map<string, Snippets>();
  for (const type of types.filter(isWanted)) {
    await page.goto(`${url}/#/catalogue/${type}`);
    await page.getByRole('heading', { level: 2, name: type, exact: true }).waitFor();
    const texts: [Way, string][] = [];
    for (const way of ways) {
      await page.locator('fieldset.tabs').getByText(way, { exact: true }).click();
      const text = page.getByRole('region', { name: `how it is sent with ${way}`, exact: true });
      texts.push([way, (await text.textContent()) ?? '']);
    }
    found.set(type, Object.fromEntries(texts) as Snippets);
  }
  expect(complaints).toEqual([]);
  await page.context().close();
  return found;
}

async function run(command: readonly string[], cwd: string): Promise<void> {
  const child = Bun.spawn([...command], { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [said, wrong] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, said, wrong: wrong.slice(0, 2_000) }).toMatchObject({ code: 0 });
}

async function inTurn(texts: readonly string[], one: (text: string, at: number) => Promise<void>): Promise<void> {
  const left = [...texts.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await one(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
}

/** Each a module of its own, in one program. */
function writeModules(texts: readonly string[], folder: string): void {
  for (const [at, text] of texts.entries()) writeFileSync(join(folder, `${at}.mjs`), text);
  writeFileSync(join(folder, 'all.mjs'), texts.map((_, at) => `import './${at}.mjs';`).join('\n'));
}

/** As the compiler of who copies it sees it. */
function compile(texts: readonly string[], folder: string): void {
  for (const [at, text] of texts.entries()) writeFileSync(join(folder, `${at}.ts`), text);
  const files = texts.map((_, at) => `${at}.ts`);
  const options = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', ...files];
  const { stdout } = Bun.spawnSync([join(root, 'node_modules/.bin/tsc'), ...options], { cwd: folder });
  expect(stdout.toString()).toBe('');
}

interface Shop {
  readonly origin: string;
  /** What its page loads from now on. */
  sells(script: string): void;
  close(): Promise<void>;
}

/** A site of its own, of another origin than ugc's. */
function shopOf(): Shop {
  let script = '';
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ url }) =>
      url.endsWith('.js')
        ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
        : new Response(
            '<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script type="module" src="/all.js"></script>',
            { headers: { 'content-type': 'text/html' } },
          ),
  });
  return {
    origin: server.url.origin,
    sells(text) {
      script = text;
    },
    close: () => server.stop(true),
  };
}

/** The package as it is published, in the shop's page. Resolves once each event has been answered. */
async function runInPage(browser: Browser, texts: readonly string[], shop: Shop): Promise<void> {
  const folder = temporaryFolder();
  writeModules(texts, folder);
  mkdirSync(join(folder, 'node_modules/@ugc'), { recursive: true });
  symlinkSync(join(root, 'dist/sdk'), join(folder, 'node_modules/@ugc/browser'));
  compile(texts, folder);
  const built = await Bun.build({ entrypoints: [join(folder, 'all.mjs')], target: 'browser', format: 'esm' });
  shop.sells(await built.outputs[0]!.text());
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('console', message => errors.push(message.text()));
  await page.goto(`${shop.origin}/`);
  await page.waitForFunction('Object.keys(localStorage).every(key => !/( [0-9a-f-]{36}){2}$/.test(key))');
  expect(errors).toEqual([]);
  await context.close();
}

const runners = (browser: Browser, shop: Shop): Readonly<Record<Way, (texts: readonly string[]) => Promise<void>>> => ({
  curl: texts => inTurn(texts, text => run(['bash', '-euc', `${text} --fail-with-body`], temporaryFolder())),
  Python: texts => inTurn(texts, text => run(['python3', '-c', text], temporaryFolder())),
  async Segment(texts) {
    const folder = temporaryFolder();
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeModules(texts, folder);
    await run([Bun.which('node') ?? process.execPath, 'all.mjs'], folder);
  },
  SDK: texts => runInPage(browser, texts, shop),
});

/** How many rows there are of each type by each way; and of a type whose rows differ in what was sent, that they do. */
async function rowsOf(ugc: Ugc, types: readonly ConsoleType[]): Promise<Record<string, number>> {
  const each = types.map(({ type, example }) => {
    const { event_type: _, timestamp: __, anonymous_id: ___, ...sent } = example;
    const values = Object.keys(sent).map(name => `toString(${name})`);
    return `SELECT event_type AS type, source, [${values.join(', ')}] AS sent FROM ugc.${type}`;
  });
  const found = await ugc.query<{ type: string; source: string; sent: (string | null)[] }>(each.join(' UNION ALL '));
  const rows = found.map(({ sent, ...row }) => ({ ...row, sent: sent.map(withoutContext).join() }));
  const counts: Record<string, number> = {};
  for (const [type, ofType] of Map.groupBy(rows, row => row.type)) {
    for (const { source } of ofType) counts[`${type} by ${source}`] = (counts[`${type} by ${source}`] ?? 0) + 1;
    const sent = new Set(ofType.map(row => row.sent));
    if (sent.size > 1) counts[`${type}: ${[...sent].join(' or ')}`] = sent.size;
  }
  return counts;
}

/** Segment's libraries say with each event what they are. */
function withoutContext(value: string | null): string {
  if (!value?.startsWith('{')) return String(value);
  const { context: _, ...own } = JSON.parse(value) as Record<string, unknown>;
  return JSON.stringify(Object.entries(own).toSorted());
}

interface Run {
  readonly isClosed: boolean;
  readonly isWanted: (type: string) => boolean;
}

async function runAll({ isClosed, isWanted }: Run): Promise<void> {
  const dataDir = temporaryFolder();
  const shop = shopOf();
  const add = async (name: string, ...flags: readonly string[]): Promise<string> =>
    (await runUgc(['keys', 'add', name, ...flags, `--data-dir=${dataDir}`])).stdout.trim();
  const admin = isClosed ? await add('looker', '--kind=secret', '--scopes=admin') : '';
  const keys = new Map<Way, string>();
  if (isClosed)
    for (const way of ways)
      keys.set(
        way,
        await add(way, ...(way === 'SDK' ? ['--kind=public', `--origins=${shop.origin}`] : ['--kind=secret'])),
      );
  const open = ['--auth=none', `--cors-origins=${shop.origin}`];
  const ugc = await startUgc({ dataDir, flags: ['--request-log=false', ...(isClosed ? ['--auth=keys'] : open)] });
  const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });

  const shown = await shownSnippets(browser, { url: ugc.url, key: admin, isWanted });
  const asked = await fetch(`${ugc.url}/v1/console/types`, { headers: { authorization: `Bearer ${admin}` } });
  const types = ((await asked.json()) as ConsoleTypes).types.filter(({ type }) => isWanted(type));
  expect([...shown.keys()]).toEqual(types.map(({ type }) => type));

  const runs = runners(browser, shop);
  for (const way of ways)
    await runs[way]([...shown.values()].map(each => each[way].replace(/ugc_[sp]k_…/g, keys.get(way) ?? '')));
  const all = types.flatMap(({ type }) =>
    isClosed ? ways.map(way => [`${type} by ${way}`, 1]) : [[`${type} by `, ways.length]],
  );
  const count = async () => Object.values(await rowsOf(ugc, types)).reduce((sum, rows) => sum + rows, 0);
  await eventually(async () => (await count()) >= types.length * ways.length, { what: 'a row for each' });
  await drained(ugc);
  expect(await rowsOf(ugc, types)).toEqual(Object.fromEntries(all));
  await browser.close();
  await shop.close();
  expect(await ugc.stop()).toBe(0);
}

describe.skipIf(executablePath === null)(
  'run as it stands, each snippet is one row, and all of a type say the same',
  () => {
    beforeAll(() => run([process.execPath, 'run', join(root, '.ci/sdk-package.ts')], root), 60_000);

    test(
      'of every event type, with the key in its place',
      () => runAll({ isClosed: true, isWanted: () => true }),
      300_000,
    );

    test(
      'where nobody is asked for a key',
      () => runAll({ isClosed: false, isWanted: type => type === 'click' }),
      120_000,
    );
  },
);
