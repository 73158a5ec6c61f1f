// The one spelling of a value in the log, per kind of field. Whatever is written here, JSON.parse and ClickHouse's
// JSONEachRow read alike, and of a free object isValidJSON, JSONExtract* and ::JSON as well; what cannot be written so is
// null, and the event is rejected.

import type { Field, FieldKind } from '../../schemas/field.ts';
import { type Misfit, pointerOf } from '../../schemas/misfit.ts';
import { isoTextOf, readTime } from '../../schemas/time.ts';

/**
 * The JSON text of a judged value; null for half a surrogate pair, nesting beyond the depth, a number beyond doubles.
 * `isPlain`: it is known to hold no character that JSON escapes, and no half of a surrogate pair.
 */
export type Writer = (value: unknown, isPlain?: boolean) => string | null;

/** How the values of a field are written. `depthMax`: levels of nesting a value may have. */
export function writerOf({ kind, absent }: Pick<Field, 'kind' | 'absent'>, depthMax: number): Writer {
  const write = kind === 'object' ? objectWriter(depthMax) : writers[kind];
  return absent === 'null' ? (value, isPlain) => (value === null ? 'null' : write(value, isPlain)) : write;
}

const writers: Readonly<Record<Exclude<FieldKind, 'object'>, Writer>> = {
  text: textOf,
  number: String, // of -0 it is 0
  boolean: String,
  // A number, the text of its digits, or a bigint; digits are canonical by the validator.
  integer64: String,
  uuid: value => `"${(value as string).toLowerCase()}"`,
  time: value => {
    const time = readTime(value);
    return time === null ? null : `"${isoTextOf(time)}"`;
  },
  texts: value => ((value as string[]).every(item => item.isWellFormed()) ? JSON.stringify(value) : null),
};

/** A character that JSON escapes, or half of a surrogate pair. */
export const special = /["\\\u0000-\u001f\ud800-\udfff]/;

function textOf(value: unknown, isPlain = false): string | null {
  const text = value as string;
  if (isPlain || !special.test(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : null;
}

const objectWriter =
  (depthMax: number): Writer =>
  value => {
    let needsSpelling = false;
    if (!isWritable(value, depthMax)) return null;
    return needsSpelling ? JSON.stringify(value, spelled) : JSON.stringify(value);

    /** Stops at `depthLeft`, so hostile nesting cannot overflow the stack. */
    function isWritable(inner: unknown, depthLeft: number): boolean {
      if (typeof inner === 'string') return inner.isWellFormed();
      needsSpelling ||= needsAnother(inner);
      if (typeof inner === 'number') return Number.isFinite(inner);
      if (typeof inner !== 'object' || inner === null) return true;
      if (depthLeft <= 0) return false;
      for (const [name, deeper] of Object.entries(inner))
        if (!name.isWellFormed() || !isWritable(deeper, depthLeft - 1)) return false;
      return true;
    }
  };

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const integerMin = -(2n ** 63n);
const integerMax = 2n ** 64n - 1n;

/**
 * Whether JSON.stringify writes it as digits alone though no integer of 64 bits is so large. Where such digits
 * stand, ClickHouse's readers of JSON find nothing in the whole object; with an exponent they read the double it is.
 */
const isBareBeyond64Bits = (value: number): boolean =>
  (value >= 2 ** 64 || value <= -(2 ** 63)) && Math.abs(value) < 1e21;

const needsAnother = (value: unknown): boolean =>
  typeof value === 'bigint' || (typeof value === 'number' && isBareBeyond64Bits(value));

/** An integer of 64 bits to its last digit, signed or not; a larger one as the double next to it, with an exponent. */
function spelled(_: string, value: unknown): unknown {
  if (typeof value === 'bigint')
    return rawJSON(value >= integerMin && value <= integerMax ? String(value) : Number(value).toExponential());
  return needsAnother(value) ? rawJSON((value as number).toExponential()) : value;
}

/**
 * Why a writer of that depth gave null, and where in the field's value: a JSON pointer into it, empty = the value itself.
 * The event around the field is one level more.
 */
export function unwritable(value: unknown, depthMax: number): Misfit {
  const isFree = typeof value === 'object' && value !== null && !Array.isArray(value);
  return faultOf(value, isFree ? depthMax : 1, '') ?? { path: '', message: 'cannot be written' };

  function faultOf(inner: unknown, depthLeft: number, path: string): Misfit | null {
    if (typeof inner === 'string') return inner.isWellFormed() ? null : { path, message: halfPair };
    if (typeof inner === 'number') return Number.isFinite(inner) ? null : { path, message: outOfRange };
    if (typeof inner !== 'object' || inner === null) return null;
    if (depthLeft <= 0) return { path, message: `is nested deeper than ${depthMax + 1} (UGC_JSON_DEPTH_MAX)` };
    for (const [name, deeper] of Object.entries(inner)) {
      if (!name.isWellFormed()) return { path, message: `has a name that ${halfPair}` };
      const fault = faultOf(deeper, depthLeft - 1, below(path, name));
      if (fault !== null) return fault;
    }
    return null;
  }
}

const halfPair = 'holds half of a surrogate pair, which is not valid Unicode';
const outOfRange = 'is a number out of range: larger than any double';

/** A longer pointer stops at an object around the place. */
const pointerLengthMax = 500;

const below = (path: string, name: string): string =>
  path.length >= pointerLengthMax ? path : `${path}/${pointerOf(name)}`;

/** Whether the text takes more than `bytesMax` bytes in UTF-8. Counts them only when it has to. */
export const isLargerThan = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax);
