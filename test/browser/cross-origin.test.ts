// A page of another origin in a real browser: one that may sends in every way there is and reads the answers; one that may not
// is told so, and nothing of it is stored.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { exampleClick } from '../support/events.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('pages of another origin in a browser');

let ugc: Ugc;
let key = '';
let browser: Browser;
const site = Bun.serve({
  port: 0,
  hostname: '0.0.0.0',
  fetch: () => new Response('<!doctype html><title>a shop</title>', { headers: { 'content-type': 'text/html' } }),
});
/** Two origins of the same site: one the key names, and one nobody does. */
const [shop, stranger] = [`http://127.0.0.1:${site.port}`, `http://localhost:${site.port}`];

beforeAll(async () => {
  if (executablePath === null) return;
  const dataDir = temporaryFolder();
  key = (await runUgc(['keys', 'add', 'shop', `--origins=${shop}`, `--data-dir=${dataDir}`])).stdout.trim();
  ugc = await startUgc({ dataDir, flags: ['--auth=keys'] });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  await site.stop(true);
  if (executablePath === null) return;
  await browser.close();
  expect(await ugc.stop()).toBe(0);
});

interface Sent {
  readonly how: string;
  readonly id: string;
  /** What the page was told. */
  readonly told: string;
}

interface Sending {
  readonly path: string;
  readonly key: string;
  readonly event: Readonly<Record<string, unknown>>;
}

/** In the page: each way to send, one event each. */
async function sendInEveryWay({ path, key: shown, event }: Sending): Promise<Sent[]> {
  const withKey = `${path}?key=${shown}`;
  const json = { 'content-type': 'application/json', authorization: `Bearer ${shown}` };
  const { sendBeacon } = Navigator.prototype as unknown as { sendBeacon(url: string, body: string): boolean };
  const post = (to: string, body: string, more: RequestInit = {}) =>
    fetch(to, { method: 'POST', body, ...more }).then(
      async answer => `${answer.status} ${((await answer.json()) as { event_id: string }).event_id}`,
      error => String(error),
    );
  const ways: Record<string, (body: string) => Promise<string>> = {
    'fetch of text': body => post(withKey, body),
    'fetch of JSON, asked before': body => post(path, body, { headers: json }),
    'fetch with keepalive': body => post(withKey, body, { keepalive: true }),
    beacon: async body => String(sendBeacon.call(navigator, withKey, body)),
  };
  const sent: Sent[] = [];
  for (const [how, send] of Object.entries(ways)) {
    const id = crypto.randomUUID();
    sent.push({ how, id, told: await send(JSON.stringify({ ...event, event_id: id })) });
  }
  return sent;
}

async function sentFrom(origin: string): Promise<{ page: Page; sent: Sent[] }> {
  const page = await browser.newPage();
  await page.goto(origin);
  const event = { ...exampleClick, timestamp: new Date().toISOString() };
  // A secure context has randomUUID; a page of 127.0.0.1 and of localhost is one.
  return { page, sent: await page.evaluate(sendInEveryWay, { path: `${ugc.url}/v1/events`, key, event }) };
}

const stored = async (): Promise<string[]> =>
  (await ugc.query<{ event_id: string }>('SELECT event_id FROM ugc.click')).map(({ event_id }) => event_id).sort();

const refusals = async (): Promise<number> =>
  [
    ...(await (await fetch(`${ugc.url}/metrics`)).text()).matchAll(
      /^ugc_http_request_seconds_count\{.*status="403".*\} (\d+)/gm,
    ),
  ]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);

test.skipIf(executablePath === null)(
  'sends in every way and reads the answers where a key names its origin; else nothing of it is stored',
  async () => {
    const refused = await sentFrom(stranger);
    expect(refused.sent.map(({ how, told }) => [how, told])).toEqual([
      ['fetch of text', 'TypeError: Failed to fetch'],
      ['fetch of JSON, asked before', 'TypeError: Failed to fetch'],
      ['fetch with keepalive', 'TypeError: Failed to fetch'],
      ['beacon', 'true'], // queued; a beacon is told nothing more
    ]);
    const { page, sent } = await sentFrom(shop);
    for (const { how, id, told } of sent) expect([how, told]).toEqual([how, how === 'beacon' ? 'true' : `200 ${id}`]);
    await eventually(async () => (await refusals()) === 4, { what: 'each of the stranger’s refused' });
    await Promise.all([page.close(), refused.page.close()]);
    await eventually(async () => (await stored()).length >= sent.length, { what: 'a row for each' });
    expect(await stored()).toEqual(sent.map(({ id }) => id).sort());
  },
  120_000,
);
