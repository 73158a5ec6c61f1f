// Ways to the key of a token, by its header's `kid` and `alg`. A key the token brings itself (jwk, jku, x5u, x5c) is none.
//
// A key without a `kid` counts for any token: many sets have one key and no name for it.

import { createSecretKey, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Jwk } from './jwk-set.ts';

/** Tried one after the other; rejects with jose's errors where it knows no key, or several. */
export type FindKey = JWTVerifyGetKey | (() => KeyObject);

export function findersOf(keys: readonly Jwk[]): readonly FindKey[] {
  const named = keys.filter(({ kid }) => kid !== undefined);
  const nameless = keys.filter(({ kid }) => kid === undefined);
  const byName = named.length === 0 ? [] : [setOf(named)];
  if (nameless.length === 0) return byName;
  const find = setOf(nameless);
  return [...byName, ({ kid: _, ...header }, token) => find(header, token)];
}

/** The one there is, whatever a token says. */
export function secretFinder(secret: string): readonly FindKey[] {
  const key = createSecretKey(Buffer.from(secret));
  return [() => key];
}

const setOf = (keys: readonly Jwk[]): JWTVerifyGetKey =>
  createLocalJWKSet({
    keys: keys.map(({ key_ops: operations, ...key }) => ({ ...key, ...(operations && { key_ops: [...operations] }) })),
  });
