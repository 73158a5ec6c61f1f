// How a setting is declared: the kinds there are, each with how its text becomes a value and how a wrong one is refused.

import { isIPv6 } from 'node:net';
import { type Networks, parseHostPort, parseNetworks, spellHostPort } from '../process/address.ts';
import { parseOrigin } from '../process/origin.ts';

/** One setting: how its text becomes a value. `parse` throws an Error whose message completes "UGC_X …". */
export interface Setting<T> {
  readonly help: string;
  /** As shown to people: `0–65535`, `none | keys`, `bytes, e.g. 64KiB`. */
  readonly takes: string;
  /** The default, in the spelling a user would type; '' is "not set". */
  readonly defaultText: string;
  readonly secret: boolean;
  /** Given several times as a flag it is all of them, as if with commas; else the last one counts. */
  readonly repeats?: true;
  readonly parse: (text: string) => T;
}

interface Described {
  readonly help: string;
}

export function integer(options: Described & { default: number; min: number; max: number }): Setting<number> {
  const { min, max } = options;
  return {
    help: options.help,
    takes: `${min}–${max}`,
    defaultText: String(options.default),
    secret: false,
    parse: text => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= min && value <= max))
        throw new Error(`must be a whole number from ${min} to ${max}, not "${text}"`);
      return value;
    },
  };
}

const byteUnits: Record<string, number> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

export function bytes(options: Described & { default: string; min: string; max: string }): Setting<number> {
  const read = (text: string): number => {
    const match = /^(\d{1,15})(KiB|MiB|GiB|TiB)?$/.exec(text);
    return match ? Number(match[1]) * byteUnits[match[2] ?? '']! : Number.NaN;
  };
  return {
    help: options.help,
    takes: `bytes, ${options.min}–${options.max}`,
    defaultText: options.default,
    secret: false,
    parse: text => {
      const value = read(text);
      if (!(value >= read(options.min) && value <= read(options.max)))
        throw new Error(`must be a size from ${options.min} to ${options.max}, like 64KiB or 65536, not "${text}"`);
      return value;
    },
  };
}

export function choice<const C extends string>(
  options: Described & { default: NoInfer<C> | ''; of: readonly C[] },
): Setting<C> {
  return {
    help: options.help,
    takes: options.of.join(' | '),
    defaultText: options.default,
    secret: false,
    parse: text => {
      const found = options.of.find(item => item === text);
      if (found === undefined) throw new Error(`must be ${options.of.join(' or ')}, not "${text}"`);
      return found;
    },
  };
}

export function flag(options: Described & { default: boolean }): Setting<boolean> {
  return {
    help: options.help,
    takes: 'true | false',
    defaultText: String(options.default),
    secret: false,
    parse: text => {
      if (text !== 'true' && text !== 'false') throw new Error(`must be true or false, not "${text}"`);
      return text === 'true';
    },
  };
}

export function text(
  options: Described & { default: string; takes: string; pattern?: RegExp; secret?: boolean },
): Setting<string> {
  const { pattern, secret = false } = options;
  return {
    help: options.help,
    takes: options.takes,
    defaultText: options.default,
    secret,
    parse: value => {
      if (pattern && !pattern.test(value))
        throw new Error(`must be ${options.takes}${secret ? '' : `, not "${value}"`}`);
      return value;
    },
  };
}

/** Addresses with ports, in the one spelling; not set: empty. */
export const hostPorts = ({ help }: Described): Setting<string> => ({
  help,
  takes: 'host:port, several with commas',
  defaultText: '',
  secret: false,
  parse: text => (text === '' ? '' : text.split(',').map(readHostPort).join(',')),
});

function readHostPort(text: string): string {
  const read = parseHostPort(text.trim());
  if (read !== null) return spellHostPort(read);
  const bare = isIPv6(text.trim().replace(/:\d+$/, '')) || isIPv6(text.trim());
  throw new Error(
    bare
      ? `must have an IPv6 address in brackets, e.g. [::1]:9092, not "${text.trim()}"`
      : `must be host:port, several with commas, e.g. kafka-1:9092,[fd00::2]:9092, not "${text.trim()}"`,
  );
}

/** Of pages, as a browser spells them; not set: none. */
export const origins = ({ help }: Described): Setting<readonly string[]> => ({
  help,
  takes: 'https://shop.example, https://*.shop.example, several with commas, or *',
  defaultText: '',
  secret: false,
  parse: text => (text === '' ? [] : [...new Set(text.split(',').map(item => parseOrigin(item.trim())))]),
});

/** Networks; not set: null. */
export const networks = ({ help }: Described): Setting<Networks | null> => ({
  help,
  takes: 'addresses or networks like 10.0.0.0/8, several with commas',
  defaultText: '',
  secret: false,
  parse: text => (text === '' ? null : parseNetworks(text.split(',').map(item => item.trim()))),
});

/** A comma-separated set of the given words; empty where that is the default. */
export function choices<const C extends string>(
  options: Described & { default: string; of: readonly C[] },
): Setting<readonly C[]> {
  const one = choice({ help: '', default: '', of: options.of });
  return {
    help: options.help,
    takes: `${options.of.join(' | ')}, or several with commas`,
    defaultText: options.default,
    secret: false,
    parse: list =>
      list === '' && options.default === '' ? [] : [...new Set(list.split(',').map(item => one.parse(item.trim())))],
  };
}

/** A moment in epoch milliseconds; not set: null. */
export const instant = ({ help }: Described): Setting<number | null> => ({
  help,
  takes: 'a time with a zone',
  defaultText: '',
  secret: false,
  parse: text => {
    if (text === '') return null;
    const ms = /^\d{4}-\d\d-\d\dT.+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms)) throw new Error(`must be a time with a zone, e.g. 2026-11-01T00:00Z, not "${text}"`);
    return ms;
  },
});

export type Settings = Record<string, Setting<unknown>>;
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** A part of a whole. */
export const share = ({
  help,
  default: defaultText,
}: {
  readonly help: string;
  readonly default: string;
}): Setting<number> => ({
  help,
  takes: '0–1',
  defaultText,
  secret: false,
  parse: said => {
    const value = /^(0|1|0?\.\d{1,6}|1\.0{1,6})$/.test(said) ? Number(said) : Number.NaN;
    if (Number.isNaN(value)) throw new Error(`must be a number from 0 to 1, e.g. 0.05, not "${said}"`);
    return value;
  },
});
