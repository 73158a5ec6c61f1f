import { describe, expect, test } from 'bun:test';
import * as zlib from 'node:zlib';
import { constants, createZstdCompress } from 'node:zlib';
import { PipelineError } from '../../../src/errors.ts';
import { decompress, isWholeZstd } from '../../../src/http/decompress.ts';

const mebibyte = 2 ** 20;

/** Bytes that compress somewhat, different at every place. */
const text = Buffer.from(
  JSON.stringify(Array.from({ length: 24 }, (_, n) => ({ n, word: 'x'.repeat(n), wave: Math.sin(n) }))),
);

const compressors: Readonly<Record<string, readonly [encoding: string, compress: (bytes: Uint8Array) => Uint8Array]>> =
  {
    gzip: ['gzip', zlib.gzipSync],
    'gzip under its old name': ['x-gzip', zlib.gzipSync],
    'deflate, zlib-wrapped': ['deflate', zlib.deflateSync],
    'deflate, raw': ['deflate', zlib.deflateRawSync],
    brotli: ['br', bytes => zlib.brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
    zstd: ['zstd', zlib.zstdCompressSync],
  };

/** The code of the PipelineError a decompression must reject with. */
const codeOf = (bytes: Uint8Array, encoding: string, bytesMax = mebibyte): Promise<string> =>
  decompress(bytes, encoding, bytesMax).then(
    plain => `${plain.length} bytes`,
    error => (error instanceof PipelineError ? error.code : `not a PipelineError: ${error}`),
  );

describe.each(Object.entries(compressors))('%s', (_, [encoding, compress]) => {
  const compressed = compress(text);

  test('gives back what was compressed', async () => {
    for (const plain of [text, Buffer.alloc(0), Buffer.from('{}'), Buffer.alloc(300_000, 'ab')])
      expect(Buffer.compare(await decompress(compress(plain), encoding, mebibyte), plain)).toBe(0);
  });

  test('is refused when cut short, at every length', async () => {
    const codes = await Promise.all(
      Array.from({ length: compressed.length }, (_, length) => codeOf(compressed.subarray(0, length), encoding)),
    );
    expect(codes.findIndex(code => code !== 'bad_request')).toBe(-1);
  });

  test('is refused when it is something else', async () => {
    for (const garbage of [text, Buffer.from('garbage'), Buffer.alloc(100, 0xff), Buffer.from([0x1f, 0x8b])])
      expect(await codeOf(garbage, encoding)).toBe('bad_request');
  });

  test('never gives more than the limit, to the byte', async () => {
    const exact = compress(Buffer.alloc(1_000));
    expect(await codeOf(exact, encoding, 1_000)).toBe('1000 bytes');
    expect(await codeOf(exact, encoding, 999)).toBe('too_large');
  });

  test('that would be twenty times the limit is refused', async () => {
    expect(await codeOf(compress(Buffer.alloc(20 * mebibyte)), encoding)).toBe('too_large');
  });
});

describe('a Content-Encoding', () => {
  test('is read in any case and with white space', async () => {
    for (const name of ['GZIP', ' gzip ', 'gZip'])
      expect(await decompress(zlib.gzipSync(text), name, mebibyte)).toEqual(text);
  });

  test('of identity, or of nothing, changes nothing', async () => {
    for (const name of ['', ' ', 'identity', 'Identity']) expect(await decompress(text, name, 1)).toBe(text);
  });

  test.each([
    'compress',
    'gzip, br',
    'gzip,gzip',
    'x',
    'constructor',
    '__proto__',
    'toString',
    'zstd;q=1',
    'x'.repeat(10_000),
  ])('that is not known is not supported: %s', async name => {
    const error = await decompress(text, name, mebibyte).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unsupported_media_type' });
    expect((error as Error).message.length).toBeLessThan(200);
  });
});

test('several zstd or gzip members in a row are read as one body', async () => {
  for (const name of ['gzip', 'zstd'] as const) {
    const [encoding, compress] = compressors[name]!;
    const both = Buffer.concat([compress(text), compress(text)]);
    expect(await decompress(both, encoding, mebibyte)).toEqual(Buffer.concat([text, text]));
  }
});

/** What the real compressor makes of `plain`, as a stream of `pieces` with flushes between. */
function streamed(plain: Uint8Array, pieces: number, params: Record<number, number>): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const stream = createZstdCompress({ params });
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    const size = Math.ceil(plain.length / pieces);
    for (let at = 0; at < plain.length; at += size) {
      stream.write(plain.subarray(at, at + size));
      stream.flush();
    }
    stream.end();
  });
}

