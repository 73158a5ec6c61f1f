// Fetched record batches → runs of NDJSON, without an object a record. The values are moved together in the very buffer
// they came in, a line break behind each: a record takes at least seven bytes more than its value, so what is written
// never reaches what is still to be read. Layout: https://kafka.apache.org/documentation/#recordbatch
// - a run is gapless in offsets (its index names a record) and of one event type and version: the edge's own by the stamp
//   in front of them, null for everything else; a value that is no line, or no value, is a run of its own
// - every batch's checksum is verified first; what cannot be read ends the scan with a problem in words and is never
//   passed: `next` stays in front of it
// - headers are passed, but where traces are asked for: then those of the first records of a run that name a span are read
// - markers of transactions and what an aborted transaction wrote are passed; so are offsets compaction has emptied

import { crc32c } from '../../../record/crc32c.ts';
import { type OpenRun, type Run, type Runs, runsInto } from '../../../record/runs.ts';
import { batchOverheadBytes } from '../write/record-batch.ts';
import { decompress } from './decompress.ts';
import type { AbortedTransaction } from './fetch.ts';

export interface Scanned {
  readonly runs: readonly Run[];
  /** The offset to read on from. */
  readonly next: number;
  /** Of the leader that took the last batch passed; -1 = none was. */
  readonly epoch: number;
  /** Why it did not get further, or null. */
  readonly problem: string | null;
}

export interface ScanOptions {
  /** Records in front of this offset are not wanted: a batch always comes whole. */
  readonly next: number;
  readonly aborted?: readonly AbortedTransaction[];
  /** Runs tell of which traces their records are. */
  readonly isTraced?: boolean;
}

/** Overwrites `records`. */
export function scanRecords(records: Buffer, { next: from, aborted = [], isTraced = false }: ScanOptions): Scanned {
  const runs = runsInto();
  const aborts = abortsOf(aborted);
  let next = from;
  let epoch = -1;
  let at = 0;
  /** In `records`, up to where the runs reach. */
  let out = 0;
  while (at + 12 <= records.length) {
    const base = readInt64(records, at);
    const end = at + 12 + records.readInt32BE(at + 8);
    if (end > records.length) break; // cut, the rest comes with the next answer
    const batch = readHead(records, at, end);
    if (typeof batch === 'string') return { runs: runs.finish(), next, epoch, problem: `${batch} at offset ${base}` };
    const beyond = base + batch.lastDelta + 1;
    const before = runs.mark();
    try {
      if (beyond > next && !aborts.isSkipped(records, { ...batch, at, base })) {
        const isPlain = batch.codec === 0;
        const bytes = isPlain ? records : decompress(records.subarray(at + batchOverheadBytes, end), batch.codec);
        const place = isPlain ? { at: at + batchOverheadBytes, end, out } : { at: 0, end: bytes.length, out: 0 };
        const reached = scanBatch(bytes, { ...batch, ...place, base, next, isTraced }, runs);
        if (isPlain) out = reached;
      }
    } catch (error) {
      runs.undo(before); // a part of a batch is none
      return {
        runs: runs.finish(),
        next,
        epoch,
        problem: `a batch cannot be read at offset ${base}: ${String(error)}`,
      };
    }
    next = Math.max(next, beyond);
    epoch = batch.epoch;
    at = end;
  }
  return { runs: runs.finish(), next, epoch, problem: null };
}

interface Head {
  /** Of the leader that took it. */
  readonly epoch: number;
  readonly codec: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly producer: number;
  readonly count: number;
  readonly lastDelta: number;
  /** Of the record with the difference 0. */
  readonly baseMs: number;
  /** The broker's clock, the same for all of them, or null. */
  readonly appendedMs: number | null;
}

/** What a batch says about itself, or what is wrong with it. */
function readHead(bytes: Buffer, at: number, end: number): Head | string {
  if (end - at < batchOverheadBytes || bytes[at + 16] !== 2)
    return `records of an old format (message.format.version ${bytes[at + 16]}), or damaged ones,`;
  if (crc32c(bytes, at + 21, end) !== bytes.readUInt32BE(at + 17)) return 'a damaged batch (wrong checksum)';
  const attributes = bytes.readInt16BE(at + 21);
  return {
    epoch: bytes.readInt32BE(at + 12),
    codec: attributes & 7,
    isTransactional: (attributes & 16) !== 0,
    isControl: (attributes & 32) !== 0,
    producer: at + 43,
    count: bytes.readInt32BE(at + 57),
    lastDelta: bytes.readInt32BE(at + 23),
    baseMs: readInt64(bytes, at + 27),
    appendedMs: attributes & 8 ? readInt64(bytes, at + 35) : null,
  };
}

interface Placed extends Head {
  readonly at: number;
  readonly end: number;
  readonly out: number;
  readonly base: number;
  readonly next: number;
  readonly isTraced: boolean;
}

