// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of a record batch. Slicing-by-16 (Kounavis and Berry, 2005,
// with twice their tables): sixteen bytes a step, because a table lookup a byte would cost more than the rest of the
// encoder. Only the first four bytes of a step wait for the step before.

/** Reversed 0x1EDC6F41. */
const polynomial = 0x82f63b78;

const tables = Array.from({ length: 16 }, () => new Int32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[0]![byte] = crc;
}
for (let slice = 1; slice < tables.length; slice++)
  for (let byte = 0; byte < 256; byte++) {
    const before = tables[slice - 1]![byte]!;
    tables[slice]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
  }
type Tables = [Int32Array, Int32Array, Int32Array, Int32Array];
const [t0, t1, t2, t3] = tables as Tables;
const [t4, t5, t6, t7] = tables.slice(4) as Tables;
const [t8, t9, t10, t11] = tables.slice(8) as Tables;
const [t12, t13, t14, t15] = tables.slice(12) as Tables;

/** Of bytes[from..to), as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = -1;
  let at = from;
  for (const end = to - 15; at < end; at += 16) {
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    const rest =
      t11[b & 255]! ^
      t10[(b >>> 8) & 255]! ^
      t9[(b >>> 16) & 255]! ^
      t8[b >>> 24]! ^
      (t7[c & 255]! ^ t6[(c >>> 8) & 255]! ^ t5[(c >>> 16) & 255]! ^ t4[c >>> 24]!) ^
      (t3[d & 255]! ^ t2[(d >>> 8) & 255]! ^ t1[(d >>> 16) & 255]! ^ t0[d >>> 24]!);
    const a = crc ^ view.getInt32(at, true);
    crc = rest ^ (t15[a & 255]! ^ t14[(a >>> 8) & 255]!) ^ (t13[(a >>> 16) & 255]! ^ t12[a >>> 24]!);
  }
  for (; at < to; at++) crc = t0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
