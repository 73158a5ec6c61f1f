// API keys in the compiled binary: made, used, replaced and revoked beside a running instance, and never printed twice.

import { expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEvent, exampleClick, typeOf } from '../support/events.ts';
import { randomOf } from '../support/random.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('keys');
const event = { ...exampleClick, timestamp: new Date().toISOString() };

function keysIn(dataDir: string) {
  const run = (...args: string[]) => runUgc(['keys', ...args, `--data-dir=${dataDir}`]);
  return {
    run,
    /** The key, alone on stdout. */
    async add(...args: string[]): Promise<string> {
      const { code, stdout } = await run('add', ...args);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^ugc_[ps]k_\w{33}\n$/) });
      return stdout.trim();
    },
  };
}

async function post(ugc: Ugc, key: string | null, body: object = event, query = '') {
  const headers = { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) };
  const response = await fetch(`${ugc.url}/v1/events${query}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.text() };
}
const statusOf = async (...asked: Parameters<typeof post>): Promise<number> => (await post(...asked)).status;

test('a key is made, counts at once, is the source of its events, is replaced and revoked', async () => {
  const dataDir = temporaryFolder();
  const keys = keysIn(dataDir);
  const ugc = await startUgc({ dataDir, flags: ['--auth=keys'] });
  expect(await (await fetch(`${ugc.url}/healthz/ready`)).json()).toMatchObject({
    detail: { keys: expect.stringContaining('nobody may send') },
  });
  expect(await statusOf(ugc, null)).toBe(401);
  const shop = await keys.add('shop', '--origins=https://*.shop.example', '--event-types=click');
  await eventually(async () => (await statusOf(ugc, shop)) === 200, { what: 'the new key counts' });
  expect(await statusOf(ugc, null, event, `?key=${shop}`)).toBe(200);
  let other = clientEvent(random);
  while (typeOf(other) === 'click') other = clientEvent(random);
  expect(await statusOf(ugc, shop, other)).toBe(403);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 2, { what: 'two rows' });
  expect(await ugc.query<{ source: string }>('SELECT DISTINCT source FROM ugc.click')).toEqual([{ source: 'shop' }]);
  expect((await fetch(`${ugc.url}/metrics`)).status).toBe(200); // asks for no key

  const rotated = await keys.run('rotate', 'shop', '--overlap-seconds=0');
  const next = rotated.stdout.trim();
  await eventually(async () => (await statusOf(ugc, next)) === 200, { what: 'its successor counts' });
  expect(await statusOf(ugc, shop)).toBe(401);
  expect((await keys.run('revoke', 'shop')).code).toBe(1); // two have that name: which?
  const listed = (await keys.run('ls', '--json')).stdout;
  const { id } = JSON.parse(listed) as { id: string };
  expect((await keys.run('revoke', id)).code).toBe(0);
  await eventually(async () => (await statusOf(ugc, next)) === 401, { what: 'the revoked key counts no more' });

  const document = await (await fetch(`${ugc.url}/openapi.json`)).text();
  expect(document).toContain('"securitySchemes"');
  const printed = [ugc.output(), document, listed, readFileSync(join(dataDir, 'keys.json'), 'utf8'), rotated.stderr];
  for (const key of [shop, next]) expect(printed.join('\n')).not.toContain(key.slice(7));
  expect(await ugc.stop()).toBe(0);
});

test('many at once make as many keys, or are told to try again; none is lost', async () => {
  const dataDir = temporaryFolder();
  const keys = keysIn(dataDir);
  const made = await Promise.all(Array.from({ length: 8 }, (_, at) => keys.run('add', `team-${at}`)));
  const good = made.filter(({ code }) => code === 0);
  expect(good.length).toBeGreaterThan(0);
  for (const { code, stderr } of made) if (code !== 0) expect(stderr).toContain('is being changed by another command');
  expect((await keys.run('ls', '--json')).stdout.trim().split('\n')).toHaveLength(good.length);
  expect(existsSync(join(dataDir, 'keys.json.lock'))).toBe(false);
});

test('what is wrong is refused in words', async () => {
  const dataDir = temporaryFolder();
  const { run } = keysIn(dataDir);
  const cases: readonly (readonly [string[], number, string])[] = [
    [['add'], 2, 'takes one name'],
    [['add', 'a', '--scopes=admin'], 2, 'a public key stands in web pages'],
    [['add', 'a', '--origins=shop.example'], 2, 'must be like https://shop.example'],
    [['revoke', 'nobody'], 1, 'there is no key nobody'],
    [['rotate'], 2, 'takes one key'],
    [['ls', 'stray'], 2, 'takes no argument'],
  ];
  for (const [args, code, words] of cases)
    expect(await run(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) });
  expect((await run('ls')).stderr).toContain('there are none');
  writeFileSync(join(dataDir, 'keys.json'), '{"keys":[{}]}');
  const refused = await runUgc(['--role=ingest', '--auth=keys', '--port=0', `--data-dir=${dataDir}`]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('keys.json: /keys/0') });
});

test('limits hold for a key and for an address behind a proxy that is trusted, and are counted', async () => {
  const dataDir = temporaryFolder();
  const keys = keysIn(dataDir);
  const slow = await keys.add('slow', '--rate=1');
  const other = await keys.add('other');
  const flags = [
    '--auth=keys',
    '--rate-limit-burst-seconds=60',
    '--rate-limit-address=5',
    '--trusted-proxies=127.0.0.1',
  ];
  const ugc = await startUgc({ dataDir, flags });
  /** How many are taken until one is refused. */
  const takenFrom = async (address: string, key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': `6.6.6.6, ${address}` };
    for (let taken = 0; ; taken++) {
      const body = JSON.stringify({ ...event, event_id: crypto.randomUUID() });
      const { status } = await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body });
      if (status === 429) return taken;
      expect(status).toBe(200);
    }
  };
  const [bySlow, byOther] = [await takenFrom('192.0.2.1', slow), await takenFrom('192.0.2.2', other)];
  expect(bySlow).toBeGreaterThanOrEqual(60);
  expect(byOther).toBeGreaterThanOrEqual(300);
  const metrics = await (await fetch(`${ugc.url}/metrics`)).text();
  expect(metrics).toMatch(/^ugc_rate_limited_total\{limit="caller"\} [1-9]/m);
  expect(metrics).toMatch(/^ugc_rate_limited_total\{limit="address"\} [1-9]/m);
  expect(ugc.output()).toContain('the key \\"slow\\" sends more than it may');
  const rows = () => ugc.query('SELECT 1 FROM ugc.click');
  await eventually(async () => (await rows()).length === bySlow + byOther, { what: 'a row each' });
  expect(await ugc.query('SELECT DISTINCT ip FROM ugc.click ORDER BY ip')).toEqual([
    { ip: '192.0.2.1' },
    { ip: '192.0.2.2' },
  ]);
  expect(await ugc.stop()).toBe(0);
});
