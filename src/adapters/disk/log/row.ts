// One row of the buffer: a run of records of one topic, type and schema version that one append wrote, bodies ready as
// NDJSON. Three kinds of checksum (CRC32) guard it: `headSum` the address (topic, type, count, keys, …), `bodySum` the
// bodies as a whole, so that a sound row costs two native calls, and `sums` each record, consulted only when `bodySum`
// does not match: they narrow the damage to the records it hit. A damaged head spoils the row: its records go nowhere
// unproven.
//
// A row's `seq` is the position of its last record; its first has seq − count + 1.

export interface Run {
  readonly topic: string;
  readonly type: string;
  readonly count: number;
  /** When the edge took the oldest of them. */
  readonly receivedAtMs: number;
  /** JSON array text: the partition key of each record, or null. */
  readonly keys: string;
  /** Bodies, each ended by \n. */
  readonly ndjson: Uint8Array;
}

export interface Row extends Run {
  readonly seq: number;
  readonly headSum: number;
  readonly bodySum: number;
  /** CRC32 of each record without its \n, little-endian. */
  readonly sums: Uint8Array;
}

/** Throws when `ndjson` is not `count` lines: a body with a line break in it is a bug of the code that made it. */
export function sealRun(run: Run, seq: number): Row {
  const sums = new DataView(new ArrayBuffer(4 * run.count));
  let index = 0;
  for (let at = 0; at < run.ndjson.length; index++) {
    const end = run.ndjson.indexOf(newline, at);
    if (end < 0 || index === run.count) throw new Error('a body of the buffer is not one line');
    sums.setUint32(4 * index, crc32(run.ndjson.subarray(at, end)), true);
    at = end + 1;
  }
  if (index !== run.count) throw new Error('a body of the buffer is missing');
  const bodySum = crc32(run.ndjson);
  return { ...run, seq, sums: new Uint8Array(sums.buffer), bodySum, headSum: headSumOf({ ...run, seq, bodySum }) };
}

export const isHeadIntact = (row: Row): boolean => headSumOf(row) === row.headSum;
export const isBodyIntact = (row: Row): boolean => crc32(row.ndjson) === row.bodySum;

/** A line of a damaged row. */
export interface Line {
  /** Among the lines as they lie there now. */
  readonly index: number;
  readonly raw: Uint8Array;
  /** Which record its checksum proves it to be, or null. */
  readonly record: number | null;
}

/**
 * A line is proven by the checksum of its own place and no other: damage can turn one record into the likeness of its
 * neighbour. When line breaks were damaged the places are counted from both ends, and what lies between is unproven.
 */
export function examine(row: Row): readonly Line[] {
  const sums = readSums(row.sums);
  const lines = linesOf(row.ndjson);
  const found = lines.map(crc32Of);
  const shift = sums.length - lines.length;
  const places = lines.map((_, index) => index);
  if (shift !== 0) {
    const before = found.findIndex((sum, index) => sum !== sums[index]);
    const after = found.findLastIndex((sum, index) => sum !== sums[index + shift]);
    for (const index of lines.keys()) if (index >= before) places[index] = index > after ? index + shift : -1;
  }
  return lines.map((raw, index) => {
    const place = places[index]!;
    return { index, raw, record: found[index] === sums[place] ? place : null };
  });
}

/**
 * The row with only these lines of it, all proven; null when there are none. The last position stays, the first moves
 * up.
 */
export function keepLines(row: Row, lines: readonly Line[]): Row | null {
  if (lines.length === 0) return null;
  const keys: unknown[] = JSON.parse(row.keys);
  const kept = lines.map(({ record }) => keys[record!] ?? null);
  const ndjson = Buffer.concat(lines.flatMap(({ raw }) => [raw, lineBreak]));
  return sealRun({ ...row, count: lines.length, keys: JSON.stringify(kept), ndjson }, row.seq);
}

const newline = 10;
const lineBreak = new Uint8Array([newline]);

const crc32 = (data: Uint8Array | string, seed = 0): number => Bun.hash.crc32(data, seed);

const crc32Of = (line: Uint8Array): number => crc32(line);

type Head = Pick<Row, 'seq' | 'topic' | 'type' | 'count' | 'receivedAtMs' | 'bodySum' | 'keys'>;

function headSumOf(row: Head): number {
  const { seq, topic, type, count, receivedAtMs, bodySum, keys } = row;
  return crc32(`${seq}\n${topic}\n${type}\n${count}\n${receivedAtMs}\n${bodySum}\n${keys}`);
}

function readSums(sums: Uint8Array): number[] {
  const view = new DataView(sums.buffer, sums.byteOffset, sums.byteLength);
  return Array.from({ length: sums.byteLength >> 2 }, (_, index) => view.getUint32(4 * index, true));
}

function linesOf(ndjson: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < ndjson.length; ) {
    const end = ndjson.indexOf(newline, at);
    lines.push(ndjson.subarray(at, end < 0 ? ndjson.length : end));
    at = end < 0 ? ndjson.length : end + 1;
  }
  return lines;
}
