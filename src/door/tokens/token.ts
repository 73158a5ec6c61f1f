// A bearer token (JWT, RFC 7519 and RFC 8725) → what it says, once its signature has been checked, or why it does not count.
//
// - Which algorithms there are is a setting, and with it the kind of key: a token that names another is refused before a
//   key is looked for. Its `jwk`, `jku` and `x5u` are not looked at; a `crit` that is not known refuses it.
// - A token of an unknown key makes its issuer's keys be loaded (key-set.ts), only when it could count otherwise.
// - The first reading spares work and finds the words; what counts is jose's of the same bytes, after the signature.

import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type ClaimRules, type Claims, claimsProblem, type Flaw, flaw } from './claims.ts';
import type { FindKey } from './key-finders.ts';
import type { KeySet } from './key-set.ts';

export interface TokenRules extends ClaimRules {
  readonly algorithms: readonly string[];
}

export type Checked =
  /** `by`: the keys there were. */
  | { readonly ok: true; readonly claims: Claims; readonly by: readonly FindKey[] }
  /** `unavailable`: it cannot be checked just now; anything else: it does not count. */
  | { readonly ok: false; readonly flaw: Flaw };

export interface TokenOptions {
  readonly keys: Pick<KeySet, 'finders' | 'renew'>;
  readonly rules: TokenRules;
  readonly now: () => number;
}

/** Longer ones are refused unread: 8 KiB is what servers take of all headers together. */
export const tokenLengthMax = 8_192;

const partsPattern = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Never rejects. */
export async function checkToken(text: string, { keys, rules, now }: TokenOptions): Promise<Checked> {
  const problem = problemOf(text, rules, now());
  if (problem !== null) return refused(problem);
  const known = keys.finders();
  const first = await signed(text, known, optionsOf(rules, now()));
  if (first !== null) return withKeys(first, known);
  const isCertain = await keys.renew();
  const later = keys.finders();
  const second = later === known ? null : await signed(text, later, optionsOf(rules, now()));
  if (second !== null) return withKeys(second, later);
  if (isCertain) return refused(flaw('unknown_key', 'its issuer has no key of the name that it gives (kid)'));
  const words = later.length === 0 ? 'the keys of tokens could not be had yet' : 'its key is not known here yet';
  return refused(flaw('unavailable', words));
}

/** What is wrong with it before its signature. */
function problemOf(text: string, rules: TokenRules, nowMs: number): Flaw | null {
  if (text.length > tokenLengthMax) return malformed(`it is longer than ${tokenLengthMax} characters`);
  if (!partsPattern.test(text))
    return malformed('it is no JSON Web Token: three parts of base64url with a dot between');
  try {
    const { alg } = decodeProtectedHeader(text);
    if (typeof alg !== 'string' || !rules.algorithms.includes(alg))
      return flaw('algorithm', `its algorithm (alg) is none that is taken here: ${rules.algorithms.join(', ')}`);
    return claimsProblem(decodeJwt(text), rules, nowMs);
  } catch {
    return malformed('it is no JSON Web Token: what is in it cannot be read');
  }
}

const optionsOf = ({ issuer, audiences, algorithms, toleranceMs }: TokenRules, nowMs: number): JWTVerifyOptions => ({
  algorithms: [...algorithms],
  requiredClaims: ['exp', 'sub'],
  clockTolerance: toleranceMs / 1000,
  currentDate: new Date(nowMs),
  ...(issuer !== '' && { issuer }),
  ...(audiences.length > 0 && { audience: [...audiences] }),
});

type Read = { readonly claims: Claims } | { readonly flaw: Flaw };

const withKeys = (read: Read, by: readonly FindKey[]): Checked =>
  'flaw' in read ? refused(read.flaw) : { ok: true, claims: read.claims, by };

/** What it says, or why it does not count; null: no key there is is its. */
async function signed(text: string, finders: readonly FindKey[], options: JWTVerifyOptions): Promise<Read | null> {
  for (const find of finders) {
    try {
      return { claims: await signedBy(text, find, options) };
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) return { flaw: flawOf(error) };
    }
  }
  return null;
}

async function signedBy(text: string, find: FindKey, options: JWTVerifyOptions): Promise<Claims> {
  try {
    return (await jwtVerify(text, find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let last: unknown = error;
    for await (const key of error) {
      try {
        return (await jwtVerify(text, key, options)).payload;
      } catch (failure) {
        last = failure;
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw last;
  }
}

/** jose's errors, and those of keys that cannot be used. */
function flawOf(error: unknown): Flaw {
  if (error instanceof errors.JWSSignatureVerificationFailed) return flaw('signature', 'its signature is wrong');
  if (error instanceof errors.JOSENotSupported) return malformed('it asks for what is not supported here (crit)');
  if (error instanceof errors.JWTExpired) return flaw('expired', 'it has just expired');
  if (error instanceof errors.JWTClaimValidationFailed) return malformed(`its ${error.claim} does not count`);
  if (error instanceof errors.JOSEError) return malformed('it is malformed');
  return flaw('unknown_key', 'its key cannot be used to check it');
}

const malformed = (words: string): Flaw => flaw('malformed', words);

const refused = (why: Flaw): Checked => ({ ok: false, flaw: why });
