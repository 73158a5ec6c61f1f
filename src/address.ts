// host:port as it is written in settings, logs and messages: one parser and one spelling. An IPv6 address stands in
// brackets, as its own colons would be taken for the port's.

import { isIPv6 } from 'node:net';
import type { Setting } from './settings.ts';

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

/** One or several with commas, in the one spelling; not set: empty. */
export const hostPorts = ({ help }: { readonly help: string }): Setting<string> => ({
  help,
  takes: 'host:port, several with commas',
  defaultText: '',
  secret: false,
  parse: text => (text === '' ? '' : text.split(',').map(readOne).join(',')),
});

function readOne(text: string): string {
  const read = parseHostPort(text.trim());
  if (read !== null) return spellHostPort(read);
  const bare = isIPv6(text.trim().replace(/:\d+$/, '')) || isIPv6(text.trim());
  throw new Error(
    bare
      ? `must have an IPv6 address in brackets, e.g. [::1]:9092, not "${text.trim()}"`
      : `must be host:port, several with commas, e.g. kafka-1:9092,[fd00::2]:9092, not "${text.trim()}"`,
  );
}
