// Who a request is from, where that is what lets it in: somebody at this machine, and a page of this server.

import type { Call } from './route.ts';

/** From this machine alone: neither through a proxy, nor by a name that was made to lead here (DNS rebinding). */
export function isFromHere({ address, request }: Pick<Call, 'address' | 'request'>): boolean {
  const { headers } = request;
  const host = /^(\[.*\]|[^:]*)/.exec(headers.get('host') ?? '')?.[0] ?? '';
  return (
    isLoopback(address) &&
    (host === 'localhost' || isLoopback(host.replace(/^\[|\]$/g, ''))) &&
    !headers.has('x-forwarded-for') &&
    !headers.has('forwarded')
  );
}

const isLoopback = (address: string): boolean => /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/.test(address);

/** From no page, or from one of this server: browsers say so themselves; older ones name the page's origin. */
export function isFromOwnPage({ headers }: Request): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const origin = headers.get('origin');
  return origin === null || origin.slice(origin.indexOf('//') + 2) === headers.get('host');
}
