// Keys from their file to who may: what is read, noticed, refused, and in which words.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { admitBy } from '../../../../src/door/admit.ts';
import { byKey } from '../../../../src/door/keys/by-key.ts';
import { hashOf, newKey } from '../../../../src/door/keys/key.ts';
import { type Keyring, openKeyring } from '../../../../src/door/keys/keyring.ts';
import { parseKeys, readKeys, type StoredKey, writeKeys } from '../../../../src/door/keys/keys-file.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import { anybody } from '../../../../src/http/route.ts';
import { quietLogger } from '../../../support/quiet.ts';
import { temporaryFolder } from '../../../support/ugc.ts';
import { until } from '../../../support/until.ts';

let path: string;
let nowMs: number;
const opened: Keyring[] = [];
beforeEach(() => {
  path = join(temporaryFolder(), 'keys.json');
  nowMs = Date.parse('2026-11-28T12:00:00Z');
});
afterEach(() => {
  for (const keyring of opened.splice(0)) keyring.close();
});

const [web, server] = [newKey('public'), newKey('secret')];
const stored = (text: string, more: Partial<StoredKey> = {}): StoredKey => ({
  id: hashOf(text).slice(0, 8),
  name: 'web',
  kind: text.startsWith('ugc_pk_') ? 'public' : 'secret',
  sha256: hashOf(text),
  scopes: ['events:write'],
  created_at: '2026-11-28T00:00:00Z',
  ...more,
});

function open(...keys: StoredKey[]): Keyring {
  if (keys.length > 0) writeKeys(path, keys);
  const keyring = openKeyring({ path, logger: quietLogger, now: () => nowMs });
  opened.push(keyring);
  return keyring;
}

describe('the file', () => {
  test('is read as it was written, is its owner’s alone, and holds no key', () => {
    const keys = [stored(web, { origins: ['https://shop.example'] }), stored(server, { name: 'back end' })];
    writeKeys(path, keys);
    expect(readKeys(path)).toEqual(keys);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const key of [web, server]) expect(readFileSync(path, 'utf8')).not.toContain(key);
  });

  test('that is not there has no keys', () => {
    expect(readKeys(path)).toEqual([]);
  });

  test.each([
    ['', 'is not JSON'],
    ['[]', 'the file'],
    ['{"keys":{}}', '/keys'],
    [JSON.stringify({ keys: [{ ...stored(web), sha256: web }] }), '/keys/0/sha256'],
    [JSON.stringify({ keys: [{ ...stored(web), scope: 'all' }] }), '/keys/0'],
    [JSON.stringify({ keys: [stored(web), stored(web)] }), 'stands there twice'],
    [JSON.stringify({ keys: [stored(web, { name: 'ugc:content' })] }), 'what ugc itself writes'],
    [JSON.stringify({ keys: [stored(web, { scopes: ['admin'] })] }), 'a public key stands in web pages'],
    [JSON.stringify({ keys: [stored(web, { origins: ['shop.example'] })] }), '/keys/0: an origin must be like'],
  ])('%# is refused, and says where', (text, words) => {
    expect(() => parseKeys(text, 'keys.json')).toThrow(words);
  });

  test('that is wrong keeps a process from starting', () => {
    writeFileSync(path, '{');
    expect(() => openKeyring({ path, logger: quietLogger })).toThrow('is not JSON');
  });
});

describe('a key', () => {
  test('that was added or revoked is so within a second, and nothing else changes', async () => {
    const keyring = open(stored(web));
    expect(keyring.find(server)).toBe('it is not known here');
    writeKeys(path, [stored(web), stored(server)]);
    await until(() => typeof keyring.find(server) !== 'string', 'the new key counts');
    expect(keyring.find(web)).toMatchObject({ name: 'web' });
    writeKeys(path, [stored(web), stored(server, { revoked_at: '2026-11-28T11:00:00Z' })]);
    await until(() => typeof keyring.find(server) === 'string', 'the revoked key counts no more');
    expect(keyring.find(server)).toBe('it was revoked at 2026-11-28T11:00:00Z');
  });

  test('counts until it expires', () => {
    const keyring = open(stored(web, { expires_at: '2026-11-28T12:00:01Z' }));
    expect(keyring.find(web)).toMatchObject({ name: 'web' });
    nowMs += 1_000;
    expect(keyring.find(web)).toBe('it expired at 2026-11-28T12:00:01Z');
  });

  test('goes on counting while the file is wrong, which is said, and until it is right again', () => {
    const keyring = open(stored(web));
    writeFileSync(path, 'not yet whole');
    keyring.look();
    expect(keyring.find(web)).toMatchObject({ name: 'web' });
    expect(keyring.problem()).toContain('is not JSON');
    writeKeys(path, [stored(server)]);
    keyring.look();
    expect(keyring.problem()).toBeNull();
    expect(keyring.find(web)).toBe('it is not known here');
  });

  test('is followed through the links of a Kubernetes secret', () => {
    const folder = join(path, '..');
    const version = (name: string, ...keys: StoredKey[]) => {
      mkdirSync(join(folder, name));
      writeKeys(join(folder, name, 'keys.json'), keys);
      rmSync(join(folder, '..data'), { force: true });
      symlinkSync(name, join(folder, '..data'));
    };
    version('first', stored(web));
    symlinkSync('..data/keys.json', path);
    const keyring = open();
    version('second', stored(server));
    keyring.look();
    expect([typeof keyring.find(web), typeof keyring.find(server)]).toEqual(['string', 'object']);
  });
});

