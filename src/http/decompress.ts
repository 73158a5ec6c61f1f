// Content-Encoding, undone: gzip, deflate (zlib-wrapped or raw), br, zstd; never more than `bytesMax` bytes out, in
// threads of the runtime so that a bomb stalls no other request. A body cut short is refused, not half read.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { messageOf, PipelineError } from '../errors.ts';

type Decompress = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

const gunzip: Decompress = promisify(zlib.gunzip);
const inflate: Decompress = promisify(zlib.inflate);
const inflateRaw: Decompress = promisify(zlib.inflateRaw);
const brotli: Decompress = promisify(zlib.brotliDecompress);
const zstd: Decompress = promisify(zlib.zstdDecompress);

const decompressors: Record<string, Decompress> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: (bytes, options) => (isZlib(bytes) ? inflate : inflateRaw)(bytes, options),
  br: brotli,
  // The runtime's zstd returns what it has of a truncated body without an error.
  zstd: async (bytes, options) => {
    if (!isWholeZstd(bytes)) throw new Error('unexpected end of data');
    return zstd(bytes, options);
  },
};

export const encodings = Object.keys(decompressors);

/** Rejects with `unsupported_media_type`, `too_large` or `bad_request`. */
export async function decompress(bytes: Uint8Array, encoding: string, bytesMax: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return bytes;
  const decompressor = Object.hasOwn(decompressors, name) ? decompressors[name] : undefined;
  if (decompressor === undefined)
    throw new PipelineError(
      'unsupported_media_type',
      `Content-Encoding ${name.slice(0, 40)} is not one of ${encodings.join(', ')}`,
    );
  try {
    return await decompressor(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new PipelineError('too_large', `the body is larger than ${bytesMax} bytes once decompressed`, {
        cause: error,
      });
    throw new PipelineError('bad_request', `the body is not valid ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** RFC 1950: method deflate, and the first two bytes a multiple of 31. */
const isZlib = (bytes: Uint8Array): boolean =>
  bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && ((bytes[0]! << 8) | bytes[1]!) % 31 === 0;

/** Whether the bytes are complete zstd frames and nothing else (RFC 8878 §3.1): walks block headers, decodes nothing. */
export function isWholeZstd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) return false;
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true); // a skippable frame
      continue;
    }
    if (magic !== 0xfd2fb528) return false;
    const descriptor = bytes[at + 4]!;
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3]!;
    at += 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes;
    for (let isLast = false; !isLast; ) {
      if (at + 3 > bytes.length) return false;
      const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      isLast = (header & 1) === 1;
      const isRunLength = ((header >> 1) & 3) === 1;
      at += 3 + (isRunLength ? 1 : header >> 3);
    }
    if ((descriptor & 4) !== 0) at += 4; // checksum
  }
  return bytes.length > 0 && at === bytes.length;
}
