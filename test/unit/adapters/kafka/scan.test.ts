import { describe, expect, test } from 'bun:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { scanRecords } from '../../../../src/adapters/kafka/read/scan.ts';
import {
  batchOverheadBytes,
  measureRecord,
  recordBytesMax,
  writeBatch,
} from '../../../../src/adapters/kafka/write/record-batch.ts';
import { crc32c } from '../../../../src/record/crc32c.ts';
import type { Run } from '../../../../src/record/runs.ts';
import { stamped } from '../../../support/kafka-source.ts';

const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(batch: unknown): Promise<{ readonly buffer: Buffer }>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: unknown) => unknown;
const Long = require('kafkajs/src/utils/long') as { fromValue(value: number): unknown };

interface Given {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, string>;
  /** Offsets compaction has emptied in front of it. */
  readonly gap: number;
  readonly sinceMs: number;
}

const kinds = { plain: [0, (bytes: Buffer) => bytes], gzip: [1, gzipSync], zstd: [4, zstdCompressSync] } as const;
type Kind = keyof typeof kinds;

const firstMs = 1_795_000_000_000;

/** As kafkajs writes it, put at an offset, and compressed afterwards. Returns the offset behind it. */
async function batchAt(base: number, given: readonly Given[], kind: Kind): Promise<{ bytes: Buffer; next: number }> {
  let offset = base;
  const records = given.map(({ key, value, headers, gap, sinceMs }) => {
    offset += gap;
    return encodeRecord({ key, value, headers, offsetDelta: offset++ - base, timestampDelta: sinceMs });
  });
  const { buffer } = await RecordBatch({
    records,
    firstTimestamp: firstMs,
    maxTimestamp: firstMs + Math.max(...given.map(({ sinceMs }) => sinceMs)),
    lastOffsetDelta: offset - 1 - base,
    partitionLeaderEpoch: -1,
    producerId: Long.fromValue(-1),
    producerEpoch: -1,
    firstSequence: -1,
  });
  const [codec, pack] = kinds[kind];
  const bytes = Buffer.concat([buffer.subarray(0, batchOverheadBytes), pack(buffer.subarray(batchOverheadBytes))]);
  bytes.writeBigInt64BE(BigInt(base), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt16BE(codec, 21);
  return { bytes: sealed(bytes), next: offset };
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}

/** What each record of a run is: offset, type, form, value. */
function recordsOf({ type, first, count, ndjson, form }: Run): (string | number | null)[][] {
  const bytes = Buffer.from(ndjson);
  if (form !== undefined) return [[first, null, form, bytes.toString('latin1')]];
  const lines = bytes.toString('latin1').split('\n');
  expect(lines.pop()).toBe('');
  expect(lines).toHaveLength(count);
  return lines.map((line, index) => [first + index, type, null, line]);
}

const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('page_view', 'click').map(type => Buffer.from(stamped('x', type))) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(null, ...['', '\n', '{"event_id":"', '{"a":\n1}'].map(text => Buffer.from(text))),
  },
  { weight: 1, arbitrary: fc.nat(120).map(length => Buffer.from(stamped('cut').slice(0, length))) },
);
const anyRecord: fc.Arbitrary<Given> = fc.record({
  key: fc.option(fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))),
  value: anyValue,
  headers: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), { maxKeys: 2 }),
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(300)),
  sinceMs: fc.nat(2 ** 40),
});
const anyBatch = fc.tuple(
  fc.array(anyRecord, { minLength: 1, maxLength: 30 }),
  fc.constantFrom<Kind>('plain', 'gzip', 'zstd'),
);

const expected = (at: number, { value }: Given): (string | number | null)[] => {
  const text = value?.toString('latin1') ?? '';
  const form = value === null ? 'null' : text.includes('\n') ? 'raw' : null;
  const type = /^\{"event_id":".{36}","event_type":"(\w+)","schema_version":1,/.exec(text)?.[1] ?? null;
  return [at, form === null ? type : null, form, text];
};

test('whatever kafkajs encodes comes out record by record, gapless in runs, from any offset on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyBatch, { minLength: 1, maxLength: 5 }),
      fc.nat(60),
      fc.nat(40),
      async (batches, skipped, cut) => {
        const parts: Buffer[] = [];
        const all: (string | number | null)[][] = [];
        let at = 1_000;
        for (const [given, kind] of batches) {
          const { bytes, next } = await batchAt(at, given, kind);
          parts.push(bytes);
          for (const one of given) {
            at += one.gap;
            all.push(expected(at++, one));
          }
          expect(at).toBe(next);
        }
        const from = 1_000 + skipped;
        const cutBatch = parts[0]!.subarray(0, cut);
        const scanned = scanRecords(Buffer.concat([...parts, cutBatch]), { next: from });
        expect(scanned.problem).toBeNull();
        expect(scanned.next).toBe(Math.max(at, from));
        expect(scanned.runs.flatMap(recordsOf)).toEqual(all.filter(([offset]) => (offset as number) >= from));
        for (const { first, last, count, oldestAtMs } of scanned.runs) {
          expect(last - first + 1).toBe(count);
          expect(oldestAtMs).toBeGreaterThanOrEqual(firstMs);
        }
      },
    ),
    { numRuns: 150 },
  );
});

