// What a token says of itself (RFC 7519 §4.1), held against what is asked here, in words. It is done before the signature
// is looked at: most tokens that are refused have expired or are meant for others, and cost no cryptography and no
// question to the issuer. Nothing that a token says is repeated to its sender but times.

import { isOwnSource } from '../../ports/own-source.ts';

export interface ClaimRules {
  /** '' = any. */
  readonly issuer: string;
  /** None = any. */
  readonly audiences: readonly string[];
  readonly toleranceMs: number;
}

export type Claims = Readonly<Record<string, unknown>>;

/** As long as a user_id may be. */
const subjectLengthMax = 256;
const clientLengthMax = 256;

/** Why it does not count now, as a clause; null = as far as it says so itself, it does. */
export function claimsProblem(claims: Claims, rules: ClaimRules, nowMs: number): string | null {
  return timeProblem(claims, rules, nowMs) ?? partyProblem(claims, rules) ?? subjectProblem(claims);
}

function timeProblem({ exp, nbf }: Claims, { toleranceMs }: ClaimRules, nowMs: number): string | null {
  if (exp === undefined) return 'it does not say when it ends (exp)';
  if (typeof exp !== 'number') return 'its end (exp) is no number';
  if (exp * 1000 + toleranceMs <= nowMs) return `it expired at ${timeOf(exp)}`;
  if (nbf === undefined) return null;
  if (typeof nbf !== 'number') return 'its start (nbf) is no number';
  return nbf * 1000 - toleranceMs > nowMs ? `it counts from ${timeOf(nbf)} on` : null;
}

function partyProblem({ iss, aud }: Claims, { issuer, audiences }: ClaimRules): string | null {
  if (issuer !== '' && iss !== issuer) return `it is of another issuer (iss) than ${issuer}`;
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > 0 && !named.some(name => typeof name === 'string' && audiences.includes(name)))
    return `it is meant for others (aud), not for ${audiences.join(' or ')}`;
  return null;
}

/** Without one its sender could name any user. */
function subjectProblem({ sub }: Claims): string | null {
  if (typeof sub !== 'string' || sub === '') return 'it names no subject (sub)';
  if (sub.length > subjectLengthMax) return `its subject (sub) is longer than ${subjectLengthMax} characters`;
  return sub.isWellFormed() ? null : 'its subject (sub) holds half of a surrogate pair';
}

/**
 * Which program it was given to: `azp` of OpenID Connect, `client_id` of RFC 9068; '' = it does not say, or calls itself as
 * what ugc itself writes.
 */
export function clientOf({ azp, client_id: clientId }: Claims): string {
  const named = [azp, clientId].find(name => typeof name === 'string' && name !== '');
  return typeof named === 'string' && !isOwnSource(named) ? named.slice(0, clientLengthMax) : '';
}

/** RFC 8693 §4.2 has them as text with spaces, others as a list; some issuers call it `scp`. */
export const scopesOf = ({ scope, scp }: Claims): readonly string[] =>
  [scope, scp].flatMap(said => {
    if (typeof said === 'string') return said.split(' ');
    return Array.isArray(said) ? said.filter(item => typeof item === 'string') : [];
  });

/** A number that is no time is told as it is. */
function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s of the epoch` : time.toISOString();
}
