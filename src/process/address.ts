// host:port as it is written in settings, logs and messages: one parser and one spelling. An IPv6 address stands in
// brackets, as its own colons would be taken for the port's.

import { isIPv6 } from 'node:net';

export interface HostPort {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[([^\s[\]]+)\]|([^\s,:[\]/@]+)):(\d{1,5})$/;

/** Null when it is none. */
export function parseHostPort(text: string): HostPort | null {
  const found = pattern.exec(text);
  if (found === null) return null;
  const [, bracketed, plain, digits] = found;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return null;
  if (bracketed !== undefined && !isIPv6(bracketed)) return null;
  return { host: bracketed ?? plain!, port };
}

export const spellHostPort = ({ host, port }: HostPort): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Reached by this machine alone. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