/** The bytes are whole, and no shorter run of them is, unless nothing but empty frames is left out. */
function expectWholeOnlyInFull(frame: Uint8Array, plain: Uint8Array): void {
  expect(isWholeZstd(frame)).toBe(true);
  const step = Math.max(1, Math.floor(frame.length / 500));
  const wrong: number[] = [];
  for (let length = 0; length < frame.length; length += length < 64 || length > frame.length - 64 ? 1 : step)
    if (isWholeZstd(frame.subarray(0, length)) && !isAll(frame.subarray(0, length), plain)) wrong.push(length);
  expect(wrong).toEqual([]);
}

const isAll = (frame: Uint8Array, plain: Uint8Array): boolean =>
  Buffer.compare(zlib.zstdDecompressSync(frame), plain) === 0;

describe('a zstd body is whole only in full', () => {
  const noise = Buffer.from(Array.from({ length: 400_000 }, (_, n) => Math.imul(n, 2_654_435_761) >>> 24));
  const sizes = [0, 1, 2, 255, 256, 257, 65_791, 65_792, 131_072, 131_073, 400_000];

  test.each([1, 3, 9, 19, -5])('at level %d, of every size, compressible or not', level => {
    for (const size of level > 9 ? sizes.slice(0, 6) : sizes)
      for (const plain of [Buffer.alloc(size), noise.subarray(0, size)])
        for (const checksum of [0, 1])
          expectWholeOnlyInFull(
            zlib.zstdCompressSync(plain, {
              params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: checksum },
            }),
            plain,
          );
  });

  test('when it was compressed as a stream, flushed in between', async () => {
    for (const pieces of [1, 2, 7])
      for (const checksum of [0, 1])
        for (const plain of [text, noise])
          expectWholeOnlyInFull(await streamed(plain, pieces, { [constants.ZSTD_c_checksumFlag]: checksum }), plain);
  });

  test('also behind a skippable frame and before another', () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const frame = zlib.zstdCompressSync(text);
    expect(isWholeZstd(skippable)).toBe(true);
    expect(isWholeZstd(Buffer.concat([skippable, frame, skippable, frame]))).toBe(true);
    expect(isWholeZstd(Buffer.concat([frame, frame.subarray(0, -1)]))).toBe(false);
    expect(isWholeZstd(Buffer.concat([frame, skippable.subarray(0, -1)]))).toBe(false);
  });

  test('and with nothing behind it', () => {
    const frame = zlib.zstdCompressSync(text);
    for (const tail of ['\0', 'x', 'garbage', 'a longer piece of garbage'])
      expect(isWholeZstd(Buffer.concat([frame, Buffer.from(tail)]))).toBe(false);
  });

  test('and a skippable frame that claims four gigabytes is not', () => {
    expect(isWholeZstd(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 1]))).toBe(false);
  });

  test('whatever view the bytes are', () => {
    const frame = zlib.zstdCompressSync(text);
    const padded = Buffer.concat([Buffer.from('head'), frame, Buffer.from('tail')]);
    expect(isWholeZstd(padded.subarray(4, 4 + frame.length))).toBe(true);
    expect(isWholeZstd(padded)).toBe(false);
  });
});
