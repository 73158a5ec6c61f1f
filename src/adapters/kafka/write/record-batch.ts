// Records as Kafka stores and carries them since 0.11: a batch of magic 2, written field by field into a buffer its caller
// owns. kafkajs' encoder costs ten times this, most of it in buffers it makes for each record.
// Layout: https://kafka.apache.org/documentation/#recordbatch and #record. Numbers are big-endian, varints zigzag.
// - the batch is complete and checksummed when writeBatch returns; nothing is patched later
// - a record has one header, of the trace it is of, or none; offsets count from 0, the broker sets the real ones
// - a record's size is known before it is written (measureRecord), so a caller can stop before a limit

import { crc32c } from '../../../record/crc32c.ts';

export const compressions = ['none', 'gzip', 'zstd'] as const;
export type Compression = (typeof compressions)[number];

/** The lowest bits of a batch's attributes. */
const codecs: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, zstd: 4 };

/** Something to be a record. The sizes are bytes of UTF-8, measured once. */
export interface NewRecord {
  readonly key: string | null;
  readonly keyBytes: number;
  readonly value: string;
  readonly valueBytes: number;
  readonly timestampMs: number;
  /** Its header of this name, ASCII; absent = it has none. */
  readonly traceparent?: string | undefined;
}

/** A record that says no time; the broker lays none into it. */
export const noTimeMs = -1;

/** What of a batch is not records. */
export const batchOverheadBytes = 61;

/** No record takes more than its key, its value and this: five varints of at most 5, 10, 5, 5, 5 bytes, attributes, no headers. */
export const recordOverheadBytes = 32;

const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const recordsAt = batchOverheadBytes;

export const measureRecord = (key: string | null, value: string, timestampMs: number): NewRecord => ({
  key,
  keyBytes: keyBytesOf(key),
  value,
  valueBytes: Buffer.byteLength(value),
  timestampMs,
});

/** As the record says it: -1 = no key. */
export const keyBytesOf = (key: string | null): number => (key === null ? -1 : Buffer.byteLength(key));

export const recordBytesMax = (record: NewRecord): number =>
  record.valueBytes + Math.max(record.keyBytes, 0) + recordOverheadBytes + headerBytesOf(record.traceparent);

const headerName = 'traceparent';

/** Beside the number of headers. */
const headerBytesOf = (traceparent: string | undefined): number =>
  traceparent === undefined
    ? 0
    : sizeOfVarint(headerName.length) + headerName.length + sizeOfVarint(traceparent.length) + traceparent.length;

/** Writes a batch at `at` and returns where it ends. The buffer must have room: batchOverheadBytes and recordBytesMax of each. */
export function writeBatch(
  buffer: Buffer,
  at: number,
  records: readonly NewRecord[],
  compression: Compression = 'none',
): number {
  const firstMs = records[0]!.timestampMs;
  let lastMs = firstMs;
  let end = at + recordsAt;
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    if (record.timestampMs > lastMs) lastMs = record.timestampMs;
    end = writeRecord(buffer, end, { record, index, sinceMs: record.timestampMs - firstMs });
  }
  const plain = end;
  if (compression !== 'none') end = compress(buffer, { from: at + recordsAt, to: end, compression });
  const codec = end === plain ? 0 : codecs[compression];
  writeInt64(buffer, at, 0); // base offset
  buffer.writeInt32BE(end - at - 12, at + 8); // length of what follows
  buffer.writeInt32BE(-1, at + 12); // partition leader epoch: the broker's to set
  buffer[at + magicAt] = 2;
  buffer.writeInt16BE(codec, at + attributesAt); // and create time, not transactional
  buffer.writeInt32BE(records.length - 1, at + 23); // last offset delta
  writeInt64(buffer, at + 27, firstMs);
  writeInt64(buffer, at + 35, lastMs);
  writeInt64(buffer, at + 43, -1); // producer id: not idempotent
  buffer.writeInt16BE(-1, at + 51); // producer epoch
  buffer.writeInt32BE(-1, at + 53); // base sequence
  buffer.writeInt32BE(records.length, at + 57);
  buffer.writeUInt32BE(crc32c(buffer, at + attributesAt, end), at + crcAt);
  return end;
}

/** Compresses in place and returns the new end; what does not get smaller stays as it is. */
function compress(
  buffer: Buffer,
  { from, to, compression }: { readonly from: number; readonly to: number; readonly compression: 'gzip' | 'zstd' },
): number {
  const plain = buffer.subarray(from, to) as Buffer<ArrayBuffer>;
  const packed = compression === 'gzip' ? Bun.gzipSync(plain, { level: 1 }) : Bun.zstdCompressSync(plain, { level: 1 });
  if (packed.length >= plain.length) return to;
  buffer.set(packed, from);
  return from + packed.length;
}

interface Placed {
  readonly record: NewRecord;
  readonly index: number;
  readonly sinceMs: number;
}

function writeRecord(buffer: Buffer, at: number, { record, index, sinceMs }: Placed): number {
  const { key, keyBytes, value, valueBytes, traceparent } = record;
  const length =
    2 + // attributes, and the number of headers
    headerBytesOf(traceparent) +
    sizeOfVarint(sinceMs) +
    sizeOfVarint(index) +
    sizeOfVarint(keyBytes) +
    Math.max(keyBytes, 0) +
    sizeOfVarint(valueBytes) +
    valueBytes;
  let end = writeVarint(buffer, at, length);
  buffer[end++] = 0;
  end = writeVarint(buffer, end, sinceMs);
  end = writeVarint(buffer, end, index);
  end = writeVarint(buffer, end, keyBytes);
  if (key !== null) end += buffer.write(key, end, keyBytes);
  end = writeVarint(buffer, end, valueBytes);
  end += buffer.write(value, end, valueBytes);
  if (traceparent === undefined) {
    buffer[end++] = 0;
    return end;
  }
  end = writeVarint(buffer, end, 1);
  end = writeVarint(buffer, end, headerName.length);
  end += buffer.write(headerName, end, 'latin1');
  end = writeVarint(buffer, end, traceparent.length);
  return end + buffer.write(traceparent, end, 'latin1');
}

/** Zigzag without 32-bit operators, which would cut a time difference of more than 24 days. */
const zigzag = (value: number): number => (value >= 0 ? value * 2 : value * -2 - 1);

function sizeOfVarint(value: number): number {
  let rest = zigzag(value);
  let size = 1;
  for (; rest > 127; size++) rest = Math.floor(rest / 128);
  return size;
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = zigzag(value);
  let end = at;
  for (; rest > 127; rest = Math.floor(rest / 128)) buffer[end++] = (rest % 128) | 128;
  buffer[end++] = rest;
  return end;
}

function writeInt64(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), at);
  buffer.writeUInt32BE(value < 0 ? value + 2 ** 32 : value % 2 ** 32, at + 4);
}
