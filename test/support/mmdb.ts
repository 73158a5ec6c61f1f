// A small file of MaxMind's format, made by its specification (https://maxmind.github.io/MaxMind-DB/): IPv6 with IPv4 at its
// start, records of 24 bits, and whatever data each network is given.

import { isIPv4 } from 'node:net';

export type MmdbValue = string | number | { readonly [name: string]: MmdbValue };

export interface MmdbOptions {
  readonly type?: string;
  /** Epoch seconds. */
  readonly builtAt?: number;
}

/** By network, `192.0.2.0/24` or `2001:db8::/32`. */
export function mmdb(networks: Readonly<Record<string, MmdbValue>>, options: MmdbOptions = {}): Buffer {
  const { type = 'Test-Country', builtAt = 1_790_000_000 } = options;
  /** Each node's two sides: another node, or data by its index in `data`; null = nothing. */
  const nodes: (readonly [Side, Side])[] = [[null, null]];
  const data: Buffer[] = [];
  for (const [network, value] of Object.entries(networks)) {
    data.push(encode(value));
    const bits = bitsOf(network);
    let at = 0;
    for (const [depth, bit] of bits.entries()) {
      const sides = nodes[at]!;
      const next = depth === bits.length - 1 ? { data: data.length - 1 } : (sides[bit] ?? { node: nodes.length });
      if ('node' in next && next.node === nodes.length) nodes.push([null, null]);
      nodes[at] = bit === 0 ? [next, sides[1]] : [sides[0], next];
      if ('node' in next) at = next.node;
    }
  }
  const places = data.map((_, at) => data.slice(0, at).reduce((sum, { length }) => sum + length, 0));
  const recordOf = (side: Side): number => {
    if (side === null) return nodes.length;
    return 'node' in side ? side.node : nodes.length + 16 + places[side.data]!;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  nodes.forEach(([left, right], at) => {
    tree.writeUIntBE(recordOf(left), at * 6, 3);
    tree.writeUIntBE(recordOf(right), at * 6 + 3, 3);
  });
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: builtAt,
    database_type: type,
    description: { en: 'made for a test' },
    ip_version: 6,
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([tree, Buffer.alloc(16), ...data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]);
}

type Side = { readonly node: number } | { readonly data: number } | null;

function bitsOf(network: string): (0 | 1)[] {
  const [address = '', length] = network.split('/');
  const bytes = isIPv4(address) ? [...Array<number>(12).fill(0), ...address.split('.').map(Number)] : wide(address);
  const count = Number(length) + (isIPv4(address) ? 96 : 0);
  return Array.from({ length: count }, (_, at) => ((bytes[at >> 3]! >> (7 - (at & 7))) & 1) as 0 | 1);
}

function wide(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => text.split(':').filter(Boolean);
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return [...groups(head), ...zeros, ...groups(tail)].flatMap(group => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** Texts and maps shorter than 285, whole numbers as 32 bits. */
function encode(value: MmdbValue): Buffer {
  if (typeof value === 'number') return Buffer.from([(6 << 5) | 4, ...[24, 16, 8, 0].map(by => (value >> by) & 255)]);
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(([name, of]) => [encode(name), encode(of)])]);
}

const control = (type: number, size: number): Buffer =>
  size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29]);
