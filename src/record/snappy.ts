// Reads Snappy (github.com/google/snappy/blob/main/format_description.txt), bare as librdkafka writes it or in the chunks
// of snappy-java's stream (a magic of 16 bytes, then lengths and blocks), which is what Java producers send.

const streamMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** Throws on anything that is not Snappy, or more than `bytesMax` of it. */
export function decodeSnappy(packed: Buffer, bytesMax: number): Buffer {
  if (!packed.subarray(0, 8).equals(streamMagic)) return decodeBlock(packed, bytesMax);
  const blocks: Buffer[] = [];
  let room = bytesMax;
  for (let at = 16; at < packed.length; ) {
    const end = at + 4 + packed.readInt32BE(at);
    if (end > packed.length || end < at + 4) throw new Error('a cut Snappy stream');
    const block = decodeBlock(packed.subarray(at + 4, end), room);
    blocks.push(block);
    room -= block.length;
    at = end;
  }
  return Buffer.concat(blocks);
}

function decodeBlock(packed: Buffer, bytesMax: number): Buffer {
  let at = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = packed.readUInt8(at++);
    size += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (size > bytesMax) throw new Error(`more than ${bytesMax} bytes`);
  const plain = Buffer.allocUnsafe(size);
  let length = 0;
  while (at < packed.length) {
    const tag = packed.readUInt8(at++);
    if ((tag & 3) === 0) {
      const short = tag >>> 2;
      const more = Math.max(short - 59, 0); // bytes the length takes when it is no short one
      const count = (more === 0 ? short : packed.readUIntLE(at, more)) + 1;
      at += more;
      if (at + count > packed.length || length + count > size) throw new Error('a cut Snappy literal');
      packed.copy(plain, length, at, at + count);
      at += count;
      length += count;
      continue;
    }
    const copy = readCopy(packed, at, tag);
    at = copy.end;
    if (copy.distance === 0 || copy.distance > length || length + copy.count > size)
      throw new Error('a Snappy copy out of bounds');
    for (let index = 0; index < copy.count; index++, length++) plain[length] = plain[length - copy.distance]!;
  }
  if (length !== size) throw new Error('a cut Snappy block');
  return plain;
}

function readCopy(packed: Buffer, at: number, tag: number) {
  if ((tag & 3) === 1)
    return { count: ((tag >>> 2) & 7) + 4, distance: ((tag >>> 5) << 8) | packed.readUInt8(at), end: at + 1 };
  if ((tag & 3) === 2) return { count: (tag >>> 2) + 1, distance: packed.readUInt16LE(at), end: at + 2 };
  return { count: (tag >>> 2) + 1, distance: packed.readUInt32LE(at), end: at + 4 };
}
