// host:port as it is written in settings, logs and messages: one parser and one spelling, and one way to listen there. An IPv6 address stands in
// brackets, as its own colons would be taken for the port's.

import { BlockList, isIP, isIPv6 } from 'node:net';
import { messageOf, PipelineError } from '../errors.ts';

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

/** Addresses, by networks each of which is one address or CIDR: `10.0.0.0/8`, `fd00::/8`, `192.0.2.1`. */
export interface Networks {
  has(address: string): boolean;
}

/** Throws an Error whose message completes "UGC_X …". */
export function parseNetworks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const bitsMax = version === 4 ? 32 : 128;
    if (version === 0 || Number(bits ?? 0) > bitsMax)
      throw new Error(`must be addresses or networks like 10.0.0.0/8, not "${text}"`);
    list.addSubnet(address, Number(bits ?? bitsMax), version === 4 ? 'ipv4' : 'ipv6');
  }
  return { has: address => isIP(address) !== 0 && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4') };
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** What listens there, in words that follow the address; '' = the process itself. */
  readonly what: string;
  /** Settings, or what to do. */
  readonly remedy: string;
}

/** What `listen` gives, or `config_invalid` with where it cannot listen, why, and what to set. */
export function listening<T>({ host, port, what, remedy }: Listening, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    const where = `cannot listen on ${spellHostPort({ host, port })}${what}`;
    throw new PipelineError('config_invalid', `${where}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
}