/** Moves the values of one batch together; returns where they end. */
function scanBatch(bytes: Buffer, batch: Placed, runs: Runs): number {
  const { end, base, next, baseMs, appendedMs, isTraced } = batch;
  let { at, out } = batch;
  /** The first line break at or behind `at` that is known of. */
  let lineBreak = -1;
  for (let left = batch.count; left > 0; left--) {
    at = readRecord(bytes, at, end);
    const size = valueSize;
    const from = valueAt;
    const offset = base + offsetDelta;
    if (offset < next) continue;
    if (size > 0 && lineBreak < from) lineBreak = lineBreakFrom(bytes, from);
    const isLine = size === 0 || (size > 0 && lineBreak >= from + size);
    const stamp = isLine ? runs.stampOf(bytes, from, from + size) : null;
    const run = runs.at(offset, { stamp, isLine, bytes, out, size });
    if (isTraced) noteTrace(run, bytes, { from: from + Math.max(size, 0), end: at });
    if (size > 0) {
      bytes.copyWithin(out, from, from + size);
      out += size;
    }
    if (isLine) bytes[out++] = newline;
    else run.form = size < 0 ? 'null' : 'raw';
    run.end = out;
    run.count++;
    run.oldestAtMs = Math.min(run.oldestAtMs, appendedMs ?? baseMs + deltaMs);
  }
  if (at !== end) throw new Error('a batch is longer than its records');
  return out;
}

const newline = 10;

function lineBreakFrom(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(newline, at);
  return found < 0 ? bytes.length : found;
}

/** What readRecord has read: variables, as an object a record is what this file is there to avoid. */
let deltaMs = 0;
let offsetDelta = 0;
let valueAt = 0;
/** -1 = no value. */
let valueSize = 0;

/** Returns where it ends. */
function readRecord(bytes: Buffer, from: number, end: number): number {
  let at = readVarint(bytes, from);
  const recordEnd = at + varint;
  at = readVarint(bytes, at + 1); // attributes, of no use
  deltaMs = varint;
  at = readVarint(bytes, at);
  offsetDelta = varint;
  at = readVarint(bytes, at);
  if (varint > 0) at += varint; // the key
  valueAt = readVarint(bytes, at);
  valueSize = varint;
  // Not the other way round: a number read beyond the end is NaN.
  if (!(recordEnd <= end && valueAt + varint <= recordEnd)) throw new Error('a record reaches beyond its batch');
  return recordEnd;
}

/** As many of a run as are told. */
const traceparentsMax = 16;
const traceparentKey = Buffer.from('traceparent');
/** Of a later version it may be longer than it is today; of no version so long. */
const traceparentBytesMax = 256;

interface Headers {
  readonly from: number;
  readonly end: number;
}

/** Not added to: what a run was before may be put back. */
function noteTrace(run: OpenRun, bytes: Buffer, headers: Headers): void {
  const { traceparents = [] } = run;
  if (traceparents.length >= traceparentsMax) return;
  const traceparent = traceparentIn(bytes, headers);
  if (traceparent !== null) run.traceparents = [...traceparents, traceparent];
}

/** What they have of a trace, as it is; null = nothing, or they cannot be read. */
function traceparentIn(bytes: Buffer, { from, end }: Headers): string | null {
  let at = readVarint(bytes, from);
  for (let left = varint; left > 0 && at < end; left--) {
    const keyAt = readVarint(bytes, at);
    const keyEnd = keyAt + varint;
    const valueAt = readVarint(bytes, keyEnd);
    const valueEnd = valueAt + Math.max(varint, 0);
    // Not the other way round: a number read beyond the end is NaN. And a length below 0 would never come to an end.
    if (!(keyEnd >= keyAt && valueEnd <= end)) return null;
    if (valueEnd - valueAt <= traceparentBytesMax && traceparentKey.equals(bytes.subarray(keyAt, keyEnd)))
      return bytes.toString('latin1', valueAt, valueEnd);
    at = valueEnd;
  }
  return null;
}

/**
 * Which batches are passed: https://kafka.apache.org/documentation/#controlbatch. A producer's records are aborted from the
 * offset the broker names on, until its marker says so.
 */
function abortsOf(aborted: readonly AbortedTransaction[]) {
  const coming = aborted.toSorted((a, b) => b.first - a.first);
  const now = new Set<bigint>();
  return {
    isSkipped(bytes: Buffer, batch: Head & { readonly at: number; readonly base: number }): boolean {
      if (!batch.isTransactional && !batch.isControl) return false;
      while (coming.length > 0 && coming.at(-1)!.first <= batch.base + batch.lastDelta) now.add(coming.pop()!.producer);
      const producer = bytes.readBigInt64BE(batch.producer);
      if (batch.isControl) {
        if (isAbort(bytes, batch.at + batchOverheadBytes)) now.delete(producer);
        return true;
      }
      return now.has(producer);
    },
  };
}

/** A marker's key is a version and a type, which is 0 for abort. */
function isAbort(bytes: Buffer, at: number): boolean {
  let keyAt = readVarint(bytes, at) + 1;
  for (let skipped = 0; skipped < 3; skipped++) keyAt = readVarint(bytes, keyAt);
  return bytes.readInt16BE(keyAt + 2) === 0;
}

/** What readVarint has read: two results without an object. */
let varint = 0;

/** Zigzag, up to 53 bits. Returns where it ends. */
function readVarint(bytes: Buffer, from: number): number {
  let at = from;
  let byte = bytes[at++]!;
  if (byte < 128) {
    varint = (byte >>> 1) ^ -(byte & 1);
    return at;
  }
  let raw = byte & 127;
  for (let scale = 128; byte >= 128; scale *= 128) {
    byte = bytes[at++]!;
    raw += (byte & 127) * scale;
  }
  varint = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  return at;
}

const readInt64 = (bytes: Buffer, at: number): number => bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