function edgeBatch(bodies: readonly string[], base = 0): Buffer {
  const records = bodies.map((body, at) => measureRecord('key', body, firstMs + at));
  const buffer = Buffer.alloc(records.reduce((sum, record) => sum + recordBytesMax(record), batchOverheadBytes));
  const bytes = buffer.subarray(0, writeBatch(buffer, 0, records));
  bytes.writeInt32BE(base, 4);
  return bytes;
}

test('batches of the edge’s own become one run, side by side in the buffer they came in', () => {
  const bodies = Array.from({ length: 90 }, (_, at) => stamped(at));
  const records = Buffer.concat([0, 30, 60].map(at => edgeBatch(bodies.slice(at, at + 30), at)));
  const { runs, next } = scanRecords(records, { next: 0 });
  expect(runs).toHaveLength(1);
  expect(runs[0]).toMatchObject({ type: 'page_view', first: 0, last: 89, count: 90, oldestAtMs: firstMs });
  expect(Buffer.from(runs[0]!.ndjson).toString()).toBe(bodies.map(body => `${body}\n`).join(''));
  expect(runs[0]!.ndjson.buffer).toBe(records.buffer);
  expect(next).toBe(90);
});

describe('of which traces records are', () => {
  const named = (at: number): string => `00-0af7651916cd43dd8448eb211c80319c-${String(at + 1).padStart(16, '0')}-01`;
  const given = (at: number, headers: Record<string, string>): Given => ({
    key: null,
    value: Buffer.from(stamped(at)),
    headers,
    gap: 0,
    sinceMs: at,
  });

  test.each(['plain', 'gzip', 'zstd'] as const)(
    'is told when it is asked for, and changes nothing else: %s',
    async kind => {
      const records = [
        given(0, { traceparent: named(0) }),
        given(1, {}),
        given(2, { a: 'b', traceparent: named(2), tracestate: 'c' }),
        given(3, { traceparent2: named(3), 'x-traceparent': named(3), Traceparent: named(3) }),
        given(4, { traceparent: 'x'.repeat(5_000) }),
        given(5, { traceparent: 'ü' }),
      ];
      const { bytes } = await batchAt(0, records, kind);
      const untold = scanRecords(Buffer.from(bytes), { next: 0 });
      expect(untold.runs.map(run => 'traceparents' in run)).toEqual([false]);
      const told = scanRecords(Buffer.from(bytes), { next: 0, isTraced: true });
      expect(told.runs[0]?.traceparents).toEqual([named(0), named(2), Buffer.from('ü').toString('latin1')]);
      expect(told.runs.map(({ traceparents: _, ...run }) => run)).toEqual([...untold.runs]);
      expect(scanRecords(Buffer.from(bytes), { next: 1, isTraced: true }).runs[0]?.traceparents?.[0]).toBe(named(2));
    },
  );

  test('is told of the first of a run', async () => {
    const records = Array.from({ length: 40 }, (_, at) => given(at, { traceparent: named(at) }));
    const { bytes } = await batchAt(0, records, 'plain');
    const { runs } = scanRecords(bytes, { next: 0, isTraced: true });
    expect(runs[0]?.count).toBe(40);
    expect(runs[0]?.traceparents).toEqual(Array.from({ length: 16 }, (_, at) => named(at)));
  });

  test('headers that are none cost a record nothing but them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async junk => {
        const record = given(0, { h: 'x'.repeat(junk.length) });
        const { bytes } = await batchAt(0, [record], 'plain');
        // Behind the value: their number, the length of the name, the name, the length of what it says, that.
        Buffer.from(junk).copy(bytes, bytes.length - junk.length);
        bytes[bytes.length - junk.length - 4] = junk[0]!;
        const { runs, problem } = scanRecords(sealed(bytes), { next: 0, isTraced: true });
        expect(problem).toBeNull();
        expect(runs.flatMap(recordsOf).map(([, , , text]) => text)).toEqual([record.value!.toString()]);
      }),
    );
  });
});

