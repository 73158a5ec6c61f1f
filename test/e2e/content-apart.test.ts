// `content` and `ingest` as two processes of one data folder: either can be killed, and the other goes on as if nothing had
// happened; what was changed meanwhile is published once both are there. And what `content` does not start with.

import { expect, test } from 'bun:test';
import { askerOf, contentFlags, tokenFor } from '../support/content-client.ts';
import { exampleClick } from '../support/events.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const flags = [...contentFlags, '--content-history=on', '--request-log=false'];

async function sends(ugc: Ugc): Promise<number> {
  const event = { ...exampleClick, timestamp: new Date().toISOString() };
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${tokenFor('anna', 'events:write')}`,
  };
  return (await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(event) })).status;
}

async function likes(ugc: Ugc, film: string): Promise<number> {
  return (await askerOf(ugc.url, tokenFor('anna'))('PUT', `/v1/films/${film}/like`)).status;
}

test('either is killed, and the other goes on', async () => {
  const dataDir = temporaryFolder();
  const start = (role: string) => startUgc({ dataDir, flags: [...flags, `--role=${role}`] });
  const [content, ingest] = [await start('content'), await start('ingest')];
  expect(await likes(content, 'one')).toBe(200);
  expect(await sends(ingest)).toBe(200);
  expect((await fetch(`${ingest.url}/v1/films/one/like`)).status).toBe(404);
  expect((await fetch(`${content.url}/v1/events`, { method: 'POST', body: '{}' })).status).toBe(404);

  ingest.kill('SIGKILL');
  await ingest.exited;
  expect(await likes(content, 'two')).toBe(200);
  const ingestAgain = await start('ingest');

  content.kill('SIGKILL');
  await content.exited;
  expect(await sends(ingestAgain)).toBe(200);
  const contentAgain = await start('content');
  const read = await askerOf(contentAgain.url, null)('GET', '/v1/films/two');
  expect(read.body).toMatchObject({ likes: 1 });
  expect(await likes(contentAgain, 'three')).toBe(200);

  const etl = await start('etl');
  const rows = () => etl.query('SELECT film_id FROM ugc.film_liked ORDER BY film_id');
  await eventually(async () => (await rows()).length === 3, { what: 'three rows' });
  expect(await rows()).toEqual([{ film_id: 'one' }, { film_id: 'three' }, { film_id: 'two' }]);
  await eventually(async () => (await etl.query('SELECT 1 FROM ugc.click')).length === 2, { what: 'two clicks' });
  for (const ugc of [etl, ingestAgain, contentAgain]) expect(await ugc.stop()).toBe(0);
});

test('alone it does not start where nobody could say who likes; with the others it is left away', async () => {
  const dataDir = temporaryFolder();
  const { code, stderr } = await runUgc(['--role=content', '--auth=none', `--data-dir=${dataDir}`]);
  expect(code).toBe(2);
  expect(stderr).toContain('UGC_ROLE=content needs UGC_AUTH=jwt');
  const all = await startUgc({ dataDir, flags: ['--request-log=false'] });
  expect((await fetch(`${all.url}/v1/films/one`)).status).toBe(404);
  expect(await (await fetch(`${all.url}/openapi.json`)).text()).not.toContain('/v1/films');
  expect(await all.stop()).toBe(0);
});

test('reviews wait for a moderator where the operator wants it', async () => {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [...flags, '--role=content', '--reviews-shown=approved'],
  });
  const anna = askerOf(ugc.url, tokenFor('anna'));
  const nobody = askerOf(ugc.url, null);
  const moderator = askerOf(ugc.url, tokenFor('m', 'content:moderate'));
  const posted = await anna('POST', '/v1/films/one/reviews', { body: { rating: 3, text: 'Short.' } });
  expect(posted).toMatchObject({ status: 201, body: { state: 'pending' } });
  const path = posted.headers.get('location') ?? '';
  expect((await nobody('GET', path)).status).toBe(404);
  expect((await nobody('GET', '/v1/films/one')).body).toMatchObject({ reviews: 0 });
  expect((await moderator('GET', '/v1/reviews')).body).toMatchObject({ reviews: [{ state: 'pending' }], next: null });
  await moderator('PATCH', path, { body: { state: 'approved' } });
  expect((await nobody('GET', path)).status).toBe(200);
  expect((await anna('PATCH', path, { body: { text: 'Too short.' } })).body).toMatchObject({ state: 'pending' });
  expect((await nobody('GET', path)).status).toBe(404);
  expect((await nobody('GET', '/v1/films/one')).body).toMatchObject({ reviews: 0, average_rating: null });
  expect(await ugc.stop()).toBe(0);
});
