// What the door can ask, for a measurement: the settings of a server, and what its clients show.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, newKey } from '../src/door/keys/key.ts';
import { type StoredKey, writeKeys } from '../src/door/keys/keys-file.ts';
import { mmdb } from '../test/support/mmdb.ts';
import { ecKey, tokenOf } from '../test/support/tokens.ts';

export interface AtTheDoor {
  readonly flags: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

const keysCount = 10_000;
const browser = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
};
const page = 'https://www.shop.example';

/** Each by its name; the file of keys is put into the data folder. */
const parts: Readonly<Record<string, (dataDir: string) => AtTheDoor>> = {
  keys: dataDir => {
    const texts = Array.from({ length: keysCount }, () => newKey('public'));
    writeKeys(join(dataDir, 'keys.json'), texts.map(storedKey));
    return { flags: ['--auth=keys'], headers: { authorization: `Bearer ${texts[keysCount / 2]}` } };
  },
  jwt: dataDir => {
    const key = ecKey('load');
    const path = join(dataDir, 'load.json');
    writeFileSync(path, JSON.stringify(key.jwk));
    return {
      flags: ['--auth=jwt', `--jwt-public-key=${path}`],
      headers: { authorization: `Bearer ${tokenOf(key, usualClaims())}` },
    };
  },
  /** Nothing: somebody reads GET /v1/stream meanwhile. */
  stream: () => ({ flags: [], headers: {} }),
  cors: () => ({ flags: ['--cors-origins=https://*.shop.example'], headers: { origin: page } }),
  /** What a client shows and nobody asks for: what it costs to read it. */
  shown: () => ({ flags: ['--cors-origins=*'], headers: { authorization: `Bearer ${newKey('public')}` } }),
  /** A browser, of which nobody asks anything. */
  browser: () => ({ flags: [], headers: browser }),
  /** The same, with its device, browser, system, country and whether it is a bot told. */
  clients: dataDir => {
    const path = join(dataDir, 'countries.mmdb');
    writeFileSync(path, mmdb({ '127.0.0.0/8': { country: { iso_code: 'FR' } } }));
    return { flags: ['--user-agent-parse', `--geoip-path=${path}`, '--bots=mark'], headers: browser };
  },
  /** The same, with all else there is. */
  'clients-all': dataDir => {
    const { flags } = parts.clients!(dataDir);
    const more = ['--ip=truncate', '--privacy-signals=mark', '--own-networks=10.0.0.0/8', '--own-cookie=staff'];
    return { flags: [...flags, ...more], headers: { ...browser, cookie: 'a=b; session=0123456789abcdef' } };
  },
  /** Never reached. */
  limits: () => ({ flags: ['--rate-limit-key=10000000', '--rate-limit-address=10000000'], headers: {} }),
};

const storedKey = (text: string, at: number): StoredKey => ({
  id: hashOf(text).slice(0, 8),
  name: `team ${at}`,
  kind: 'public',
  sha256: hashOf(text),
  scopes: ['events:write'],
  created_at: '2026-01-01T00:00:00Z',
});

/** Throws for a name that is none. */
export function atTheDoor(names: readonly string[], dataDir: string): AtTheDoor {
  const made = names.map(name => {
    const part = parts[name];
    if (part === undefined) throw new Error(`no ${name} at the door: ${Object.keys(parts).join(', ')}`);
    return part(dataDir);
  });
  return {
    flags: made.flatMap(({ flags }) => flags),
    headers: Object.assign({}, ...made.map(({ headers }) => headers)),
  };
}

/** As many as issuers put into an access token: one of 800 to 900 characters. */
export const usualClaims = (): Readonly<Record<string, unknown>> => ({
  iss: 'https://issuer.example/realms/shop',
  aud: ['urn:ugc', 'account'],
  sub: '956939f6-7a98-4bf1-9949-500e5dd20fa0',
  azp: 'shop',
  exp: Math.floor(Date.now() / 1000) + 3_600,
  iat: Math.floor(Date.now() / 1000),
  jti: crypto.randomUUID(),
  sid: crypto.randomUUID(),
  scope: 'openid profile email events:write events:read',
  realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-shop'] },
  email_verified: true,
  name: 'Somebody Else',
  preferred_username: 'somebody',
  email: 'somebody@shop.example',
});
