// Stored bodies taken apart into the fields of their definition, without making values of them: bytes from here to there.
// For those who write files of columns. JSON.parse costs more, loses the digits of integers beyond 2^53, and the spelling
// of numbers in free JSON.
//
// A stored body has every key of its definition in order, and no white space. Any other spelling of the same keys is
// read too, slower. A key the definition does not know is an error: dropped without a word it would be lost for ever.

import type { TableDefinition } from '../ports/tables.ts';

/** Takes the values of one column, row by row. */
export interface FieldTaker {
  /** A text without its quotes and escapes (`isText`), or any other JSON value as it is spelt. The bytes are lent. */
  take(source: Uint8Array, from: number, to: number, isText: boolean): void;
  /** The body has no such key. */
  absent(): void;
}

/** What stands in a row for a column: `from`, `to` and one of these. */
const absent = 0;
const value = 1;
const text = 2;
const escapedText = 3;

const lineFeed = 10;
const quote = 34;
const comma = 44;
const colon = 58;
const backslash = 92;
const openList = 91;
const closeList = 93;
const openObject = 123;
const closeObject = 125;

/** Who takes which column: its place in the definition. Of a row they are fed in the order they stand in. */
export interface Taking {
  readonly column: number;
  readonly taker: FieldTaker;
}

/** Feeds the takers with every body of the chunks; `eachRow` after each of them. */
export function takeBodies(
  { type, columns }: TableDefinition,
  chunks: readonly Uint8Array[],
  takings: readonly Taking[],
  eachRow: (bytes: number) => void,
): void {
  const heads = columns.map(({ name }, at) => Buffer.from(`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`));
  const places = new Map(columns.map(({ name }, at) => [name, at]));
  const found = new Int32Array(columns.length * 3);
  for (const bytes of wholeLines(chunks)) {
    let at = 0;
    while (at < bytes.length) {
      if (bytes[at] === lineFeed) {
        at++;
        continue;
      }
      let end = inOrder(bytes, at, heads, found);
      if (end < 0) {
        end = lineEnd(bytes, at);
        inAnyOrder(bytes, { from: at, to: end }, { type, places, found });
      }
      for (let i = 0; i < takings.length; i++) {
        const { column, taker } = takings[i] as Taking;
        const from = found[column * 3] as number;
        const to = found[column * 3 + 1] as number;
        const what = found[column * 3 + 2];
        if (what === absent) taker.absent();
        else if (what === escapedText) {
          const plain = unescaped(bytes, from, to);
          taker.take(plain, 0, plain.length, true);
        } else taker.take(bytes, from, to, what === text);
      }
      eachRow(end - at);
      at = end + 1;
    }
  }
}

/** Chunks that end with a line, or are the last: a body that goes on in the next chunk is put together. */
function* wholeLines(chunks: readonly Uint8Array[]): Iterable<Uint8Array> {
  let rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end === 0) {
      rest.push(chunk);
      continue;
    }
    if (rest.length === 0) yield chunk.subarray(0, end);
    else yield Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = end < chunk.length ? [chunk.subarray(end)] : [];
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

const lineEnd = (bytes: Uint8Array, from: number): number => {
  const end = bytes.indexOf(lineFeed, from);
  return end < 0 ? bytes.length : end;
};

/** Where the body's line ends, if it has each key in order and no white space; else -1. */
function inOrder(bytes: Uint8Array, from: number, heads: readonly Uint8Array[], found: Int32Array): number {
  let at = from;
  for (let column = 0; column < heads.length; column++) {
    const head = heads[column] as Uint8Array;
    for (let i = 0; i < head.length; i++) if (bytes[at + i] !== head[i]) return -1;
    at = valueEnd(bytes, at + head.length, found, column * 3);
    if (at < 0) return -1;
  }
  if (bytes[at] !== closeObject) return -1;
  at++;
  return at === bytes.length || bytes[at] === lineFeed ? at : -1;
}

