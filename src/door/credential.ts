// What a request shows for itself, wherever SDKs and people put it: `Authorization: Bearer`, Basic with the key as user or
// as password, `X-Api-Key`, or `?key=` for beacons and pixels, which can set no header. Tokens are bearers alone: those are
// the ones OAuth knows, and nobody keeps them by mistake (RFC 6750 §5.3).

export interface Credential {
  /** As it was sent. */
  readonly text: string;
  /** From the address of the request, which others may have seen: not for secret keys. */
  readonly isInUrl: boolean;
  /** `Authorization: Bearer` */
  readonly isBearer: boolean;
}

/** Null when it shows nothing. Of several the header counts, Authorization first. */
export function credentialOf(headers: Headers, url: string): Credential | null {
  const authorization = headers.get('authorization');
  const authorized = authorization === null ? null : fromAuthorization(authorization);
  if (authorized !== null && authorized.text !== '') return authorized;
  const text = headers.get('x-api-key');
  if (text !== null && text !== '') return { text, isInUrl: false, isBearer: false };
  const at = url.indexOf('?');
  const key = at < 0 ? null : new URLSearchParams(url.slice(at + 1)).get('key');
  return key === null || key === '' ? null : { text: key, isInUrl: true, isBearer: false };
}

function fromAuthorization(authorization: string): Credential | null {
  const [, scheme = '', rest = ''] = /^([a-z]+) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { text: rest, isInUrl: false, isBearer: true };
  if (scheme.toLowerCase() !== 'basic') return null;
  const decoded = Buffer.from(rest, 'base64').toString();
  const colon = decoded.indexOf(':');
  const user = colon < 0 ? decoded : decoded.slice(0, colon);
  return { text: user === '' ? decoded.slice(colon + 1) : user, isInUrl: false, isBearer: false };
}
