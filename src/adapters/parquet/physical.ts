// What a ClickHouse column type is in a Parquet file, such that Hive 4 and ClickHouse read the same, and how a JSON token
// becomes those bytes.
//
// - Whole numbers are signed and as wide as Hive's types: UInt8 is a smallint, UInt32 a bigint. Hive has no unsigned ones.
// - A UUID is its text: Hive reads sixteen bytes as binary.
// - A time is INT64 milliseconds of a clock without a zone, which shows UTC. Of a point in time Hive would show what the clock
//   showed where it runs, and a cast of a CSV file something else; ClickHouse reads either as the same.
// - A list of texts is the LIST of three levels of the format's description.

import type { Column } from '../../ports/tables.ts';
import { type Bytes, room } from '../../record/growing.ts';
import type { SchemaElement } from './footer.ts';

/** `text` is bytes after their length; `list` is a list of them; the others are as wide as `widths` says. */
export type Kind = 'text' | 'list' | 'int32' | 'int64' | 'time' | 'double' | 'bool';

export interface Physical {
  readonly kind: Kind;
  readonly isNullable: boolean;
  /** Smallest and largest whole number of the column's type. */
  readonly min: number;
  readonly max: number;
  /** The leaf, as the footer describes it. */
  readonly leaf: SchemaElement;
}

export const widths: Readonly<Record<Kind, number>> = {
  ...{ text: 0, list: 0, int32: 4, int64: 8 },
  ...{ time: 8, double: 8, bool: 1 },
};

type Shape = Pick<SchemaElement, 'type' | 'converted_type' | 'logical_type'>;
/** Without the newer name of the same: hyparquet-writer 0.17 spells its width such that ClickHouse reads the footer no more. */
const signed = (bits: 8 | 16): Shape => ({ type: 'INT32', converted_type: `INT_${bits}` });
const words: Shape = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };

const shapes: Readonly<Record<string, readonly [Kind, Shape, min?: number, max?: number]>> = {
  String: ['text', words],
  UUID: ['text', words],
  'Array(String)': ['list', words],
  Int8: ['int32', signed(8), -128, 127],
  UInt8: ['int32', signed(16), 0, 255],
  Int16: ['int32', signed(16), -32_768, 32_767],
  UInt16: ['int32', { type: 'INT32' }, 0, 65_535],
  Int32: ['int32', { type: 'INT32' }, -2_147_483_648, 2_147_483_647],
  UInt32: ['int64', { type: 'INT64' }, 0, 4_294_967_295],
  Int64: ['int64', { type: 'INT64' }],
  UInt64: ['int64', { type: 'INT64' }],
  Float64: ['double', { type: 'DOUBLE' }],
  Bool: ['bool', { type: 'BOOLEAN' }],
  "DateTime64(3, 'UTC')": [
    'time',
    { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' } },
  ],
};

export function physicalOf({ name, type }: Column): Physical {
  const bare = type.replace(/^LowCardinality\((.+)\)$/, '$1');
  const inner = /^Nullable\((.+)\)$/.exec(bare)?.[1];
  const shape = shapes[inner ?? bare];
  if (shape === undefined) throw new Error(`a Parquet file has no column of the type ${type} (${name})`);
  const [kind, leaf, min = -Infinity, max = Infinity] = shape;
  const repetition_type = inner === undefined ? 'REQUIRED' : 'OPTIONAL';
  return {
    ...{ kind, min, max, isNullable: inner !== undefined },
    leaf: { ...leaf, repetition_type, name: kind === 'list' ? 'element' : name },
  };
}

/** The column in the footer's schema: itself, or the three levels of a list. */
export const elementsOf = (name: string, { kind, leaf }: Physical): readonly SchemaElement[] =>
  kind === 'list'
    ? [
        { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        leaf,
      ]
    : [leaf];

/** Appends the value that a JSON token, or the bytes of a text, stand for. Throws where it is none of the column's. */
export function append(target: Bytes, physical: Physical, source: Uint8Array, from: number, to: number): void {
  const width = widths[physical.kind];
  const bytes = room(target, width === 0 ? 4 + to - from : width);
  const at = target.length;
  switch (physical.kind) {
    case 'text':
    case 'list':
      putInt32(bytes, at, to - from);
      copy(source, from, to, bytes, at + 4);
      target.length += 4 + to - from;
      return;
    case 'int32':
      putInt32(bytes, at, wholeAt(physical, source, from, to));
      break;
    case 'int64':
      putInt64Token(bytes, at, { physical, source, from, to });
      break;
    case 'time':
      putInt64(bytes, at, timeAt(source, from, to));
      break;
    case 'double':
      putDouble(bytes, at, numberAt(source, from, to));
      break;
    case 'bool':
      bytes[at] = boolAt(source, from, to);
      break;
  }
  target.length += width;
}

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  if (to - from > 64) target.set(source.subarray(from, to), at);
  else for (let i = from, j = at; i < to; i++, j++) target[j] = source[i] as number;
}

export function putInt32(bytes: Uint8Array, at: number, number: number): void {
  bytes[at] = number;
  bytes[at + 1] = number >>> 8;
  bytes[at + 2] = number >>> 16;
  bytes[at + 3] = number >>> 24;
}

/** How long the text is whose bytes follow. */
export const lengthAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);

