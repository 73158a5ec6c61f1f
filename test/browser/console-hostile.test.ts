// What clients write is text in the console, whatever it is: every text field of every type, names, addresses, user agents and
// what is rejected. And who shows no key, or the wrong one, is asked for it and sees nothing.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Browser, chromium } from 'playwright-core';
import { catalogue } from '../../schemas/catalogue.ts';
import { readInstance } from '../../src/process/instance.ts';
import { chromiumFor } from '../support/chromium.ts';
import { consolePage, consoleViews } from '../support/console-page.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('hostile text in the console');

const hostile = `"><img src=x onerror="window.taken=1"><script>window.taken=1</script>javascript:alert(1)'\u202e`;

let ugc: Ugc;
let dataDir = '';
let key = '';
let browser: Browser;

beforeAll(async () => {
  if (executablePath === null) return;
  dataDir = temporaryFolder();
  const may = ['--kind=secret', '--scopes=admin,events:write'];
  key = (await runUgc(['keys', 'add', 'looker', ...may, `--data-dir=${dataDir}`])).stdout.trim();
  ugc = await startUgc({ dataDir, flags: ['--auth=keys', '--rejections-seconds=1'] });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  if (executablePath === null) return;
  await browser.close();
  expect(await ugc.stop()).toBe(0);
});

/** An event for each text field of each type, that field hostile; and some that are of no type, or of no field. */
function hostileEvents(): readonly Readonly<Record<string, unknown>>[] {
  const timestamp = new Date().toISOString();
  const each = catalogue.types.flatMap(type =>
    type.allFields
      .filter(({ kind }) => kind === 'text')
      .map(({ name }) => ({ ...type.example, timestamp, event_id: Bun.randomUUIDv7(), [name]: hostile })),
  );
  const { example } = catalogue.find('click')!;
  return [
    ...each,
    { ...example, timestamp, properties: { [hostile]: hostile } },
    { ...example, timestamp, [hostile]: 1 },
    { ...example, timestamp, event_type: hostile },
  ];
}

const send = (events: unknown) =>
  fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'user-agent': hostile.replace('\u202e', ''),
      referer: `${ugc.url}/${encodeURIComponent(hostile)}`,
    },
    body: JSON.stringify(events),
  });

/** As an etl process leaves them, at first/0/1 and on: one that can be stored by now, and one that never can. */
async function writeDeadLetters(): Promise<void> {
  const event = { ...catalogue.find('click')!.example, timestamp: new Date().toISOString(), element: hostile };
  const raws = [JSON.stringify(event), `{"a":"${hostile.replaceAll('"', '')}`];
  const { clickhouseKey } = await eventually(() => readInstance(dataDir), { what: 'the instance’s note' });
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const values = raws.map(
    (raw, at) => `('first', 0, ${at + 1}, 0, 'invalid', ${quoted(hostile)}, ${quoted(raw)}, now64(), now64())`,
  );
  const answer = await fetch(ugc.clickhouseUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`ugc:${clickhouseKey}`)}` },
    body: `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ${values.join(',')}`,
  });
  expect({ ok: answer.ok, said: await answer.text() }).toEqual({ ok: true, said: '' });
}

test.skipIf(executablePath === null)(
  'a key is asked for; a wrong one shows nothing, the right one all; hostile text does nothing in any view',
  async () => {
    const { page, complaints, show } = await consolePage(browser, { url: ugc.url });
    await page.goto(ugc.url);
    await page.getByLabel('Key', { exact: true }).fill('ugc_sk_wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This key does not open the console').waitFor();
    expect(await page.locator('.part').count()).toBe(0);
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Your first event' }).waitFor();

    await show('live');
    await page.getByText('Waiting for events').waitFor();
    const answer = (await (await send(hostileEvents())).json()) as { accepted: number; rejected: number };
    expect(answer.accepted).toBeGreaterThan(20);
    expect(answer.rejected).toBeGreaterThan(0);
    await page.locator('.list tbody tr').nth(5).waitFor();
    for (const outcome of ['accepted', 'rejected']) {
      await page.locator('.list tbody tr').filter({ hasText: outcome }).first().getByRole('button').click();
      await page.getByRole('dialog').getByText('Asking…').waitFor({ state: 'hidden' });
      await page.keyboard.press('Escape');
    }
    await show('rejected');
    await eventually(async () => {
      await page.getByRole('button', { name: 'Ask again' }).click();
      return (await page.locator('.groups > li').count()) > 0;
    });
    for (const [path] of consoleViews) {
      await show(path);
      for (const summary of (await page.locator('main summary').all()).slice(0, 10)) await summary.click();
    }
    await writeDeadLetters();
    await show('dead');
    expect(await page.getByRole('button', { name: 'Replay 0' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Choose all 2' }).click();
    await page.getByRole('button', { name: 'Replay 2' }).click();
    await page.getByText('first/0/2 stays:').waitFor();
    await page.getByRole('checkbox').nth(0).waitFor();
    await page.getByRole('checkbox', { name: 'first/0/2' }).check();
    expect(await page.getByRole('button', { name: 'Dismiss 1' }).isDisabled()).toBe(true);
    await page.getByLabel('Why dismiss').fill(hostile);
    await page.getByRole('button', { name: 'Dismiss 1' }).click();
    await page.getByText('There are none.').waitFor();
    await show('query');
    await page.getByLabel(/^SQL/).fill('SELECT * FROM ugc.page_view UNION ALL SELECT * FROM ugc.page_view');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('region', { name: 'What was found' }).waitFor();
    expect(await page.textContent('main')).toContain('onerror');
    await page.goto(`${ugc.url}/#/catalogue/${encodeURIComponent(hostile)}`);
    await page.goto(`${ugc.url}/#/send/%`);
    await page.getByRole('heading', { level: 1, name: 'Send a test event' }).waitFor();
    expect(await page.evaluate('window.taken')).toBeUndefined();
    expect(complaints).toEqual([]);
  },
  120_000,
);
