// UGC_JWT_PUBLIC_KEY: the public keys of tokens as people have them: PEM (keys or certificates, one or several), a JWK, a
// JWKS, or files of these. Read at the start; what cannot be used is an error there and not a refused token later.

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { algorithmsOf, type Jwk, readJwk } from './jwk-set.ts';

const pemPattern = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
const publicLabels = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']);

/** Throws an Error in words. */
export function readGivenKeys(given: string, algorithms: readonly string[]): readonly Jwk[] {
  const texts = isKeyText(given) ? [given] : given.split(',').map(path => readFileSync(path.trim(), 'utf8'));
  const keys = texts.flatMap(keysIn);
  if (keys.length === 0) throw new Error('there is no key in it');
  return keys.map((item, at) => {
    const key = readJwk(item);
    if (typeof key === 'string') throw new Error(`key ${at + 1} ${key}`);
    if (!algorithmsOf(key).some(name => algorithms.includes(name)))
      throw new Error(
        `key ${at + 1} can sign with ${algorithmsOf(key).join(' or ')} alone, which UGC_JWT_ALGORITHMS has not`,
      );
    return key;
  });
}

const isKeyText = (text: string): boolean => /^\s*(\{|-----BEGIN )/.test(text);

function keysIn(text: string): readonly unknown[] {
  if (text.trimStart().startsWith('{')) return keysInJson(text);
  // An environment that takes no line breaks is given \n for them.
  const blocks = [...text.replaceAll('\\n', '\n').matchAll(pemPattern)];
  if (blocks.length === 0) throw new Error('it is neither PEM nor JSON');
  return blocks.map(([pem, label = '']) => {
    if (!publicLabels.has(label)) throw new Error(`it holds a ${label}: give the public key, not what is signed with`);
    try {
      return createPublicKey(pem).export({ format: 'jwk' });
    } catch (error) {
      throw new Error(`a ${label} in it cannot be read: ${messageOf(error)}`, { cause: error });
    }
  });
}

function keysInJson(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it begins like JSON and is none');
  }
  const { keys } = value as { readonly keys?: unknown };
  return Array.isArray(keys) ? keys : [value];
}