/** Of a safe integer. */
function putInt64(bytes: Uint8Array, at: number, number: number): void {
  putInt32(bytes, at, number | 0);
  putInt32(bytes, at + 4, Math.floor(number / 4_294_967_296));
}

interface Token {
  readonly physical: Physical;
  readonly source: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Up to 15 digits are exact as a double; more go through a bigint. */
function putInt64Token(bytes: Uint8Array, at: number, { physical, source, from, to }: Token): void {
  if (to - from <= 15) {
    putInt64(bytes, at, wholeAt(physical, source, from, to));
    return;
  }
  const digits = textOf(source, from, to);
  if (!/^-?\d+$/.test(digits)) throw no('a whole number', source, from, to);
  const integer = BigInt(digits);
  if (integer < -(2n ** 63n) || integer >= 2n ** 63n || integer < physical.min || integer > physical.max)
    throw no('a whole number that its column holds', source, from, to);
  new DataView(bytes.buffer, bytes.byteOffset).setBigInt64(at, integer, true);
}

const textOf = (source: Uint8Array, from: number, to: number): string =>
  Buffer.from(source.buffer, source.byteOffset + from, to - from).toString();

const no = (what: string, source: Uint8Array, from: number, to: number): Error =>
  new Error(`not ${what}: ${textOf(source, from, Math.min(to, from + 100))}`);

function wholeAt({ min, max }: Physical, source: Uint8Array, from: number, to: number): number {
  const isNegative = source[from] === 45;
  let number = 0;
  let at = isNegative ? from + 1 : from;
  if (at >= to || to - at > 15) throw no('a whole number', source, from, to);
  for (; at < to; at++) {
    const digit = (source[at] as number) - 48;
    if (digit < 0 || digit > 9) throw no('a whole number', source, from, to);
    number = number * 10 + digit;
  }
  if (isNegative) number = -number;
  if (number < min || number > max) throw no('a whole number that its column holds', source, from, to);
  return number;
}

function numberAt(source: Uint8Array, from: number, to: number): number {
  const number = Number(textOf(source, from, to));
  if (to === from || !Number.isFinite(number)) throw no('a number', source, from, to);
  return number;
}

const eight = new DataView(new ArrayBuffer(8));

function putDouble(bytes: Uint8Array, at: number, number: number): void {
  eight.setFloat64(0, number, true);
  for (let i = 0; i < 8; i++) bytes[at + i] = eight.getUint8(i);
}

/** true or false; 1 or 0. */
function boolAt(source: Uint8Array, from: number, to: number): number {
  const first = source[from];
  if (first === 116 && to - from === 4) return 1;
  if (first === 102 && to - from === 5) return 0;
  throw no('true or false', source, from, to);
}

const isoLength = 24;
const dayMs = 86_400_000;
let lastDay = '';
let lastDayMs = 0;

/** Epoch milliseconds of YYYY-MM-DDTHH:MM:SS.mmmZ. Days are looked up once: most times of a file are of the same. */
function timeAt(source: Uint8Array, from: number, to: number): number {
  if (to - from !== isoLength || source[to - 1] !== 90) return anyTimeAt(source, from, to);
  if (!isDay(source, from, lastDay)) {
    const day = textOf(source, from, from + 10);
    const ms = Date.parse(`${day}T00:00:00.000Z`);
    if (Number.isNaN(ms)) throw no('a time', source, from, to);
    lastDay = day;
    lastDayMs = ms;
  }
  const ms =
    two(source, from + 11) * 3_600_000 +
    two(source, from + 14) * 60_000 +
    two(source, from + 17) * 1_000 +
    ((source[from + 20] as number) - 48) * 100 +
    two(source, from + 21);
  if (!(ms >= 0 && ms < dayMs)) throw no('a time', source, from, to);
  return lastDayMs + ms;
}

function isDay(source: Uint8Array, from: number, day: string): boolean {
  if (day === '') return false;
  for (let i = 9; i >= 0; i--) if (source[from + i] !== day.charCodeAt(i)) return false;
  return true;
}

const two = (source: Uint8Array, at: number): number =>
  ((source[at] as number) - 48) * 10 + (source[at + 1] as number) - 48;

/** Any other spelling; a time without a zone is UTC, as it is to ClickHouse. */
function anyTimeAt(source: Uint8Array, from: number, to: number): number {
  const text = textOf(source, from, to).replace(' ', 'T');
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms)) throw no('a time', source, from, to);
  return ms;
}
