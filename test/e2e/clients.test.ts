// What is known of clients, through the compiled binary: derived from headers and address, kept or not, and whose events are
// not wanted.

import { expect, test } from 'bun:test';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mmdb } from '../support/mmdb.ts';
import { drained, metric } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';
const bot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: object;
}

/** A click that says neither country nor device. */
async function send(ugc: Ugc, { headers = {}, more = {} }: Sent = {}) {
  const id = crypto.randomUUID();
  const event = { event_type: 'click', event_id: id, timestamp: new Date().toISOString(), user_id: 'u1' };
  const response = await fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    headers: { 'user-agent': phone, 'x-forwarded-for': '192.0.2.77', ...headers },
    body: JSON.stringify({ ...event, element: 'play', page_url: 'https://example.com/', ...more }),
  });
  const said = (await response.json()) as Record<string, unknown>;
  return { id, status: response.status, said };
}

async function rowOf(ugc: Ugc, id: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await ugc.query(`SELECT * FROM ugc.click WHERE event_id = '${id}'`);
  return row && { ...row, properties: JSON.parse(String(row.properties)) };
}

/** The row of a click, as soon as it is there. */
async function stored(ugc: Ugc, sent?: Sent): Promise<Record<string, unknown>> {
  const { id, said } = await send(ugc, sent);
  expect(said).toMatchObject({ event_id: id, outcome: 'accepted' });
  return eventually(async () => (await rowOf(ugc, id)) ?? false, { what: 'the row' });
}

const countriesOf = (country: string) => mmdb({ '192.0.2.0/24': { country: { iso_code: country } } });

const edge = { browser: 'Safari', browser_version: '17', os: 'iOS' };

test('a row tells device, country and browser of who sent, and no more of the address than is wanted', async () => {
  const dataDir = temporaryFolder();
  const path = join(dataDir, 'countries.mmdb');
  writeFileSync(path, countriesOf('DE'));
  const flags = ['--trusted-proxies=127.0.0.1', '--user-agent-parse', `--geoip-path=${path}`, '--ip=truncate'];
  const ugc = await startUgc({ dataDir, flags: [...flags, '--bots=mark', '--own-header=x-staff'] });
  const derived = { country: 'DE', device: 'mobile', ip: '192.0.2.0', user_agent: phone, user_id: 'u1' };
  expect(await stored(ugc)).toMatchObject({ ...derived, properties: { edge } });
  const own = { country: 'US', device: 'kiosk', properties: { a: 1, edge: 'left' } };
  expect(await stored(ugc, { more: own })).toMatchObject({ ...derived, ...own });
  const marked = await stored(ugc, {
    headers: { 'user-agent': bot, 'x-staff': '', 'x-forwarded-for': '2001:db8:1:2::3' },
    more: { properties: { a: 1 } },
  });
  expect(marked).toMatchObject({ country: '', device: '', ip: '2001:db8:1::' });
  expect(marked.properties).toMatchObject({ a: 1, edge: { bot: true, own: true } });

  const os = "JSONExtractString(properties, 'edge', 'os')";
  const people = "NOT JSONExtractBool(properties, 'edge', 'bot')";
  expect(
    await ugc.query(`SELECT ${os} AS os, count() AS n FROM ugc.click WHERE ${people} GROUP BY os ORDER BY os`),
  ).toEqual([
    { os: '', n: 1 },
    { os: 'iOS', n: 1 },
  ]);
  const countryNow = async (): Promise<unknown> => (await stored(ugc)).country;
  writeFileSync(`${path}.new`, countriesOf('FR'));
  renameSync(`${path}.new`, path);
  await eventually(async () => (await countryNow()) === 'FR', { what: 'the new file counts' });
  writeFileSync(path, countriesOf('IT').subarray(0, 100));
  await eventually(async () => {
    const { detail } = (await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: Record<string, string> };
    return detail.geoip?.includes('is no MaxMind file');
  });
  expect(await countryNow()).toBe('FR');
  await eventually(() => ugc.output().includes('"client.address":"192.0.2.0"'), { what: 'a request line' });
  expect(ugc.output()).not.toContain('192.0.2.77');
  expect(await ugc.stop()).toBe(0);
});

