// The one spelling of a value in the log, per kind of field. Whatever is written here, JSON.parse and ClickHouse's
// JSONEachRow read alike; what cannot be written so is null, and the event is rejected.

import type { Field, FieldKind } from '../../schemas/field.ts';
import { isoOf, readTime } from '../../schemas/time.ts';

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
    return time === null ? null : `"${isoOf(time)}"`;
  },
  texts: value => ((value as string[]).every(item => item.isWellFormed()) ? JSON.stringify(value) : null),
};

// A character that JSON escapes, or half of a surrogate pair.
const special = /["\\\u0000-\u001f\ud800-\udfff]/;

function textOf(value: unknown, isPlain = false): string | null {
  const text = value as string;
  if (isPlain || !special.test(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : null;
}

const objectWriter =
  (depthMax: number): Writer =>
  value => {
    let hasExact = false;
    if (!isWritable(value, depthMax)) return null;
    return hasExact ? JSON.stringify(value, exactDigits) : JSON.stringify(value);

    /** Stops at `depthLeft`, so hostile nesting cannot overflow the stack. */
    function isWritable(inner: unknown, depthLeft: number): boolean {
      if (typeof inner === 'string') return inner.isWellFormed();
      if (typeof inner === 'number') return Number.isFinite(inner);
      if (typeof inner === 'bigint') hasExact = true;
      if (typeof inner !== 'object' || inner === null) return true;
      if (depthLeft <= 0) return false;
      for (const [name, deeper] of Object.entries(inner))
        if (!name.isWellFormed() || !isWritable(deeper, depthLeft - 1)) return false;
      return true;
    }
  };

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const exactDigits = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? rawJSON(String(value)) : value;

/** In words, why a writer gave null. */
export const unwritable = (value: unknown, depthMax: number): string =>
  typeof value === 'object' && !Array.isArray(value)
    ? `is nested deeper than ${depthMax} (UGC_JSON_DEPTH_MAX), or holds a number out of range or invalid Unicode`
    : 'holds half of a surrogate pair, which is not valid Unicode';

/** Whether the text takes more than `bytesMax` bytes in UTF-8. Counts them only when it has to. */
export const isLargerThan = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax);
