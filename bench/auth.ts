// What requests of a load show, and what a ugc is told so that it lets them in, by UGC_AUTH.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addKey } from '../src/door/manage.ts';
import { ecKey, tokenOf } from '../test/support/tokens.ts';

export interface Shown {
  readonly flags: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** '' = as it is by itself. */
export function shownTo(auth: string, dataDir: string): Shown {
  if (auth === '' || auth === 'none') return { flags: [], headers: {} };
  if (auth === 'keys') {
    const wanted = { name: 'load', kind: 'public', scopes: ['events:write'], origins: [], eventTypes: [] } as const;
    const { text } = addKey(join(dataDir, 'keys.json'), { ...wanted, expiresAtMs: null }, Date.now());
    return { flags: ['--auth=keys'], headers: { authorization: `Bearer ${text}` } };
  }
  const key = ecKey('load');
  const path = join(dataDir, 'load.json');
  writeFileSync(path, JSON.stringify(key.jwk));
  return {
    flags: ['--auth=jwt', `--jwt-public-key=${path}`],
    headers: { authorization: `Bearer ${tokenOf(key, usualClaims())}` },
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
