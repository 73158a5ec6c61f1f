// A JSON Web Key Set (RFC 7517) → the public keys in it that can check the signature of a token, and nothing else of it.
//
// A private or a secret key in it is left out: whoever can read the set could sign with it.

export interface Jwk {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly crv?: string;
  readonly n?: string;
  readonly e?: string;
  readonly x?: string;
  readonly y?: string;
}

export interface ReadKeySet {
  readonly keys: readonly Jwk[];
  /** In words, what was left out that its owner should know of. */
  readonly leftOut: readonly string[];
}

const keysMax = 100;
/** RFC 7518 §3.3: 2048 bits or more. In base64url that is so many characters. */
const modulusLengthMin = Math.ceil((2048 / 8) * (4 / 3));
const textMembers = ['kty', 'kid', 'alg', 'use', 'crv', 'n', 'e', 'x', 'y'] as const;

/** By kind of key and curve. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};

/** Throws an Error in words when it is no key set. */
export function readKeySet(value: unknown): ReadKeySet {
  const list = isObject(value) ? value.keys : undefined;
  if (!Array.isArray(list)) throw new Error('it is no JSON Web Key Set: there is no list "keys" in it');
  if (list.length > keysMax) throw new Error(`it has ${list.length} keys, more than ${keysMax}`);
  const keys: Jwk[] = [];
  const leftOut: string[] = [];
  for (const [at, item] of list.entries()) {
    const key = readJwk(item);
    if (typeof key !== 'string') keys.push(key);
    else if (key === isPrivate) leftOut.push(`/keys/${at} ${key}`);
  }
  return { keys, leftOut };
}

const isPrivate = 'is a private or a secret key: everybody who can read it can sign with it';

/** Of what it is, the public part; in words why it cannot check signatures. */
export function readJwk(value: unknown): Jwk | string {
  if (!isObject(value)) return 'is no key';
  if ('d' in value || 'k' in value || value.kty === 'oct') return isPrivate;
  const { kty: kind, key_ops: operations } = value;
  if (typeof kind !== 'string') return 'is no key';
  const key: Jwk = {
    ...Object.fromEntries(textMembers.flatMap(name => (typeof value[name] === 'string' ? [[name, value[name]]] : []))),
    kty: kind,
    ...(Array.isArray(operations) && { key_ops: operations.filter(item => typeof item === 'string') }),
  };
  const { kty, use, n, e, x, y } = key;
  if (use !== undefined && use !== 'sig') return `is there for ${use}, not for signatures`;
  if (algorithmsOf(key).length === 0)
    return `is of a kind that is not supported: ${Object.keys(algorithms).join(', ')}`;
  const isWhole = kty === 'RSA' ? n !== undefined && e !== undefined : x !== undefined && (kty === 'OKP' || !!y);
  if (!isWhole) return 'lacks a part';
  return n !== undefined && n.length < modulusLengthMin ? 'is an RSA key of less than 2048 bits' : key;
}

/** How it could sign, as far as it says so itself; none = this is not known here. */
export function algorithmsOf({ kty, crv, alg }: Jwk): readonly string[] {
  const of = algorithms[kty === 'RSA' ? kty : `${kty} ${crv}`] ?? [];
  return alg === undefined ? of : of.filter(name => name === alg);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