describe('who may', () => {
  const ask = async (
    keyring: Keyring,
    headers: Record<string, string>,
    { query = '', needs = 'events:write' } = {},
  ) => {
    const request = new Request(`http://test/v1/events${query}`, { method: 'POST', headers });
    const call = { request, params: {}, arrival: arrivalOf(request), address: '127.0.0.1', caller: anybody };
    const admission = await admitBy({ byKey: byKey(keyring) })(call, needs);
    if (admission.ok) return admission.caller.name;
    const { status, headers: answered, body } = admission.answer;
    const { detail } = JSON.parse(body) as { detail: string };
    return { status, detail, ...(answered['www-authenticate'] && { asks: answered['www-authenticate'] }) };
  };
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test.each([
    ['Authorization: Bearer', { authorization: `Bearer ${web}` }],
    ['the same in lower case', { authorization: `bearer ${web}` }],
    ['Basic, as its user', basic(`${web}:`)],
    ['Basic, as its password', basic(`:${web}`)],
    ['X-Api-Key', { 'x-api-key': web }],
  ])('shows the key by %s', async (_, headers) => {
    expect(await ask(open(stored(web)), headers)).toBe('web');
  });

  test('shows a public key in the address, never a secret one', async () => {
    const keyring = open(stored(web), stored(server));
    expect(await ask(keyring, {}, { query: `?key=${web}` })).toBe('web');
    expect(await ask(keyring, {}, { query: `?key=${server}` })).toMatchObject({
      status: 401,
      detail: expect.stringContaining('does not belong into an address'),
    });
  });

  test.each([
    ['no key', {}, 'send an API key'],
    ['another scheme', { authorization: 'Digest x' }, 'send an API key'],
    ['junk', { authorization: 'Bearer hello' }, 'it is no API key'],
    ['a key with a typing error', { 'x-api-key': `${web}x` }, 'it is no API key'],
    ['a key of another server', { 'x-api-key': newKey('public') }, 'it is not known here'],
    ['no base64', { authorization: 'Basic !!!' }, 'send an API key'],
  ])('is asked for with %s', async (_, headers, words) => {
    expect(await ask(open(stored(web)), headers)).toMatchObject({
      status: 401,
      detail: expect.stringContaining(words),
      asks: 'Bearer realm="ugc"',
    });
  });

  test('is refused what its key may not do, and from where it may not', async () => {
    const keyring = open(stored(web, { origins: ['https://*.shop.example'] }));
    const headers = { 'x-api-key': web };
    expect(await ask(keyring, headers, { needs: 'events:read' })).toMatchObject({ status: 403 });
    expect(await ask(keyring, { ...headers, origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    expect(await ask(keyring, { ...headers, origin: 'https://www.shop.example' })).toBe('web');
    expect(await ask(keyring, headers)).toBe('web'); // no browser
  });

  test('sends for others with a secret key, and for itself with a public one', async () => {
    const keyring = open(stored(web), stored(server));
    const callerOf = async (key: string) => {
      const request = new Request('http://test/v1/events', { headers: { 'x-api-key': key } });
      const call = { request, params: {}, arrival: arrivalOf(request), address: '127.0.0.1' };
      const admission = await admitBy({ byKey: byKey(keyring) })(call, 'events:write');
      return admission.ok && admission.caller;
    };
    expect(await callerOf(server)).toMatchObject({ isServer: true });
    expect(await callerOf(web)).not.toHaveProperty('isServer');
  });

  test('is never told the key it has shown', async () => {
    const answers = [
      await ask(open(stored(web)), { 'x-api-key': newKey('secret') }),
      await ask(open(stored(server)), {}, { query: `?key=${server}` }),
    ];
    expect(JSON.stringify(answers)).not.toMatch(/ugc_[ps]k_\w/);
  });
});
