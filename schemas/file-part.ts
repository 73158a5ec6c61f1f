// A JSON file, value by value, each knowing where it stands, so that whatever is wrong with one is told with its place.

import { getNodeValue, type Node } from 'jsonc-parser';

/** A value in the file, and where it stands. */
export interface Part {
  /** undefined = it is not there. */
  readonly value: unknown;
  readonly names: readonly string[];
  at(name: string): Part;
  refuse(message: string): null;
  /** It is taken all the same. */
  warn(message: string): void;
}

type Tell = (node: Node, pointer: string, message: string) => void;

export interface Listener {
  readonly refuse: Tell;
  readonly warn: Tell;
}

/** Of a value that is not there, the object it should be in is blamed. */
export function partOf(node: Node, pointer: string, listener: Listener, isThere = true): Part {
  const { refuse, warn } = listener;
  const members = isThere && node.type === 'object' ? (node.children ?? []) : [];
  const named = new Map<string, Node>();
  for (const member of members) {
    const [key, value] = member.children as [Node, Node | undefined];
    if (named.has(key.value) || value === undefined) refuse(key, `${pointer}/${key.value}`, 'is given twice');
    else named.set(key.value, value);
  }
  return {
    value: isThere ? getNodeValue(node) : undefined,
    names: [...named.keys()],
    at: name => partOf(named.get(name) ?? node, `${pointer}/${name}`, listener, named.has(name)),
    refuse: message => {
      refuse(node, pointer, message);
      return null;
    },
    warn: message => warn(node, pointer, message),
  };
}

/** Any other is refused; of `unchecked` ones it is told why they change nothing. */
export function onlyKeys(part: Part, keys: readonly string[], unchecked: Readonly<Record<string, string>> = {}): void {
  for (const name of part.names)
    if (keys.includes(name)) continue;
    else if (Object.hasOwn(unchecked, name)) part.at(name).warn(unchecked[name]!);
    else part.at(name).refuse(`is not understood here; known are ${keys.join(', ')}`);
}

export const namePattern = /^[a-z][a-z0-9_]{0,99}$/;

export function textAt(
  part: Part,
  name: string,
  { pattern = /./, otherwise }: { pattern?: RegExp; otherwise?: string },
): string | null {
  const { value, refuse } = part.at(name);
  if (value === undefined && otherwise !== undefined) return otherwise;
  if (typeof value === 'string' && pattern.test(value)) return value;
  return refuse(pattern === namePattern ? 'must be a name: lower case letters, digits and _' : 'must be a text');
}

export function wholeAt(part: Part, name: string, min: number, max: number): number | undefined {
  const { value, refuse } = part.at(name);
  if (value === undefined || (Number.isInteger(value) && (value as number) >= min && (value as number) <= max))
    return value as number | undefined;
  refuse(`must be a whole number from ${min} to ${max}`);
  return undefined;
}

export function oneAt<const T extends string>(part: Part, name: string, of: readonly T[]): T | undefined {
  const { value, refuse } = part.at(name);
  if (value === undefined || of.includes(value as T)) return value as T | undefined;
  refuse(`must be one of ${of.join(', ')}`);
  return undefined;
}

export function listAt<T>(part: Part, name: string, isItem: (item: unknown) => item is T, what: string): readonly T[] {
  const { value, refuse } = part.at(name);
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isItem)) return value;
  refuse(`must be ${what}`);
  return [];
}

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isAlias = (value: unknown): value is string =>
  isText(value) && /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(value);
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