test('a run is of one version, whatever follows each other in a batch', () => {
  const of = (version: number, type?: string): string =>
    stamped('x', type).replace('_version":1', `_version":${version}`);
  const bodies = [of(1), of(1), of(2), of(12), of(1, 'click'), of(1), '{}', of(1), of(65_535), of(65_536), of(0)];
  const { runs } = scanRecords(edgeBatch(bodies), { next: 0 });
  expect(runs.map(({ type, version, count }) => [type, version, count])).toEqual([
    ['page_view', 1, 2],
    ['page_view', 2, 1],
    ['page_view', 12, 1],
    ['click', 1, 1],
    ['page_view', 1, 1],
    [null, undefined, 1],
    ['page_view', 1, 1],
    ['page_view', 65_535, 1],
    [null, undefined, 2],
  ]);
  expect(runs.flatMap(recordsOf).map(([, , , body]) => body)).toEqual(bodies);
});

test('an event that only looks like the edge’s has no type', () => {
  const id = crypto.randomUUID();
  const alike = [
    `{"event_id":"${id}","event_type":"click"}`,
    `{"event_id":"${id}","event_type":"click","user_id":"u","schema_version":1}`,
    `{"event_id":"${id}", "event_type":"click","schema_version":1}`,
    `{"event_id":"short","event_type":"click","schema_version":1,"x":"${'y'.repeat(60)}"}`,
    `{"event_id":"${id}","event_type":"a\\"b","schema_version":1,}`,
    `{"event_id":"${id}","event_type":"click","schema_version":1.5,"received_at":""}`,
    `{"event_id":"${id}","event_type":"click","schema_version":"1","received_at":""}`,
  ];
  expect(scanRecords(edgeBatch(alike), { next: 0 }).runs.map(({ type, count }) => [type, count])).toEqual([
    [null, alike.length],
  ]);
});

test('a run has an end, however much there is', () => {
  for (const [body, many] of [
    ['{}', 25_000],
    [stamped('x'.repeat(1_000)), 2_500],
  ] as const) {
    const { runs } = scanRecords(edgeBatch(Array(many).fill(body)), { next: 0 });
    expect(runs).toHaveLength(3);
    expect(runs.reduce((sum, { count }) => sum + count, 0)).toBe(many);
    for (const { ndjson, count } of runs) {
      expect(ndjson.length).toBeLessThanOrEqual(2 ** 20);
      expect(count).toBeLessThanOrEqual(10_000);
    }
  }
});

describe('what cannot be read', () => {
  const good = edgeBatch([stamped('a'), stamped('b')]);
  const scanWith = (spoil: (bytes: Buffer) => void, isSealed: boolean) => {
    const bad = Buffer.from(edgeBatch([stamped('c'), stamped('d')], 2));
    spoil(bad);
    if (isSealed) sealed(bad);
    return scanRecords(Buffer.concat([good, bad, edgeBatch([stamped('e')], 4)]), { next: 0 });
  };

  test.each<[string, (bytes: Buffer) => void, boolean, RegExp]>([
    ['a flipped bit', bytes => bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100), false, /wrong checksum.* at offset 2/],
    ['an old format', bytes => bytes.writeUInt8(1, 16), false, /old format.* at offset 2/],
    ['an unknown codec', bytes => bytes.writeInt16BE(7, 21), true, /offset 2.*unknown \(codec 7\)/],
    ['no gzip where gzip is said', bytes => bytes.writeInt16BE(1, 21), true, /cannot be read at offset 2/],
    [
      'a record beyond its batch',
      bytes => bytes.fill(0xfe, batchOverheadBytes, batchOverheadBytes + 2),
      true,
      /beyond its batch/,
    ],
    ['fewer records than are there', bytes => bytes.writeInt32BE(1, 57), true, /longer than its records/],
  ])('%s stops the scan in front of it, in words', (_, spoil, isSealed, words) => {
    const { runs, next, problem } = scanWith(spoil, isSealed);
    expect(problem).toMatch(words);
    expect(next).toBe(2);
    expect(runs.at(-1)!.first).toBe(0);
    expect(runs[0]!.count).toBe(2);
  });
});

test('the epoch of the leader that took the last batch is told, as it was before the values were moved', () => {
  const [first, second] = [edgeBatch(['{"a":1}']), edgeBatch(['{"b":2}'], 1)];
  first.writeInt32BE(4, 12); // not under the checksum: the broker's to set
  second.writeInt32BE(9, 12);
  expect(scanRecords(Buffer.from(first), { next: 0 }).epoch).toBe(4);
  expect(scanRecords(Buffer.concat([first, second]), { next: 0 }).epoch).toBe(9);
  expect(scanRecords(Buffer.alloc(0), { next: 0 }).epoch).toBe(-1);
});
