// The content store and a real Kafka, on the compiled binary: its events go there, the history reads there with a group of
// its own, and neither it nor the tables wait for the other.

import { expect, test } from 'bun:test';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const own = kafkaInTest();

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

const placesIn = async (ugc: Ugc): Promise<[string, number][]> =>
  (await ask(ugc, 'GET', '/v1/me/continue')).films.map((place: { film_id: string; position: number }) => [
    place.film_id,
    place.position,
  ]);

const sumOf = (offsets: readonly number[]): number => offsets.reduce((sum, offset) => sum + Math.max(0, offset), 0);

test('likes are rows by way of Kafka, and the history has a group of its own that goes on where it was', async () => {
  const name = own.newName();
  const dataDir = temporaryFolder();
  const settings = [
    `--kafka-brokers=${own.kafka.brokers.join(',')}`,
    `--topic=${name}.{event_type}`,
    `--kafka-group=${name}`,
  ];
  const start = () =>
    startUgc({ dataDir, env: { UGC_JWT_SECRET: secret, UGC_JWT_AUDIENCE: 'ugc' }, flags: ['--auth=jwt', ...settings] });
  const topic = `${name}.film_closed`;
  const first = await start();
  await ask(first, 'PUT', '/v1/films/film-1/like', { value: 1 });
  await ask(first, 'POST', '/v1/events', closed('film-1', 300));
  await eventually(async () => (await first.query('SELECT 1 FROM ugc.film_liked')).length === 1, { what: 'the like' });
  await eventually(async () => (await placesIn(first)).length === 1, { what: 'the place' });
  for (const group of [name, `${name}-history`])
    await eventually(async () => sumOf(await own.committed(group, topic)) === 1, { what: `the position of ${group}` });
  const balance = await runUgc(['reconcile', '--content', '--json', `--data-dir=${dataDir}`]);
  expect(JSON.parse(balance.stdout)).toMatchObject({ closes: true });
  expect(await first.stop()).toBe(0);

  const second = await start();
  await ask(second, 'POST', '/v1/events', [closed('film-1', 400), closed('film-2', 500)]);
  await eventually(async () => (await placesIn(second)).length === 2, { what: 'both places' });
  expect(new Map(await placesIn(second))).toEqual(
    new Map([
      ['film-1', 400],
      ['film-2', 500],
    ]),
  );
  await eventually(async () => (await second.query('SELECT 1 FROM ugc.film_closed')).length === 3, {
    what: 'the rows',
  });
  await eventually(async () => sumOf(await own.committed(`${name}-history`, topic)) === 3, { what: 'its position' });
  expect(await second.stop()).toBe(0);
}, 240_000);
