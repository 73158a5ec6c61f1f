// The records of a compressed batch as they were. Foreign producers choose the codec; what is none of these is an error
// in words, as nothing may be skipped.

import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decodeLz4 } from '../../../record/lz4-frame.ts';
import { decodeSnappy } from '../../../record/snappy.ts';

/** A batch that grows beyond this is a bomb, or a mistake. */
const plainBytesMax = 256 * 2 ** 20;

/** `codec` is the lowest three bits of a batch's attributes, not 0. Throws on damaged bytes and unknown codecs. */
export function decompress(packed: Buffer, codec: number): Buffer {
  switch (codec) {
    case 1:
      return gunzipSync(packed, { maxOutputLength: plainBytesMax });
    case 2:
      return decodeSnappy(packed, plainBytesMax);
    case 3:
      return decodeLz4(packed, plainBytesMax);
    case 4:
      return zstdDecompressSync(packed, { maxOutputLength: plainBytesMax });
    default:
      throw new Error(`compressed by something unknown (codec ${codec})`);
  }
}
