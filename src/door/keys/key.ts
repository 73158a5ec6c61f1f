// An API key: what it looks like, and what is kept of it.
//
//   ugc_pk_<27 characters><6>   public: stands in web pages, may only send events
//   ugc_sk_<27 characters><6>   secret
//
// The 27 are 160 random bits in base 62; the 6 are the CRC-32 of all before them, so that junk, and a key that was cut
// off when it was copied, are refused without looking anything up, and scanners of repositories know a key from noise (as
// with GitHub's tokens). What cannot be guessed needs no slow hash: at rest a key is its SHA-256.

export type KeyKind = 'public' | 'secret';

const prefixes: Readonly<Record<KeyKind, string>> = { public: 'ugc_pk_', secret: 'ugc_sk_' };
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomBytes = 20;
const randomLength = 27;
const sumLength = 6;

const pattern = new RegExp(`^ugc_(pk|sk)_[0-9A-Za-z]{${randomLength + sumLength}}$`);

/** A new one, shown once. */
export function newKey(kind: KeyKind): string {
  const random = crypto.getRandomValues(new Uint8Array(randomBytes));
  const number = BigInt(`0x${random.toHex()}`);
  const start = prefixes[kind] + base62(number, randomLength);
  return start + sumOf(start);
}

/** What a key says it is; null for what is no key at all, or has lost or changed a character. */
export function kindOf(text: string): KeyKind | null {
  if (!pattern.test(text)) return null;
  const start = text.slice(0, -sumLength);
  if (text.slice(-sumLength) !== sumOf(start)) return null;
  return text.startsWith(prefixes.public) ? 'public' : 'secret';
}

/** It is meant for one: no token begins so. */
export const looksLikeKey = (text: string): boolean => text.startsWith('ugc_');

/** What is kept of a key: 64 hexadecimal digits. */
export const hashOf = (key: string): string => new Bun.CryptoHasher('sha256').update(key).digest('hex');

const sumOf = (start: string): string => base62(BigInt(Bun.hash.crc32(start)), sumLength);

function base62(number: bigint, length: number): string {
  let text = '';
  for (let rest = number; rest > 0n; rest /= 62n) text = alphabet[Number(rest % 62n)]! + text;
  return text.padStart(length, alphabet[0]);
}
