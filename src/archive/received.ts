// When the edge took an event, read from the bytes of its body: millions of them go by, and only this is asked of each.

const label = Buffer.from('"received_at":"');
/** From the label's end: `2026-11-28 12:34:56.789`, or with T. */
const timeLength = 23;
/** The label stands within this of a body's beginning: behind the id, the type and the version. */
const labelWithin = 220;

/** Epoch milliseconds, UTC; null: it does not stand where an edge puts it. */
export function receivedAtOf(bytes: Uint8Array, from: number, to: number): number | null {
  const at = labelAt(bytes, from, Math.min(to, from + labelWithin));
  if (at < 0 || at + timeLength > to) return null;
  const ms = Date.UTC(
    number(bytes, at, 4),
    number(bytes, at + 5, 2) - 1,
    number(bytes, at + 8, 2),
    number(bytes, at + 11, 2),
    number(bytes, at + 14, 2),
    number(bytes, at + 17, 2),
    number(bytes, at + 20, 3),
  );
  return Number.isNaN(ms) ? null : ms;
}

function labelAt(bytes: Uint8Array, from: number, to: number): number {
  next: for (let at = from; at + label.length <= to; at++) {
    for (let i = 0; i < label.length; i++) if (bytes[at + i] !== label[i]) continue next;
    return at + label.length;
  }
  return -1;
}

/** NaN where something is no digit. */
function number(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
