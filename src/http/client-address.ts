// Who a request came from: the one spelling of a client's address, and which address that is behind proxies.
//
// X-Forwarded-For is what anybody may write. So it counts only as far as the proxies named in settings have written it: from
// its end, for as long as the address before is one of theirs.

import { isIP } from 'node:net';

/** Whether an address, as clientAddress spells it, is one of a proxy that is trusted. */
export type IsTrusted = (address: string) => boolean;

// A socket that listens on every address, `::`, tells IPv4 clients as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2): the same client
// would have two names, by how ugc listens.
const mapped = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/** As it is written: IPv4 in dots, IPv6 in its short form and lower case (RFC 5952). */
export const clientAddress = (address: string): string =>
  address.startsWith('::') ? (mapped.exec(address)?.[1] ?? address.toLowerCase()) : address.toLowerCase();

/** Hops looked at, from the end: no path is longer, a hostile header is. */
const hopsMax = 32;

/** The client of a request whose connection is from `peer`. What is no address ends the search, with the last that was. */
export function clientBehind(peer: string, forwardedFor: string | null, isTrusted: IsTrusted): string {
  let client = peer;
  if (forwardedFor === null || !isTrusted(client)) return client;
  let end = forwardedFor.length;
  for (let hop = 0; hop < hopsMax && end >= 0; hop++) {
    const comma = forwardedFor.lastIndexOf(',', end - 1);
    const before = addressIn(forwardedFor.slice(comma + 1, end).trim());
    if (before === null) return client;
    client = before;
    if (comma <= 0 || !isTrusted(client)) return client;
    end = comma;
  }
  return client;
}

/** Proxies write ports and brackets too: `192.0.2.1:1234`, `[2001:db8::1]:1234`. Null = it is none. */
function addressIn(text: string): string | null {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? dotted ?? text;
  return isIP(address) === 0 ? null : clientAddress(address);
}
