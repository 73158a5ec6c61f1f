// The content routes of the compiled binary, over the file of the data folder and over a PostgreSQL.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { askerOf, contentFlags, tokenFor } from '../support/content-client.ts';
import { contentRoutesWork } from '../support/content-routes.ts';
import { isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

describe('in the data folder', () => contentRoutesWork(async () => []));

describe.skipIf(await isWithoutPostgres('own'))('in PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stopForGood());
  const flagsOf = async () => [`--database-url=${await postgres.freshDatabase()}`];

  describe('the same', () => contentRoutesWork(flagsOf));

  test('while it is away content is 503 with Retry-After, events are taken, and it comes back by itself', async () => {
    const flags = [...contentFlags, ...(await flagsOf()), '--request-log=false'];
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
    const anna = askerOf(ugc.url, tokenFor('anna', 'content:write events:write'));
    const like = () => anna('PUT', '/v1/films/one/like');
    expect((await like()).status).toBe(200);
    await postgres.kill();
    const refused = await like();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await anna('GET', '/v1/films/one')).status).toBe(503);
    const event = { event_type: 'bookmark_added', timestamp: new Date().toISOString(), film_id: 'one' };
    expect((await anna('POST', '/v1/events', { body: event })).status).toBe(200);
    const ready = await fetch(`${ugc.url}/healthz/ready`);
    expect({ status: ready.status, body: await ready.json() }).toMatchObject({
      status: 200,
      body: { detail: { content: expect.any(String) } },
    });
    await postgres.restart();
    await eventually(async () => (await like()).status === 200, { what: 'it is back' });
    expect((await anna('GET', '/v1/films/one/like')).body).toMatchObject({ value: 1, likes: 1 });
    expect(await ugc.stop()).toBe(0);
  });
});
