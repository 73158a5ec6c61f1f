// UUIDv7 (RFC 9562, §5.7): 48 bits of milliseconds, then 8 bits of a counter where the RFC lets one be (§6.2), the rest random.
// Ids of one page are in the order in which they were made, also within a millisecond and when the clock goes back.

let last = 0;

export function uuidv7(nowMs: number): string {
  last = Math.max(nowMs * 256, last + 1);
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), byte => byte.toString(16).padStart(2, '0'));
  const digits = last.toString(16).padStart(14, '0') + random.join('');
  return digits.replace(/(.{8})(....)(...)(...)/, '$1-$2-7$3-8$4-');
}
