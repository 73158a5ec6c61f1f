// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of a record batch. Slicing-by-8 (Kounavis and Berry, 2005):
// eight tables, eight bytes a step, because a table lookup a byte would cost more than the rest of the encoder.

/** Reversed 0x1EDC6F41. */
const polynomial = 0x82f63b78;

const tables = Array.from({ length: 8 }, () => new Int32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[0]![byte] = crc;
}
for (let slice = 1; slice < 8; slice++)
  for (let byte = 0; byte < 256; byte++) {
    const before = tables[slice - 1]![byte]!;
    tables[slice]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
  }
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Of bytes[from..to), as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  let at = from;
  for (const end = to - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 255]! ^
      t6[(crc >>> 8) & 255]! ^
      t5[(crc >>> 16) & 255]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = t0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
