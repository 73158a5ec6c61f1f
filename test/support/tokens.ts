// Tokens for unit tests, made by hand of any header and any claims: a library would refuse to make the hostile ones.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Jwk } from '../../src/door/tokens/jwk-set.ts';

export interface TestKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it stands in a key set. */
  readonly jwk: Jwk;
}

export function ecKey(kid: string, namedCurve = 'P-256'): TestKey {
  const pair = generateKeyPairSync('ec', { namedCurve });
  const alg = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }[namedCurve]!;
  return keyOf(kid, alg, pair);
}
export const rsaKey = (kid: string, alg = 'RS256'): TestKey =>
  keyOf(kid, alg, generateKeyPairSync('rsa', { modulusLength: 2048 }));
export const edKey = (kid: string): TestKey => keyOf(kid, 'EdDSA', generateKeyPairSync('ed25519'));

function keyOf(
  kid: string,
  alg: string,
  pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): TestKey {
  return { kid, alg, ...pair, jwk: { ...(pair.publicKey.export({ format: 'jwk' }) as unknown as Jwk), kid } };
}

export type Parts = Readonly<Record<string, unknown>> | string;

/** A part that is text stands there as it is. */
const partOf = (part: Parts): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

export function tokenOf(key: TestKey, claims: Parts, header: Parts = { alg: key.alg, kid: key.kid }): string {
  const signed = `${partOf(header)}.${partOf(claims)}`;
  return `${signed}.${signatureOf(key, signed).toString('base64url')}`;
}

function signatureOf({ alg, privateKey }: TestKey, text: string): Buffer {
  const data = Buffer.from(text);
  if (alg === 'EdDSA') return sign(null, data, privateKey);
  if (alg.startsWith('ES')) return sign(`sha${alg.slice(2)}`, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return sign(`sha${alg.slice(2)}`, data, privateKey);
}

export function hmacTokenOf(secret: string | Buffer, claims: Parts, header: Parts = { alg: 'HS256' }): string {
  const signed = `${partOf(header)}.${partOf(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
