// Lines of a CSV file of ours as stored bodies again. Bytes are moved, not made into texts: a field that is escaped nowhere is
// copied as it is.

import { type Column, columnsByPlace, type TableDefinition } from '../../ports/tables.ts';
import { type Bytes, bytesOf, room } from '../../record/growing.ts';
import { headsOf } from '../../record/spell.ts';

/** Of the file, at the least, for a chunk that is given back. */
const chunkBytes = 1_048_576;

const lineFeed = 10;
const quote = 34;
const comma = 44;
const letterN = 78;
const backslash = 92;
const closing = Buffer.from('}\n');
const nothing = Buffer.from('null');

/** A file of fewer columns is of before the type has grown: new columns come last. More columns are an error. */
export async function* decodeCsv(definition: TableDefinition, file: Uint8Array): AsyncIterable<Uint8Array> {
  const lying = columnsByPlace(definition);
  const heads = headsOf(definition.columns);
  const fields = definition.columns.map((column, at) => ({
    place: lying.indexOf(column),
    head: Buffer.from(heads[at] as string),
    type: column.type,
    isText: isText(column),
  }));
  if (file.length > 0 && file.at(-1) !== lineFeed) throw new Error('the file ends within a line');
  const places = placesOf(lying.length);
  for (let from = 0; from < file.length; ) {
    const to = file.indexOf(lineFeed, Math.min(from + chunkBytes, file.length) - 1) + 1;
    const bodies = bytesOf((to - from) * 2);
    for (let at = from; at < to; ) {
      at = findFields(file, at, places);
      putBody(bodies, file, fields, places);
    }
    yield bodies.bytes.subarray(0, bodies.length);
    from = to;
  }
}

interface Field {
  /** In a line. */
  readonly place: number;
  readonly head: Uint8Array;
  readonly type: string;
  readonly isText: boolean;
}

/** Where the fields of a line lie, without their quotes. */
interface Places {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 1 = something in it stands for something else. */
  readonly isEscaped: Uint8Array;
  /** Fields of the line. */
  count: number;
}

const placesOf = (max: number): Places => ({
  from: new Int32Array(max),
  to: new Int32Array(max),
  isEscaped: new Uint8Array(max),
  count: 0,
});

/** Returns where the next line begins. */
function findFields(file: Uint8Array, lineAt: number, places: Places): number {
  const max = places.from.length;
  places.count = 0;
  for (let at = lineAt; ; ) {
    if (places.count === max) throw new Error(`a line has more than ${max} fields`);
    const end = file[at] === quote ? quotedField(file, at + 1, places) : plainField(file, at, places);
    places.count++;
    if (file[end] === lineFeed) return end + 1;
    if (file[end] !== comma)
      throw new Error(`a field goes on after its quote: ${Buffer.from(file.subarray(at, end + 20)).toString()}`);
    at = end + 1;
  }
}

/** Returns where its separator or line feed is. */
function plainField(file: Uint8Array, from: number, { from: starts, to: ends, isEscaped, count }: Places): number {
  let at = from;
  let escaped = 0;
  for (let byte = file[at]; byte !== comma && byte !== lineFeed; byte = file[++at]) if (byte === backslash) escaped = 1;
  starts[count] = from;
  ends[count] = at;
  isEscaped[count] = escaped;
  return at;
}

/** Returns what is behind its last quote. */
function quotedField(file: Uint8Array, from: number, { from: starts, to: ends, isEscaped, count }: Places): number {
  let at = from;
  let escaped = 0;
  for (; ; at++) {
    const byte = file[at];
    if (byte === undefined || byte === lineFeed) throw new Error('a quote is not closed');
    if (byte === backslash) escaped = 1;
    if (byte !== quote) continue;
    if (file[at + 1] !== quote) break;
    escaped = 1;
    at++;
  }
  starts[count] = from;
  ends[count] = at;
  isEscaped[count] = escaped;
  return at + 1;
}

/** In the order of the definition, which is that of stored bodies; what the line has no field for is left out. */
function putBody(bodies: Bytes, file: Uint8Array, fields: readonly Field[], places: Places): void {
  for (const { place, head, type, isText } of fields) {
    if (place >= places.count) continue;
    const from = places.from[place] as number;
    const to = places.to[place] as number;
    put(bodies, head);
    if (to - from === 2 && file[from] === backslash && file[from + 1] === letterN) put(bodies, nothing);
    else if (isText) putText(bodies, file, from, to);
    else if (from === to) throw new Error(`nothing in a column of the type ${type}`);
    else if (places.isEscaped[place] === 0) putRange(bodies, file, from, to);
    else putPlain(bodies, file, from, to);
  }
  put(bodies, closing);
}

function put(bodies: Bytes, piece: Uint8Array): void {
  const bytes = room(bodies, piece.length);
  for (let i = 0; i < piece.length; i++) bytes[bodies.length++] = piece[i] as number;
}

function putRange(bodies: Bytes, file: Uint8Array, from: number, to: number): void {
  const bytes = room(bodies, to - from);
  let at = bodies.length;
  for (let i = from; i < to; i++) bytes[at++] = file[i] as number;
  bodies.length = at;
}

/** JSON as it stands in the field: of what is escaped there nothing is left. */
function putPlain(bodies: Bytes, file: Uint8Array, from: number, to: number): void {
  const bytes = room(bodies, to - from);
  for (let i = from; i < to; i++) {
    const byte = file[i] as number;
    if (byte === quote) i++;
    bytes[bodies.length++] = byte === backslash ? unescaped(file, ++i, to) : byte;
  }
}

/** A string of JSON, spelt as JSON.stringify spells it. */
function putText(bodies: Bytes, file: Uint8Array, from: number, to: number): void {
  const bytes = room(bodies, (to - from) * 6 + 2);
  let at = bodies.length;
  bytes[at++] = quote;
  for (let i = from; i < to; i++) {
    let byte = file[i] as number;
    if (byte === quote) i++;
    else if (byte === backslash) byte = unescaped(file, ++i, to);
    if (byte >= 32 && byte !== quote && byte !== backslash) bytes[at++] = byte;
    else {
      const spelt = spellings[byte] as Uint8Array;
      for (let s = 0; s < spelt.length; s++) bytes[at++] = spelt[s] as number;
    }
  }
  bytes[at++] = quote;
  bodies.length = at;
}

/** Of what does not stand for itself in a string of JSON. */
const spellings: readonly (Uint8Array | undefined)[] = Array.from({ length: backslash + 1 }, (_, byte) =>
  byte < 32 || byte === quote || byte === backslash
    ? Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
    : undefined,
);

const letters: Readonly<Record<number, number>> = { 115: backslash, 110: lineFeed, 114: 13 };

function unescaped(file: Uint8Array, at: number, to: number): number {
  const plain = at < to ? letters[file[at] as number] : undefined;
  if (plain === undefined)
    throw new Error(
      `${Buffer.from(file.subarray(at - 1, Math.min(at + 1, to))).toString()} stands for nothing in a text`,
    );
  return plain;
}

const isText = ({ type, isJson }: Column): boolean =>
  /String|UUID|DateTime64/.test(type) && !type.includes('Array(') && isJson !== true;
