// Values of a record of theirs, by path, and what a mapping makes of them.
//
// A path is names with dots between them. What is left of it may be one name with dots (a column `a.b` of a CSV file). A name
// that ends in * is the first that begins so. A text that holds a JSON object is gone into: Parquet and CSV keep objects so.

import { isObject } from '../catalogue/judge.ts';
import { parseJson } from '../record/json.ts';
import type { Source, Time } from './import-mapping.ts';

type Paths = string | readonly string[];

/** Undefined where nothing is said: absent, null, or an empty text, which is what CSV has for them. */
export function valueAt(record: unknown, paths: Paths): unknown {
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    const value = follow(record, path);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return undefined;
}

function follow(value: unknown, path: string): unknown {
  const object = objectOf(value);
  if (object === null) return undefined;
  if (Object.hasOwn(object, path)) return object[path];
  const dot = path.indexOf('.');
  const name = dot < 0 ? path : path.slice(0, dot);
  const key = name.endsWith('*') ? Object.keys(object).find(key => key.startsWith(name.slice(0, -1))) : name;
  if (key === undefined || !Object.hasOwn(object, key)) return undefined;
  return dot < 0 ? object[key] : follow(object[key], path.slice(dot + 1));
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  if (isObject(value)) return value;
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return null;
  const parsed = jsonOf(value);
  return isObject(parsed) ? parsed : null;
}

/** The text itself where it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Undefined: the field is left out. */
export function mappedValue(record: unknown, source: Source): unknown {
  if (typeof source === 'string' || Array.isArray(source)) return plainOf(valueAt(record, source));
  if ('constant' in source) return source.constant;
  if ('object' in source) return objectFrom(record, source.object);
  const found = plainOf(valueAt(record, source.path));
  if (found === undefined) return source.default;
  const named = source.values?.[String(found)] ?? (isNulled(source.values, found) ? null : found);
  const { times, as } = source;
  return typedOf(times === undefined ? named : scaled(named, times), as);
}

/** What is no number stays as it is, for the judge to say so. */
const scaled = (value: unknown, times: number): unknown =>
  value === null || Number.isNaN(Number(value)) ? value : Number(value) * times;

const isNulled = (values: Readonly<Record<string, unknown>> | undefined, found: unknown): boolean =>
  values !== undefined && Object.hasOwn(values, String(found));

function objectFrom(record: unknown, sources: Readonly<Record<string, Source>>): unknown {
  const entries = Object.entries(sources)
    .map(([name, source]) => [name, mappedValue(record, source)] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

/** A Date of Parquet as text. */
const plainOf = (value: unknown): unknown =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;

/** What cannot be one stays as it is, for the judge to say so. */
function typedOf(value: unknown, as: 'text' | 'number' | 'integer' | 'boolean' | 'json' | undefined): unknown {
  if (value === null || as === undefined) return value;
  if (as === 'text') return typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (as === 'json') return typeof value === 'string' ? jsonOf(value) : value;
  if (as === 'boolean') return booleans.get(String(value).toLowerCase()) ?? value;
  const text = String(value).trim();
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) return value;
  if (as === 'number') return number;
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : Math.round(number);
}

const booleans = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
]);

const unitMs = { s: 1000, ms: 1, us: 0.001 };
const withoutZone = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/;
const zoneUtc = / ?UTC$/;

/** ISO 8601, or what was there when it is no time; undefined when nothing was. A time without a zone is UTC. */
export function timeOf(record: unknown, time: Time): unknown {
  const [paths, unit] = typeof time === 'string' || Array.isArray(time) ? [time, undefined] : [time.path, time.unit];
  const found = plainOf(valueAt(record, paths));
  if (typeof found === 'number' || typeof found === 'bigint') return Math.floor(Number(found) * unitMs[unit ?? 'ms']);
  if (typeof found !== 'string') return found;
  if (/^-?\d+(\.\d+)?$/.test(found)) return Math.floor(Number(found) * unitMs[unit ?? 'ms']);
  const text = found.replace(zoneUtc, '').replace(' ', 'T');
  return withoutZone.test(text) ? `${text}Z` : zoneUtc.test(found) ? `${text}Z` : text;
}
