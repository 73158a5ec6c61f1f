// The one spelling of a value in the log. Whatever is written here, JSON.parse and ClickHouse's JSONEachRow read alike;
// what cannot be written so is null, and the event is rejected.

// A character that JSON escapes, or half of a surrogate pair.
const special = /["\\\u0000-\u001f\ud800-\udfff]/;

/** The JSON text of a judged value; null for half a surrogate pair, nesting beyond `depthMax`, a number beyond doubles. */
export function jsonOf(value: unknown, depthMax: number): string | null {
  if (typeof value === 'string') {
    if (!special.test(value)) return `"${value}"`;
    return value.isWellFormed() ? JSON.stringify(value) : null;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return isWritable(value, depthMax) ? JSON.stringify(value) : null;
}

/** Stops at `depthLeft`, so hostile nesting cannot overflow the stack. */
function isWritable(value: unknown, depthLeft: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depthLeft <= 0) return false;
  for (const [name, inner] of Object.entries(value))
    if (!name.isWellFormed() || !isWritable(inner, depthLeft - 1)) return false;
  return true;
}

/** In words, why `jsonOf` gave null. */
export const unwritable = (value: unknown, depthMax: number): string =>
  typeof value === 'string'
    ? 'holds half of a surrogate pair, which is not valid Unicode'
    : `is nested deeper than ${depthMax} (UGC_JSON_DEPTH_MAX), or holds a number out of range or invalid Unicode`;

/** Whether the text takes more than `bytesMax` bytes in UTF-8. Counts them only when it has to. */
export const isLargerThan = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax);
