// Reads LZ4 frames (github.com/lz4/lz4: doc/lz4_Frame_format.md, lz4_Block_format.md), which Python's ClickHouse client
// sends by default and Bun has no decoder for. Checksums are not verified: the bytes came over TCP and are parsed next.

/** All frames of `sent`, decoded. Throws on anything that is not LZ4, or more than `bytesMax` of it. */
export function decodeLz4(sent: Buffer, bytesMax: number): Buffer {
  const output = growingBuffer(Math.min(sent.length * 4, bytesMax), bytesMax);
  let at = 0;
  while (at < sent.length) at = decodeFrame(sent, at, output);
  return output.written();
}

const frameMagic = 0x184d2204;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

function decodeFrame(sent: Buffer, start: number, output: GrowingBuffer): number {
  const magic = sent.readUInt32LE(start);
  if (isSkippable(magic)) return start + 8 + sent.readUInt32LE(start + 4);
  if (magic !== frameMagic) throw new Error('not an LZ4 frame');
  const flags = sent.readUInt8(start + 4);
  if (flags >>> 6 !== 1) throw new Error('an unknown version of LZ4 frames');
  const [hasBlockChecksum, hasSize, hasChecksum, hasDictionary] = [flags & 16, flags & 8, flags & 4, flags & 1];
  if (hasDictionary) throw new Error('LZ4 with a dictionary');
  let at = start + 7 + (hasSize ? 8 : 0);
  for (;;) {
    const size = sent.readUInt32LE(at);
    at += 4;
    if (size === 0) return at + (hasChecksum ? 4 : 0);
    const end = at + (size & 0x7fff_ffff);
    if (end > sent.length) throw new Error('a cut LZ4 block');
    if (size >>> 31) output.append(sent, at, end);
    else decodeBlock(sent, at, end, output);
    at = end + (hasBlockChecksum ? 4 : 0);
  }
}

/** Sequences of literals and of copies from what was decoded before, also in earlier blocks. */
function decodeBlock(sent: Buffer, start: number, end: number, output: GrowingBuffer): void {
  let at = start;
  const readLength = (short: number): number => {
    let length = short;
    if (short === 15) {
      let more = 255;
      while (more === 255) {
        more = sent.readUInt8(at++);
        length += more;
      }
    }
    return length;
  };
  while (at < end) {
    const token = sent.readUInt8(at++);
    const literals = readLength(token >>> 4);
    if (at + literals > end) throw new Error('a cut LZ4 sequence');
    output.append(sent, at, at + literals);
    at += literals;
    if (at >= end) return; // the last sequence has no copy
    const distance = sent.readUInt16LE(at);
    at += 2;
    output.repeat(distance, readLength(token & 15) + 4);
  }
}

interface GrowingBuffer {
  append(from: Buffer, start: number, end: number): void;
  /** Again what was written `distance` bytes ago; may overlap itself. */
  repeat(distance: number, length: number): void;
  written(): Buffer;
}

function growingBuffer(bytes: number, bytesMax: number): GrowingBuffer {
  let buffer = Buffer.allocUnsafe(Math.max(bytes, 1024));
  let length = 0;
  const reserve = (more: number): void => {
    if (length + more > bytesMax) throw new Error(`more than ${bytesMax} bytes`);
    if (length + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(length + more, buffer.length * 2));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  return {
    append: (from, start, end) => {
      reserve(end - start);
      length += from.copy(buffer, length, start, end);
    },
    repeat: (distance, count) => {
      if (distance === 0 || distance > length) throw new Error('an LZ4 copy from before the beginning');
      reserve(count);
      if (distance >= count) buffer.copyWithin(length, length - distance, length - distance + count);
      else for (let i = 0; i < count; i++) buffer[length + i] = buffer[length + i - distance]!;
      length += count;
    },
    written: () => buffer.subarray(0, length),
  };
}