test('bots, own traffic and who asks not to be tracked are answered with success and stored as was said', async () => {
  const dataDir = temporaryFolder();
  const flags = [
    '--bots=drop',
    '--own-cookie=staff',
    '--own-traffic=drop',
    '--privacy-signals=drop-identity',
    '--ledger',
  ];
  const ugc = await startUgc({ dataDir, flags });
  const more = { country: 'US', device: 'mobile' };
  const dropped = [
    await send(ugc, { headers: { 'user-agent': bot }, more }),
    await send(ugc, { headers: { cookie: 'a=b; staff=1' }, more }),
  ];
  expect(dropped.map(({ status, said }): object => ({ status, ...said }))).toEqual([
    { status: 200, event_id: dropped[0]!.id, outcome: 'dropped', rule: 'bot-traffic' },
    { status: 200, event_id: dropped[1]!.id, outcome: 'dropped', rule: 'own-traffic' },
  ]);
  const receipt = await fetch(`${ugc.url}/v1/receipts/${dropped[0]!.id}`);
  expect(await receipt.json()).toMatchObject({ state: 'dropped' });
  const wrong = await send(ugc, { headers: { 'user-agent': bot } });
  expect([wrong.status, wrong.said.reason]).toEqual([422, 'invalid']);
  const nobody = await stored(ugc, { headers: { 'sec-gpc': '1' }, more: { ...more, anonymous_id: 'a1' } });
  expect(nobody).toMatchObject({ user_id: null, anonymous_id: null, ip: '', user_agent: '', person: null, ...more });
  expect(nobody.properties).toEqual({ edge: { privacy: 'gpc' } });
  const somebody = await stored(ugc, { more });
  expect(somebody).toMatchObject({ user_id: 'u1', ip: '127.0.0.1', user_agent: phone, properties: {} });
  const pixel = `${ugc.url}/v1/pixel.gif?event_type=custom&name=a&user_id=u1&country=US&device=mobile`;
  const image = await fetch(pixel, { headers: { 'user-agent': bot } });
  expect([image.status, image.headers.get('x-ugc-outcome')]).toEqual([200, 'dropped']);
  const track = { event: 'Odd', type: 'track', userId: 'u1', timestamp: new Date().toISOString() };
  const segment = await fetch(`${ugc.url}/v1/track`, {
    method: 'POST',
    headers: { 'user-agent': bot },
    body: JSON.stringify(track),
  });
  expect([segment.status, await metric(ugc.url, 'ugc_ruled_total')]).toEqual([200, 4]);
  await drained(ugc);
  expect(await ugc.query('SELECT count() AS n FROM ugc.events')).toEqual([{ n: 2 }]);
  expect(await ugc.stop()).toBe(0);
  const quiet = await startUgc({ dataDir });
  await drained(quiet);
  expect(await quiet.stop()).toBe(0);
  const soon = `--to=${new Date(Date.now() + 120_000).toISOString()}`;
  const balance = await runUgc(['reconcile', '--json', soon, `--data-dir=${dataDir}`]);
  expect([balance.code, JSON.parse(balance.stdout)]).toMatchObject([0, { closes: true }]);
});

test('a secret key sends for others: nothing is told by where a server is and what it runs', async () => {
  const dataDir = temporaryFolder();
  const keyOf = async (kind: string): Promise<string> =>
    (await runUgc(['keys', 'add', kind, `--kind=${kind}`, `--data-dir=${dataDir}`])).stdout.trim();
  const [secret, open] = [await keyOf('secret'), await keyOf('public')];
  const ugc = await startUgc({ dataDir, flags: ['--auth=keys', '--user-agent-parse', '--bots=drop'] });
  const by = (key: string, more: object) =>
    send(ugc, { headers: { 'user-agent': 'curl/8.5.0', authorization: `Bearer ${key}` }, more });
  const said = { country: 'US', device: 'mobile' };
  expect((await by(open, said)).said).toMatchObject({ outcome: 'dropped', rule: 'bot-traffic' });
  expect((await by(secret, { country: 'US' })).status).toBe(422); // a server says the device itself
  const { id } = await by(secret, said);
  const row = await eventually(async () => (await rowOf(ugc, id)) ?? false, { what: 'the row' });
  expect(row).toMatchObject({ ...said, properties: {} });
  expect(await ugc.stop()).toBe(0);
});

test('a file of countries that is not there, or is none, is no start', async () => {
  const dataDir = temporaryFolder();
  const path = join(dataDir, 'countries.mmdb');
  for (const words of ['ENOENT', 'is no MaxMind file']) {
    const flags = [`--data-dir=${dataDir}`, '--port=0', '--role=ingest', `--geoip-path=${path}`];
    const { code, stderr } = await runUgc(flags);
    expect([code, stderr]).toEqual([1, expect.stringContaining('UGC_GEOIP_PATH: ')]);
    expect(stderr).toContain(words);
    writeFileSync(path, 'countries');
  }
  rmSync(path);
});
