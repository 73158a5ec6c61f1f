// Asks an issuer for its keys: by discovery (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), or where it was said they are.
//
// What an issuer answers is bounded in size and, by the caller's signal, in time. It may send on within its own origin and
// to nowhere else; the set itself may lie elsewhere, where the issuer's document says so.

import { messageOf } from '../../errors.ts';
import { isLoopback } from '../../process/address.ts';

export interface KeysPlace {
  /** As it spells itself; '' = not known. */
  readonly issuer: string;
  /** '' = by discovery. */
  readonly jwksUrl: string;
}

const answerBytesMax = 262_144;
const redirectsMax = 3;

/** The key set, as JSON. Rejects with an Error in words that name the address. */
export async function askForKeys({ issuer, jwksUrl }: KeysPlace, signal: AbortSignal): Promise<unknown> {
  return jsonAt(jwksUrl === '' ? await discovered(issuer, signal) : jwksUrl, signal);
}

async function discovered(issuer: string, signal: AbortSignal): Promise<string> {
  const failures = new Set<string>();
  for (const url of discoveryUrls(issuer)) {
    let document: unknown;
    try {
      document = await jsonAt(url, signal);
    } catch (error) {
      failures.add(messageOf(error));
      continue;
    }
    const { issuer: said, jwks_uri: place } = (document ?? {}) as Readonly<Record<string, unknown>>;
    if (said !== issuer)
      throw new Error(`${url}: the issuer calls itself ${shown(said)}: that is what UGC_JWT_ISSUER has to be`);
    if (typeof place !== 'string' || !isSafe(place))
      throw new Error(`${url}: jwks_uri is ${shown(place)}, which must begin with https:`);
    return place;
  }
  throw new Error([...failures].join('; '));
}

/** Exported for its test. */
export function discoveryUrls(issuer: string): readonly [openid: string, oauth: string] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

async function jsonAt(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await answerOf(url, signal);
  const text = await boundedText(response).catch(error => {
    throw new Error(`${url}: ${messageOf(error)}`, { cause: error });
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url} answered something else than JSON`);
  }
}

async function answerOf(url: string, signal: AbortSignal): Promise<Response> {
  let at = url;
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const response = await asked(at, signal);
    if (response.status === 200) return response;
    void response.body?.cancel().catch(() => {});
    const location = response.headers.get('location');
    const isRedirect = response.status >= 301 && response.status <= 308 && location !== null;
    if (!isRedirect) throw new Error(`${at} answered ${response.status}`);
    const next = URL.parse(location, at);
    if (next === null || next.origin !== new URL(at).origin)
      throw new Error(
        `${at} sends on to another server, ${shown(location)}: if that is meant, set the address it names`,
      );
    at = next.href;
  }
  throw new Error(`${url} sends on more than ${redirectsMax} times`);
}

async function asked(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  } catch (error) {
    throw new Error(`${url}: ${messageOf(error)}`, { cause: error });
  }
}

/** Whatever it is unpacked to: a small answer may be a large one, compressed. */
async function boundedText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function isSafe(url: string): boolean {
  const parsed = URL.parse(url);
  return (
    parsed?.protocol === 'https:' ||
    (parsed?.protocol === 'http:' && isLoopback(parsed.hostname.replace(/^\[|\]$/g, '')))
  );
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 200);
