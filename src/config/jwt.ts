// Settings: tokens at the door. Where their keys come from, whom a token must name, and what it may.
//
// Keys come from one place: a set of public keys (an issuer's, or given), or a secret. Which algorithms count follows from
// that and never from the token, so a public key is never taken for a secret.

import { scopes } from '../ports/scope.ts';
import { isLoopback } from '../process/address.ts';
import { choice, choices, integer, type Setting, text, type Values } from './kinds.ts';
import { envName } from './parse.ts';

export const publicKeyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
const secretAlgorithms = ['HS256'] as const;

/** RFC 7518 §3.2: a key of the hash's size or larger. */
const secretBytesMin = 32;

const secret: Setting<string> = {
  help: 'HS256: the secret that tokens are signed with, shared with who issues them',
  takes: `text of ${secretBytesMin} bytes or more`,
  defaultText: '',
  secret: true,
  parse: value => {
    const bytes = Buffer.byteLength(value);
    if (bytes > 0 && bytes < secretBytesMin)
      throw new Error(
        `must have ${secretBytesMin} bytes or more, it has ${bytes}: a shorter one can be guessed (RFC 7518 §3.2); make one with openssl rand -base64 48`,
      );
    return value;
  },
};

const audience: Setting<readonly string[]> = {
  help: 'A token must be meant for one of these (aud); * = for whomever, which lets in tokens meant for other services',
  takes: 'names, several with commas, or *',
  defaultText: '',
  secret: false,
  parse: list => {
    const names = list === '' ? [] : [...new Set(list.split(',').map(name => name.trim()))];
    if (names.includes('') || (names.includes('*') && names.length > 1))
      throw new Error(`must be names, several with commas, or * alone, not "${list}"`);
    return names;
  },
};

export const jwtSettings = {
  jwtIssuer: text({
    default: '',
    takes: 'http(s)://host/path',
    pattern: /^(https?:\/\/[^\s?#@,]+)?$/,
    help: 'Who issues tokens (iss), as it spells itself; its keys are found by OpenID Connect or OAuth discovery where no other are given',
  }),
  jwtJwksUrl: text({
    default: '',
    takes: 'http(s)://host/path',
    pattern: /^(https?:\/\/[^\s#@,]+)?$/,
    help: 'Where the keys of tokens are, instead of discovery: a JSON Web Key Set',
  }),
  jwtReloadSeconds: integer({ default: 300, min: 5, max: 86_400, help: 'The keys of an issuer are loaded this often' }),
  jwtPublicKey: text({
    default: '',
    takes: 'PEM, JWK or JWKS, or files of them with commas',
    help: 'The public keys of tokens, or certificates of them, instead of an issuer’s; read at the start',
  }),
  jwtSecret: secret,
  jwtAudience: audience,
  jwtAlgorithms: choices({
    of: [...publicKeyAlgorithms, ...secretAlgorithms],
    default: '',
    help: 'How tokens may be signed; empty = as fits the keys: all of these with public keys, HS256 with a secret',
  }),
  jwtClockToleranceSeconds: integer({
    default: 30,
    min: 0,
    max: 600,
    help: 'A token counts so much longer, and so much earlier, than it says',
  }),
  jwtScopes: choices({
    of: scopes,
    default: '',
    help: 'What every token may, beside what it says itself (scope, scp)',
  }),
  jwtUser: choice({
    of: ['override', 'reject'],
    default: 'override',
    help: 'An event of another user_id than the token’s subject: gets the subject for its user_id, or is rejected',
  }),
};

type JwtConfig = Values<typeof jwtSettings> & { readonly auth: readonly string[] };

const fittingOf = ({ jwtSecret }: Pick<JwtConfig, 'jwtSecret'>): readonly string[] =>
  jwtSecret === '' ? publicKeyAlgorithms : secretAlgorithms;

/** How tokens may be signed. */
export const algorithmsOf = (config: Pick<JwtConfig, 'jwtSecret' | 'jwtAlgorithms'>): readonly string[] =>
  config.jwtAlgorithms.length > 0 ? config.jwtAlgorithms : fittingOf(config);

/** What the settings of tokens say against each other, in words. */
export function jwtProblems(config: JwtConfig): string[] {
  if (!config.auth.includes('jwt'))
    return givenNames(config).map(name => `${name} needs UGC_AUTH=jwt, or UGC_AUTH=keys,jwt`);
  const { jwtIssuer, jwtJwksUrl, jwtPublicKey, jwtSecret, jwtAudience, jwtAlgorithms } = config;
  const problems: string[] = [];
  if (jwtIssuer + jwtJwksUrl + jwtPublicKey + jwtSecret === '')
    problems.push(
      'UGC_AUTH=jwt needs the keys of tokens: UGC_JWT_ISSUER, UGC_JWT_JWKS_URL, UGC_JWT_PUBLIC_KEY or UGC_JWT_SECRET',
    );
  if (jwtSecret !== '' && jwtJwksUrl + jwtPublicKey !== '')
    problems.push(
      'UGC_JWT_SECRET goes with no public keys (UGC_JWT_JWKS_URL, UGC_JWT_PUBLIC_KEY): a public one could be taken for the secret',
    );
  if (jwtJwksUrl !== '' && jwtPublicKey !== '')
    problems.push('UGC_JWT_JWKS_URL and UGC_JWT_PUBLIC_KEY exclude each other: keys come from one place');
  if (jwtAudience.length === 0 && jwtIssuer + jwtJwksUrl !== '')
    problems.push(
      'UGC_JWT_AUDIENCE must say whom tokens are meant for: an issuer’s tokens for other services would be let in, too (UGC_JWT_AUDIENCE=* if that is meant)',
    );
  const fitting = fittingOf(config);
  const strange = jwtAlgorithms.filter(name => !fitting.includes(name));
  if (strange.length > 0)
    problems.push(
      `UGC_JWT_ALGORITHMS=${strange.join()} does not go with ${jwtSecret === '' ? 'public keys: HS256 needs UGC_JWT_SECRET' : 'UGC_JWT_SECRET, which takes HS256 alone'}`,
    );
  for (const key of ['jwtIssuer', 'jwtJwksUrl'] as const)
    if (!isSafeUrl(config[key]))
      problems.push(
        `${envName(key)} must begin with https: beyond this machine, who stands in between could hand out keys of their own`,
      );
  return problems;
}

/** Those that say something else than nothing at all. */
const givenNames = (config: JwtConfig): string[] =>
  Object.entries(jwtSettings)
    .filter(([key, { parse, defaultText }]) => {
      const value = config[key as keyof typeof jwtSettings];
      return JSON.stringify(value) !== JSON.stringify(parse(defaultText));
    })
    .map(([key]) => envName(key));

/** Nobody could stand in between; not set = safe. */
const isSafeUrl = (url: string): boolean => {
  if (!url.startsWith('http:')) return true;
  const host = URL.parse(url)?.hostname ?? '';
  return isLoopback(host.replace(/^\[|\]$/g, ''));
};
