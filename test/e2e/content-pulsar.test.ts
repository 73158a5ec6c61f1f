// The content store and a real Pulsar, on the compiled binary: its events go there, the history reads there by a subscription
// of its own, and neither it nor the tables wait for the other.

import { describe, expect, test } from 'bun:test';
import { isWithoutPulsar } from '../support/pulsar.ts';
import { pulsarInTest } from '../support/pulsar-in-test.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const secret = 'a secret of thirty-two characters';
const token = hmacTokenOf(secret, {
  ...{ sub: 'ann', aud: 'ugc', azp: 'site', exp: Math.floor(Date.now() / 1_000) + 3_600 },
  scope: 'events:write content:read content:write',
});

async function ask(ugc: Ugc, method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${ugc.url}${path}`, { method, headers, ...sent });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

const closed = (film: string, position: number) => ({
  ...{ event_type: 'film_closed', timestamp: new Date().toISOString(), country: 'US', device: 'tv' },
  ...{ video_id: film, duration: 1_000, position, share: position / 1_000 },
});

const placesIn = async (ugc: Ugc): Promise<Map<string, number>> =>
  new Map(
    (await ask(ugc, 'GET', '/v1/me/continue')).films.map((place: { film_id: string; position: number }) => [
      place.film_id,
      place.position,
    ]),
  );

describe.skipIf(await isWithoutPulsar())('content over Pulsar', () => {
  const own = pulsarInTest();

  test('likes are rows by way of Pulsar, and the history has a subscription of its own that goes on where it was', async () => {
    const name = own.newName();
    const dataDir = temporaryFolder();
    const env = { UGC_JWT_SECRET: secret, UGC_JWT_AUDIENCE: 'ugc' };
    const start = (...flags: string[]) =>
      startUgc({ dataDir, env, flags: ['--auth=jwt', ...own.flags(name), ...flags] });
    const topic = `${name}.film`;
    const rows = async (ugc: Ugc): Promise<number> => (await ugc.query('SELECT 1 FROM ugc.film_closed')).length;
    const first = await start();
    await ask(first, 'PUT', '/v1/films/film-1/like', { value: 1 });
    await eventually(async () => (await ask(first, 'POST', '/v1/events', closed('film-1', 300))).stored === 'pulsar', {
      what: 'an event in Pulsar',
    });
    await eventually(async () => (await first.query('SELECT 1 FROM ugc.film_liked')).length === 1, {
      what: 'the like',
    });
    await eventually(async () => (await placesIn(first)).get('film-1') === 300, { what: 'the place' });
    const written = await eventually(() => rows(first), { what: 'the row' });
    for (const subscription of [name, `${name}-history`])
      await eventually(async () => (await own.team.backlog(topic, subscription)) === 0, {
        what: `${subscription} at its end`,
      });
    expect(await first.stop()).toBe(0);

    // What comes while there is no history waits for it, though the tables have it; and the other way round.
    const without = await start('--role=ingest,etl');
    await ask(without, 'POST', '/v1/events', closed('film-2', 500));
    await eventually(async () => (await rows(without)) === written + 1, { what: 'the second row' });
    await eventually(async () => (await own.team.backlog(topic, name)) === 0, { what: 'the tables at the end' });
    expect(await own.team.backlog(topic, `${name}-history`)).toBe(1);
    expect(await without.stop()).toBe(0);

    const alone = await start('--role=ingest,content');
    await ask(alone, 'POST', '/v1/events', closed('film-1', 400));
    await eventually(async () => (await placesIn(alone)).size === 2, { what: 'both places' });
    await eventually(async () => (await placesIn(alone)).get('film-1') === 400, { what: 'the later place' });
    await eventually(async () => (await own.team.backlog(topic, `${name}-history`)) === 0, {
      what: 'the history at its end',
    });
    expect(await own.team.backlog(topic, name)).toBe(1);
    expect(await alone.stop()).toBe(0);

    const last = await start();
    await eventually(async () => (await rows(last)) === written + 2, { what: 'all rows' });
    expect(await placesIn(last)).toEqual(
      new Map([
        ['film-1', 400],
        ['film-2', 500],
      ]),
    );
    expect(await last.stop()).toBe(0);
  });
});
