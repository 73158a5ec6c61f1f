// Who a request came from: the one spelling of a client's address, which address that is behind proxies, and how much of
// it is kept.
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

/** What is kept of a client's address where it is stored or logged. */
export type AddressPolicy = 'keep' | 'truncate' | 'drop';

/** Null: it stays as it is, and nobody has to ask. */
export function keptOf(policy: AddressPolicy): ((address: string) => string) | null {
  if (policy === 'keep') return null;
  return policy === 'drop' ? () => '' : truncated;
}

/** The network it is in: of IPv4 the first 24 bits, of IPv6 the first 48, spelled as clientAddress does. */
export function truncated(address: string): string {
  if (!address.includes(':')) {
    const end = address.lastIndexOf('.');
    return end < 0 ? '' : `${address.slice(0, end)}.0`;
  }
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const behindCount = behind.length + (tail?.includes('.') === true ? 1 : 0); // dots are two groups
  const all = [...groups, ...Array<string>(Math.max(0, 8 - groups.length - behindCount)).fill('0'), ...behind];
  const kept = all.slice(0, 3);
  while (kept.at(-1) === '0') kept.pop();
  return `${kept.join(':')}::`;
}
