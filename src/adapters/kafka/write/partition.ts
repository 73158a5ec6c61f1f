// Which partition a key belongs to: as the Java client decides, so that other producers' records of the same user land
// beside ours. murmur2 of the key's bytes (org.apache.kafka.common.utils.Utils), positive, modulo the partitions.

const scratch = Buffer.allocUnsafe(4_096);

export function partitionOf(key: string, partitions: number): number {
  const bytes = key.length * 3 <= scratch.length ? scratch : Buffer.from(key);
  const length = bytes === scratch ? scratch.write(key) : bytes.length;
  return (murmur2(bytes, length) & 0x7fffffff) % partitions;
}

/** A 32-bit number, signed. */
export function murmur2(bytes: Uint8Array, length: number): number {
  const m = 0x5bd1e995;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    hash = Math.imul(hash, m) ^ Math.imul(k, m);
  }
  const left = length - at;
  if (left > 2) hash ^= bytes[at + 2]! << 16;
  if (left > 1) hash ^= bytes[at + 1]! << 8;
  if (left > 0) hash = Math.imul(hash ^ bytes[at]!, m);
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return hash ^ (hash >>> 15);
}
