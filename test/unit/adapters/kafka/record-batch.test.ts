import { expect, test } from 'bun:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import {
  batchOverheadBytes,
  type Compression,
  compressions,
  measureRecord,
  type NewRecord,
  recordBytesMax,
  writeBatch,
} from '../../../../src/adapters/kafka/write/record-batch.ts';

interface Decoded {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly timestamp: string;
  readonly offset: string;
  readonly headers: Readonly<Record<string, Buffer>>;
}
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: unknown,
) => Promise<{ readonly records: readonly Decoded[] }>;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(batch: unknown): Promise<{ readonly buffer: Buffer }>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: unknown) => unknown;
const Long = require('kafkajs/src/utils/long') as { fromValue(value: number): unknown };

function written(records: readonly NewRecord[], at = 0, compression: Compression = 'none'): Buffer {
  const room = records.reduce((sum, record) => sum + recordBytesMax(record), batchOverheadBytes);
  const buffer = Buffer.alloc(at + room, 0xaa);
  const end = writeBatch(buffer, at, records, compression);
  expect(end).toBeLessThanOrEqual(buffer.length);
  return buffer.subarray(at, end);
}

CompressionCodecs[CompressionTypes.ZSTD] = () => ({ decompress: async (bytes: Buffer) => zstdDecompressSync(bytes) });

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '💥', 'é', '{"a":"💥é\\u0000"}'),
  fc.integer({ min: 0, max: 5_000 }).map(length => 'x'.repeat(length)),
);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const record = fc
  .tuple(
    fc.option(text),
    text,
    fc.integer({ min: 0, max: 2 ** 42 }),
    fc.option(fc.constantFrom(traceparent, 'x', 'x'.repeat(64), 'x'.repeat(300)), { nil: undefined }),
  )
  .map(([key, value, timestampMs, carried]) => ({
    ...measureRecord(key, value, timestampMs),
    ...(carried !== undefined && { traceparent: carried }),
  }));
const records = fc.array(record, { minLength: 1, maxLength: 150 });

test('any records are what kafkajs reads back, wherever in the buffer they lie', async () => {
  await fc.assert(
    fc.asyncProperty(records, fc.nat(40), fc.constantFrom(...compressions), async (given, at, compression) => {
      const decoder = new Decoder(written(given, at, compression));
      const { records: read } = await decodeBatch(decoder);
      expect(read.map(({ key, value }) => [key?.toString() ?? null, value.toString()])).toEqual(
        given.map(({ key, value }) => [key, value]),
      );
      expect(read.map(({ headers }) => headers.traceparent?.toString())).toEqual(given.map(one => one.traceparent));
      expect(read.map(({ timestamp }) => Number(timestamp))).toEqual(given.map(({ timestampMs }) => timestampMs));
      expect(read.map(({ offset }) => Number(offset))).toEqual(given.map((_, index) => index));
    }),
    { numRuns: 60 },
  );
});

test('any records are the bytes kafkajs writes, checksum included', async () => {
  await fc.assert(
    fc.asyncProperty(records, async given => {
      const firstMs = given[0]!.timestampMs;
      const theirs = await RecordBatch({
        records: given.map(({ key, value, timestampMs, traceparent }, index) => {
          const headers = traceparent === undefined ? {} : { traceparent };
          return encodeRecord({ key, value, headers, offsetDelta: index, timestampDelta: timestampMs - firstMs });
        }),
        firstTimestamp: firstMs,
        maxTimestamp: Math.max(...given.map(({ timestampMs }) => timestampMs)),
        lastOffsetDelta: given.length - 1,
        partitionLeaderEpoch: -1,
        producerId: Long.fromValue(-1),
        producerEpoch: -1,
        firstSequence: -1,
      });
      expect(written(given).equals(theirs.buffer)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('compressed is smaller, or as it was', () => {
  const many = Array.from({ length: 100 }, (_, index) => measureRecord(`k${index}`, '{"a":"b"}'.repeat(20), 0));
  const one = [measureRecord(null, 'x', 0)];
  for (const compression of ['gzip', 'zstd'] as const) {
    expect(written(many, 0, compression).length).toBeLessThan(written(many).length / 5);
    expect(written(one, 0, compression)).toEqual(written(one));
  }
});

test('no record takes more than it was said to', () => {
  const worst = measureRecord('k', 'v'.repeat(300_000), 0);
  const first = measureRecord(null, '', 2 ** 42);
  expect(written([first, worst]).length).toBeLessThanOrEqual(
    batchOverheadBytes + recordBytesMax(first) + recordBytesMax(worst),
  );
});
