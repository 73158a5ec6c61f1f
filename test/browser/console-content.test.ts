// What users of the content API write is text in the console: reviews, films, users and clients, posted through its own routes
// into a PostgreSQL, and looked at in every table their events are in, and in every view.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Browser, chromium } from 'playwright-core';
import { chromiumFor } from '../support/chromium.ts';
import { consolePage, consoleViews } from '../support/console-page.ts';
import { type Answered, askerOf, contentFlags, tokenFor } from '../support/content-client.ts';
import { freshDatabase, isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const executablePath = await chromiumFor('hostile text of the content API');
const isSkipped = executablePath === null || (await isWithoutPostgres());

const hostile = `"><img src=x onerror="window.taken=1"><script>window.taken=1</script>javascript:alert(1)'\u202e`;
const film = encodeURIComponent(hostile);

let postgres: TestPostgres | undefined;
let ugc: Ugc;
let browser: Browser;
let key = '';

beforeAll(async () => {
  if (isSkipped) return;
  const given = process.env.UGC_TEST_DATABASE_URL;
  postgres = given ? undefined : await startPostgres({ isSynced: false });
  const database = await freshDatabase(given ?? postgres!.url);
  const dataDir = temporaryFolder();
  key = (
    await runUgc(['keys', 'add', 'looker', '--kind=secret', '--scopes=admin', `--data-dir=${dataDir}`])
  ).stdout.trim();
  ugc = await startUgc({ dataDir, flags: contentFlags, env: { UGC_DATABASE_URL: database } });
  browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
}, 120_000);
afterAll(async () => {
  if (isSkipped) return;
  await browser.close();
  expect(await ugc.stop()).toBe(0);
  await postgres?.stopForGood();
}, 60_000);

/** All that can be written, by an author and by another user, both named as they are. */
async function writeAll(): Promise<void> {
  const scope = 'content:write content:moderate';
  const [author, other] = [1, 2].map(n => askerOf(ugc.url, tokenFor(`${n}${hostile}`, scope, { azp: hostile })));
  const headers = { 'user-agent': hostile.replace('\u202e', ''), referer: `${ugc.url}/${film}` };
  const done = async (asked: Promise<Answered>): Promise<Answered> => {
    const answer = await asked;
    expect([answer.status < 300, answer.text]).toEqual([true, answer.text]);
    return answer;
  };
  const posted = await done(
    author!('POST', `/v1/films/${film}/reviews`, { body: { rating: 1, text: hostile }, headers }),
  );
  const { id } = posted.body as { readonly id: string };
  await done(author!('PATCH', `/v1/reviews/${id}`, { body: { rating: 2, text: `${hostile} again` }, headers }));
  await done(other!('PUT', `/v1/reviews/${id}/like`, { headers }));
  await done(other!('DELETE', `/v1/reviews/${id}/like`, { headers }));
  await done(other!('PATCH', `/v1/reviews/${id}`, { body: { state: 'spam' }, headers }));
  await done(author!('DELETE', `/v1/reviews/${id}`, { headers }));
  for (const path of ['like', 'bookmark']) {
    await done(author!('PUT', `/v1/films/${film}/${path}`, { headers }));
    await done(author!('DELETE', `/v1/films/${film}/${path}`, { headers }));
  }
  await done(author!('PUT', `/v1/films/${film}/progress`, { body: { position: 1, duration: 2 }, headers }));
  await done(author!('DELETE', `/v1/films/${film}/progress`, { headers }));
  // And what is refused, and told of.
  expect((await author!('POST', `/v1/films/${film}/reviews`, { body: { [hostile]: hostile }, headers })).status).toBe(
    422,
  );
}

const types = [
  ...['review_posted', 'review_edited', 'review_deleted', 'review_moderated', 'review_liked', 'review_unliked'],
  ...['film_liked', 'film_unliked', 'bookmark_added', 'bookmark_removed', 'progress_saved', 'progress_removed'],
];

describe.skipIf(isSkipped)('what is written through the content API', () => {
  test('does nothing in any view, and is there to be read', async () => {
    const { page, complaints, show } = await consolePage(browser, { url: ugc.url });
    await page.goto(ugc.url);
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Your first event' }).waitFor();
    await writeAll();
    for (const type of types) {
      await eventually(async () => (await ugc.query(`SELECT 1 FROM ugc.${type}`)).length === 1, {
        what: `a row: ${type}`,
      });
      await show('query');
      await page.getByLabel(/^SQL/).fill(`SELECT * FROM ugc.${type}`);
      await page.getByRole('button', { name: 'Run' }).click();
      const found = page.getByRole('region', { name: 'What was found' });
      await found.waitFor();
      expect([type, await found.textContent()]).toEqual([type, expect.stringContaining(hostile)]);
    }
    for (const [path] of consoleViews) {
      await show(path);
      for (const summary of (await page.locator('main summary').all()).slice(0, 10)) await summary.click();
    }
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await page.evaluate('window.taken')).toBeUndefined();
    expect(complaints).toEqual([]);
  }, 180_000);
});
