// Origins a browser may send from: `https://shop.example`, `https://*.shop.example` for every name below it (not itself),
// `*` for all. Scheme, host and port are compared as a browser writes them (RFC 6454 §6.2): lower case, no default port.

/** In the browser's own spelling. Throws an Error whose message says what an origin looks like. */
export function parseOrigin(text: string): string {
  if (text === '*') return text;
  const [, scheme = '', wildcard = '', rest = ''] = /^(https?):\/\/(\*\.)?([^/?#@*]+)\/?$/i.exec(text) ?? [];
  const url = rest === '' ? null : URL.parse(`${scheme}://${rest}`);
  if (url === null) throw new Error(`must be like https://shop.example or https://*.shop.example, not "${text}"`);
  return `${url.protocol}//${wildcard}${url.host}`;
}

/** Whether one of these, as parseOrigin spells them, is the origin a browser has named, or has it below it. */
export function admitsOrigin(origins: readonly string[], origin: string): boolean {
  return origins.some(allowed => {
    if (allowed === '*' || allowed === origin) return true;
    const at = allowed.indexOf('//*.');
    if (at < 0) return false;
    const [scheme, domain] = [allowed.slice(0, at + 2), allowed.slice(at + 3)];
    return origin.startsWith(scheme) && origin.endsWith(domain) && origin.length > scheme.length + domain.length;
  });
}

/** Of the page a request comes from, as far as the browser says: an image says it by its Referer alone. Null = it does not. */
export function originOf(headers: Headers): string | null {
  const origin = headers.get('origin');
  if (origin !== null) return origin;
  const referer = headers.get('referer');
  return referer === null ? null : (URL.parse(referer)?.origin ?? null);
}
