// What flows between the content store and the log, on the compiled binary: a change becomes a row, what a player sends
// becomes a place to go on at, both can be made again or proven, and neither ClickHouse nor a broker need be there.

import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { metric } from '../support/oracle.ts';
import { readStream } from '../support/stream-reader.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const secret = 'a secret of thirty-two characters';
const env = { UGC_JWT_SECRET: secret, UGC_JWT_AUDIENCE: 'ugc' };
const auth = ['--auth=jwt'];
const tokenOf = (sub: string): string =>
  hmacTokenOf(secret, {
    ...{ sub, aud: 'ugc', azp: 'site', exp: Math.floor(Date.now() / 1_000) + 3_600 },
    scope: 'events:write content:read content:write',
  });

async function ask(ugc: Ugc, method: string, path: string, body?: unknown, user = 'ann') {
  const response = await fetch(`${ugc.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokenOf(user)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

const like = (ugc: Ugc, film: string, value: number, user?: string) =>
  ask(ugc, 'PUT', `/v1/films/${film}/like`, { value }, user);

const film = (type: string, secondsAgo: number, own: Readonly<Record<string, unknown>>) => ({
  ...{ event_type: type, timestamp: new Date(Date.now() - secondsAgo * 1_000).toISOString(), country: 'US' },
  ...{ device: 'tv', video_id: 'film-1', duration: 1_000, ...own },
});

const played = (ugc: Ugc) =>
  ask(ugc, 'POST', '/v1/events', [
    film('film_opened', 30, { position: 0 }),
    film('film_progress', 20, { position: 200, share: 0.2 }),
    film('film_closed', 10, { position: 310.5, share: 0.3105 }),
    film('film_watched', 5, { video_id: 'film-2' }),
  ]);

interface Places {
  readonly films: readonly { readonly film_id: string; readonly position: number }[];
}
const placesIn = async (ugc: Ugc, what: 'continue' | 'history') =>
  ((await ask(ugc, 'GET', `/v1/me/${what}`)) as Places).films.map(({ film_id, position }) => [film_id, position]);

const hasPlaces = (ugc: Ugc) =>
  eventually(async () => (await placesIn(ugc, 'history')).length === 2, { what: 'two films in the history' });

async function run(dataDir: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runUgc([...args, '--json', `--data-dir=${dataDir}`]);
  return { code, stderr, ...JSON.parse(stdout || '{}') };
}

test('a change is a row of its own source, and what differs between database and tables is named', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, env, flags: [...auth, '--clickhouse-http-readonly=false'] });
  await like(ugc, 'film-1', 1);
  await like(ugc, 'film-1', -1);
  await like(ugc, 'film-1', 1, 'bob');
  await ask(ugc, 'PUT', '/v1/films/film-1/bookmark');
  await ask(ugc, 'POST', '/v1/films/film-1/reviews', { rating: 7, text: '<script>alert(1)</script> \u202e' });
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.film_liked')).length === 3, { what: 'three rows' });
  const rows = await ugc.query(
    `SELECT user_id, film_id, value, revision, source, timestamp = received_at AS isOurTime
     FROM ugc.film_liked ORDER BY user_id, revision`,
  );
  expect(rows).toEqual([
    { user_id: 'ann', film_id: 'film-1', value: 1, revision: 1, source: 'ugc:content', isOurTime: 1 },
    { user_id: 'ann', film_id: 'film-1', value: -1, revision: 2, source: 'ugc:content', isOurTime: 1 },
    { user_id: 'bob', film_id: 'film-1', value: 1, revision: 1, source: 'ugc:content', isOurTime: 1 },
  ]);
  // Somebody who sends the same as an event has said nothing of the database.
  await ask(ugc, 'POST', '/v1/events', {
    ...{ event_type: 'film_unliked', timestamp: new Date().toISOString(), film_id: 'film-1', revision: 99 },
  });
  const whole = await run(dataDir, 'reconcile', '--content');
  expect(whole).toMatchObject({ code: 0, closes: true, differences: [], outbox: 0 });
  expect(whole.kinds.map(({ kind, database }: { kind: string; database: number }) => [kind, database])).toEqual([
    ['likes', 2],
    ['bookmarks', 1],
    ['reviews', 1],
  ]);
  expect(await metric(ugc.url, 'ugc_content_relay_leader')).toBe(1);
  expect(await metric(ugc.url, 'ugc_content_outbox_events')).toBe(0);
  expect(await metric(ugc.url, 'ugc_content_relayed_total{event_type="film_liked"}')).toBe(3);

  const database = new Database(join(dataDir, 'content.sqlite'));
  database.run("UPDATE likes SET vote = 1 WHERE user_id = 'ann'");
  database.close();
  const named = await run(dataDir, 'reconcile', '--content', '--wait-seconds=0');
  expect(named).toMatchObject({
    code: 1,
    closes: false,
    differences: [
      {
        ...{ kind: 'likes', word: 'other', user_id: 'ann', film_id: 'film-1' },
        ...{ database: { value: 1, revision: 2 }, tables: { value: -1, revision: 2 } },
      },
    ],
  });
  expect(await ugc.stop()).toBe(0);
  const { code, stdout } = await runUgc(['reconcile', '--content', '--wait-seconds=0', `--data-dir=${dataDir}`]);
  expect(code).toBe(1);
  expect(stdout).toContain('Database and tables do not agree.');
}, 240_000);

test('a player that only sends events gives a place to go on at; a store that was lost has it again', async () => {
  const dataDir = temporaryFolder();
  const first = await startUgc({ dataDir, env, flags: auth });
  await played(first);
  await hasPlaces(first);
  expect(await placesIn(first, 'continue')).toEqual([['film-1', 310.5]]);
  expect(await placesIn(first, 'history')).toEqual([
    ['film-2', 1_000],
    ['film-1', 310.5],
  ]);
  await ask(first, 'DELETE', '/v1/films/film-2/progress');
  await eventually(async () => (await first.query('SELECT 1 FROM ugc.progress_removed')).length === 1);
  await eventually(async () => (await first.query('SELECT 1 FROM ugc.film_closed')).length === 1);
  expect(await first.stop()).toBe(0);

  for (const name of readdirSync(dataDir)) if (name.startsWith('content.sqlite')) rmSync(join(dataDir, name));
  const second = await startUgc({ dataDir, env, flags: auth });
  expect(await placesIn(second, 'history')).toEqual([]);
  expect(await run(dataDir, 'content', 'rebuild')).toMatchObject({ code: 0, merged: 1 });
  expect(await run(dataDir, 'content', 'rebuild', '--user-id=ann')).toMatchObject({ code: 0, merged: 1 });
  expect(await run(dataDir, 'content', 'rebuild', '--user-id=bob')).toMatchObject({ code: 0, merged: 0 });
  expect(await placesIn(second, 'history')).toEqual([['film-1', 310.5]]);
  expect(await second.stop()).toBe(0);
}, 240_000);

test('who watches is shown what the store publishes, by the process that publishes it', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, env, flags: [...auth, '--role=content', '--content-history=off'] });
  const admin = { ...{ sub: 'ops', aud: 'ugc', exp: Math.floor(Date.now() / 1_000) + 3_600 }, scope: 'admin' };
  const headers = { authorization: `Bearer ${hmacTokenOf(secret, admin)}` };
  await like(ugc, 'film-1', 1); // nobody watches yet
  await eventually(async () => (await metric(ugc.url, 'ugc_content_relayed_total')) === 1, { what: 'it is published' });
  const [all, ofBob] = await Promise.all(
    ['?kinds=events', '?kinds=events&user=bob'].map(query => readStream(ugc.url, query, headers)),
  );
  await like(ugc, 'film-1', -1);
  await like(ugc, 'film-2', 1, 'bob');
  await eventually(() => all!.events().length === 2 && ofBob!.events().length === 1, { what: 'both, and the one' });
  expect(all!.events().map(({ event, data }) => [event, data.type, data.user, data.body])).toEqual([
    ['event', 'film_liked', 'ann', expect.objectContaining({ film_id: 'film-1', value: -1, revision: 2 })],
    ['event', 'film_liked', 'bob', expect.objectContaining({ film_id: 'film-2', value: 1 })],
  ]);
  expect(ofBob!.events()[0]!.data).toMatchObject({ outcome: 'accepted', source: 'ugc:content', stored: 'disk' });
  expect(await ugc.stop()).toBe(0);
  await Promise.all([all!.over, ofBob!.over]);
}, 120_000);

test('commands say where there is no store', async () => {
  const dataDir = temporaryFolder();
  for (const args of [
    ['content', 'rebuild'],
    ['reconcile', '--content'],
  ]) {
    const { code, stderr } = await run(dataDir, ...args);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no content store: UGC_DATABASE_URL');
  }
  expect(readdirSync(dataDir)).toEqual([]);
});

for (const [what, flags] of [
  ['ClickHouse', ['--clickhouse-url=http://127.0.0.1:1']],
  ['Kafka', ['--kafka-brokers=127.0.0.1:1', '--clickhouse-url=http://127.0.0.1:1']],
] as const)
  test(`without ${what} likes are taken, and their events wait in the log`, async () => {
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, env, flags: [...auth, ...flags] });
    await like(ugc, 'film-1', 1);
    expect(await ask(ugc, 'GET', '/v1/films/film-1')).toMatchObject({ likes: 1 });
    await eventually(async () => (await metric(ugc.url, 'ugc_content_relayed_total{event_type="film_liked"}')) === 1, {
      what: 'the event is in the log',
    });
    await played(ugc);
    await ask(ugc, 'PUT', '/v1/films/film-1/progress', { position: 400, duration: 1_000 });
    expect(await placesIn(ugc, 'continue')).toContainEqual(['film-1', 400]);
    // Without a broker the disk is the log, which the history reads whatever becomes of the tables.
    if (what === 'ClickHouse') await hasPlaces(ugc);
    expect(await ugc.stop()).toBe(0);
    if (what === 'Kafka') return;
    const back = await startUgc({ dataDir, env, flags: auth });
    await eventually(async () => (await back.query('SELECT 1 FROM ugc.film_liked')).length === 1, { what: 'a row' });
    expect(await run(dataDir, 'reconcile', '--content')).toMatchObject({ code: 0, closes: true });
    expect(await back.stop()).toBe(0);
  }, 240_000);
