// Two processes over one PostgreSQL, on the compiled binary: one of them publishes; killed, the other does within moments,
// and what was taken meanwhile is a row.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { metric } from '../support/oracle.ts';
import { isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const isWithout = await isWithoutPostgres('own');
let postgres: TestPostgres;
beforeAll(async () => {
  if (!isWithout) postgres = await startPostgres();
});
afterAll(() => postgres?.stopForGood());

const secret = 'a secret of thirty-two characters';
const token = hmacTokenOf(secret, {
  ...{ sub: 'ann', aud: 'ugc', azp: 'site', exp: Math.floor(Date.now() / 1_000) + 3_600 },
  scope: 'content:write',
});

async function like(ugc: Ugc, film: string): Promise<void> {
  const response = await fetch(`${ugc.url}/v1/films/${film}/like`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"value":1}',
  });
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
}

const leads = async (ugc: Ugc): Promise<boolean> => (await metric(ugc.url, 'ugc_content_relay_leader')) === 1;
const relayed = (ugc: Ugc): Promise<number> => metric(ugc.url, 'ugc_content_relayed_total');
const liked = (ugc: Ugc) => ugc.query('SELECT film_id, source FROM ugc.film_liked ORDER BY film_id');

test.skipIf(isWithout)(
  'one of two publishes; when it is killed the other does',
  async () => {
    const url = await postgres.freshDatabase();
    const start = () =>
      startUgc({
        dataDir: temporaryFolder(),
        env: { UGC_JWT_SECRET: secret, UGC_JWT_AUDIENCE: 'ugc', UGC_DATABASE_URL: url },
        flags: ['--auth=jwt'],
      });
    const first = await start();
    await eventually(() => leads(first), { what: 'the first leads' });
    const second = await start();
    await like(second, 'film-1');
    await like(first, 'film-2');
    await eventually(async () => (await relayed(first)) === 2, { what: 'both are published by the first' });
    expect(await leads(second)).toBe(false);
    expect(await relayed(second)).toBe(0);
    first.kill('SIGKILL');
    await first.exited;
    await like(second, 'film-3');
    await eventually(() => leads(second), { what: 'the second leads' });
    await eventually(async () => (await liked(second)).length > 0, { what: 'a row' });
    expect(await liked(second)).toEqual([{ film_id: 'film-3', source: 'ugc:content' }]);

    await postgres.kill();
    await postgres.restart();
    await eventually(() => like(second, 'film-4').then(() => true), { what: 'a like after PostgreSQL was killed' });
    await eventually(async () => (await liked(second)).length === 2, { what: 'its row' });
    expect(await second.stop()).toBe(0);
  },
  240_000,
);
