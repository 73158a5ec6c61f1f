// Values of OpenTelemetry, as proto3 JSON has them, → plain JSON: {"intValue":"1"} → 1. Numbers keep every digit, what is
// no number of JSON (NaN, Infinity) is its name as text, bytes stay base64.
// https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/common/v1/common.proto

import { describe } from '../../../schemas/misfit.ts';
import { isObject } from '../../catalogue/judge.ts';
import type { JsonObject } from '../../catalogue/rejection.ts';
import { Misread } from '../reading.ts';

/** What a value is of, and how deep it may be nested. */
export interface Within {
  /** JSON pointer. */
  readonly path: string;
  readonly depthMax: number;
}

export const misread = (path: string, message: string): Misread => new Misread({ path, message });

/** `[{"key": …, "value": …}]` → an object; of a key that stands twice the last counts. Throws a Misread. */
export const objectOf = (pairs: unknown, within: Within): JsonObject => pairsOf(pairs, within, within.depthMax - 1);

/** Throws a Misread. */
export const plainOf = (given: unknown, within: Within): unknown => anyOf(given, within, within.depthMax);

function pairsOf(given: unknown, within: Within, levels: number): JsonObject {
  const pairs = listOf(given, within.path);
  if (pairs.length === 0) return {};
  return Object.fromEntries(
    pairs.map(pair => {
      if (!isObject(pair)) throw misread(within.path, `expected a key and a value, got ${describe(pair)}`);
      const { key = '', value } = pair;
      if (typeof key !== 'string') throw misread(within.path, `expected text as a key, got ${describe(key)}`);
      return [key, anyOf(value, within, levels)];
    }),
  );
}

/** Stops where no level is left: hostile nesting cannot overflow the stack. */
function anyOf(given: unknown, within: Within, levels: number): unknown {
  if (given === undefined || given === null) return null;
  const { path, depthMax } = within;
  if (levels < 0) throw misread(path, `is nested deeper than ${depthMax} (UGC_JSON_DEPTH_MAX)`);
  if (!isObject(given)) throw misread(path, `expected a value as {"stringValue": …}, got ${describe(given)}`);
  for (const name in given) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (name === 'arrayValue' && isObject(value))
      return listOf(value.values, path).map(item => anyOf(item, within, levels - 1));
    if (name === 'kvlistValue' && isObject(value)) return pairsOf(value.values, within, levels - 1);
    const scalar = scalarOf(name, value);
    if (scalar === null) throw misread(path, `${name} cannot be ${describe(value)}`);
    if (scalar !== undefined) return scalar;
  }
  return null;
}

type Scalar = string | number | bigint | boolean;

/** Null = it is not of that kind; undefined = nobody knows the kind, which is of a newer protocol. */
function scalarOf(name: string, value: unknown): Scalar | null | undefined {
  switch (name) {
    case 'stringValue':
    case 'bytesValue':
      return typeof value === 'string' ? value : null;
    case 'boolValue':
      return typeof value === 'boolean' ? value : null;
    case 'intValue':
      return integerOf(value);
    case 'doubleValue':
      return doubleOf(value);
    case 'arrayValue':
    case 'kvlistValue':
      return null;
    default:
      return undefined;
  }
}

/** A repeated field: null is none. Throws a Misread. */
export function listOf(given: unknown, path: string): readonly unknown[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw misread(path, `expected a list, got ${describe(given)}`);
  return given;
}

const int64Bound = 2n ** 63n;

/** Of 64 bits, as text or as a number; beyond 2^53 a bigint. */
function integerOf(value: unknown): number | bigint | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (typeof value === 'string' && !/^-?\d{1,19}$/.test(value)) return null;
  if (typeof value !== 'string' && typeof value !== 'bigint') return null;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const exact = BigInt(value);
  return exact >= -int64Bound && exact < int64Bound ? exact : null;
}

const notFinite: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

function doubleOf(value: unknown): number | string | null {
  if (notFinite.has(value)) return value as string;
  if (typeof value === 'bigint') return Number(value);
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