/** Notes the value that begins at `from` in `found` at `slot`, and says where what follows it begins; -1 = no value. */
function valueEnd(bytes: Uint8Array, from: number, found: Int32Array, slot: number): number {
  const first = bytes[from];
  if (first === quote) {
    let at = from + 1;
    let what = text;
    for (let byte = bytes[at]; byte !== quote; byte = bytes[++at]) {
      if (byte === backslash) {
        what = escapedText;
        at++;
      } else if (byte === undefined) return -1;
    }
    found[slot] = from + 1;
    found[slot + 1] = at;
    found[slot + 2] = what;
    return at + 1;
  }
  let at = from;
  if (first === openObject || first === openList) at = nestedEnd(bytes, from);
  else
    for (let byte = bytes[at]; byte !== comma && byte !== closeObject; byte = bytes[++at])
      if (byte === undefined || byte <= 32 || byte === colon || byte === quote) return -1;
  if (at <= from) return -1;
  found[slot] = from;
  found[slot + 1] = at;
  found[slot + 2] = value;
  return at;
}

/** After the bracket that closes the one at `from`; -1 = there is none. */
function nestedEnd(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      for (at++; bytes[at] !== quote; at++) {
        if (bytes[at] === backslash) at++;
        if (at >= bytes.length) return -1;
      }
    } else if (byte === openObject || byte === openList) depth++;
    else if ((byte === closeObject || byte === closeList) && --depth === 0) return at + 1;
  }
  return -1;
}

interface Wanted {
  readonly type: string;
  readonly places: ReadonlyMap<string, number>;
  readonly found: Int32Array;
}

/** The same for any other spelling of a body. Throws where it is none, or has a key that the definition does not know. */
function inAnyOrder(bytes: Uint8Array, line: { from: number; to: number }, { type, places, found }: Wanted): void {
  const body = bytes.subarray(0, line.to);
  const no = (why: string) =>
    new Error(`a stored ${type} ${why}: ${Buffer.from(body.subarray(line.from)).toString().slice(0, 200)}`);
  found.fill(absent);
  const name = new Int32Array(3);
  let at = afterSpace(body, line.from);
  if (body[at] !== openObject) throw no('is no JSON object');
  at = afterSpace(body, at + 1);
  while (body[at] !== closeObject) {
    if (body[at] !== quote) throw no('is no JSON');
    at = valueEnd(body, at, name, 0);
    if (at < 0) throw no('is no JSON');
    const key = unescaped(body, name[0] as number, name[1] as number).toString();
    at = afterSpace(body, at);
    if (body[at] !== colon) throw no('is no JSON');
    const column = places.get(key);
    if (column === undefined) throw no(`has a field that its definition has not (${key})`);
    at = spacedValueEnd(body, afterSpace(body, at + 1), found, column * 3);
    if (at < 0) throw no('is no JSON');
    at = afterSpace(body, at);
    if (body[at] === comma) at = afterSpace(body, at + 1);
    else if (body[at] !== closeObject) throw no('is no JSON');
  }
  if (afterSpace(body, at + 1) !== body.length) throw no('is followed by something else in its line');
}

function spacedValueEnd(bytes: Uint8Array, from: number, found: Int32Array, slot: number): number {
  const first = bytes[from];
  if (first === quote || first === openObject || first === openList) return valueEnd(bytes, from, found, slot);
  let at = from;
  while (at < bytes.length && !isSpace(bytes[at]) && bytes[at] !== comma && bytes[at] !== closeObject) at++;
  if (at === from) return -1;
  found[slot] = from;
  found[slot + 1] = at;
  found[slot + 2] = value;
  return at;
}

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 9 || byte === 13;

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

/** The UTF-8 of the text that is spelt between quotes so. */
const unescaped = (bytes: Uint8Array, from: number, to: number): Buffer =>
  Buffer.from(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + from - 1, to - from + 2).toString()) as string);
