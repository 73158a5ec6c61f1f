// UUIDv7 (RFC 9562, §5.7): 48 bits of milliseconds, then 8 bits of a counter where the RFC lets one be (§6.2), the rest random.
// Ids of one page are in the order in which they were made, also within a millisecond and when the clock goes back.

let last = 0;

export function uuidv7(nowMs: number): string {
  last = Math.max(nowMs * 256, last + 1);
  const time = last.toString(16).padStart(14, '0');
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  bytes[1] = (bytes[1]! & 63) | 128; // the variant
  const random = Array.from(bytes, byte => (byte + 256).toString(16).slice(1)).join('');
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${time.slice(12)}${random[0]}-${random.slice(2, 6)}-${random.slice(6)}`;
}
