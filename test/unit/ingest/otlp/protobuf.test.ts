// Log records in binary protobuf: the same events as in JSON, and answers in protobuf; whatever the bytes are.

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { readRequest } from '../../../../src/ingest/otlp/protobuf.ts';
import { recordsOf } from '../../../../src/ingest/otlp/record.ts';
import { startEdgeServer, testLimits } from '../../../support/edge-server.ts';
import { type MemoryLog, memoryLog } from '../../../support/memory-log.ts';
import { logsRequest, type Record_, record } from '../../../support/otlp-logs.ts';
import { anyValueBytes, requestBytes } from '../../../support/otlp-protobuf.ts';

const logs: { current: MemoryLog } = { current: memoryLog() };
const log = {
  publish: (envelopes: Parameters<MemoryLog['publish']>[0]) => logs.current.publish(envelopes),
  close: async () => {},
};
const server = startEdgeServer({ log });
beforeEach(() => {
  logs.current = memoryLog();
});
afterAll(() => server.stop());

async function send(body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body,
  });
  expect(response.headers.get('content-type')).toBe('application/x-protobuf');
  return { status: response.status, body: await response.bytes() };
}
const stored = () => logs.current.published.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const eventsIn = (request: unknown) =>
  [
    ...recordsOf(request, { limits: testLimits, recordsMax: 5, jsonDepthMax: 16, source: 'a', now: () => 0 }).parts(2),
  ].flat();

const value: fc.Arbitrary<Record<string, unknown>> = fc.letrec<{ value: Record<string, unknown> }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.record({ stringValue: fc.string({ unit: 'grapheme' }) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    // JSON of -0 is 0.
    fc.record({ doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0) }),
    fc.record({ doubleValue: fc.constantFrom('NaN', 'Infinity', '-Infinity') }),
    fc.record({ bytesValue: fc.uint8Array().map(given => given.toBase64()) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 4 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key: fc.string(), value: tie('value') }), { maxLength: 4 }),
      }),
    }),
    fc.constant({}),
  ),
})).value;
const attributes = fc.array(fc.record({ key: fc.string(), value }), { maxLength: 5 });
const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(given => given.toHex());
const nanos = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);
const anyRecord = fc.record(
  {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: fc.integer({ min: 0, max: 24 }),
    severityText: fc.string(),
    eventName: fc.string(),
    body: value,
    attributes,
    droppedAttributesCount: fc.nat(),
    flags: fc.nat(),
    traceId: hex(16),
    spanId: hex(8),
  },
  { requiredKeys: ['timeUnixNano'] },
) as fc.Arbitrary<Record_>;

test('whatever a request says, it says the same in protobuf and in JSON', () => {
  const around = fc.record({
    resource: attributes,
    scope: fc.record({ name: fc.string(), version: fc.string(), attributes }),
  });
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 5 }), around, (records, of) => {
      const request = logsRequest(records, of);
      expect(eventsIn(readRequest(requestBytes(request)))).toEqual(
        eventsIn(JSON.parse(JSON.stringify(request))) as never,
      );
    }),
  );
});

test('bytes of any kind are read or refused, in time', () => {
  const whole = requestBytes(logsRequest([record({ attributes: [{ key: 'a', value: { intValue: '1' } }] })]));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: whole.length }), (noise, at) => {
      for (const bytes of [noise, Buffer.concat([whole.subarray(0, at), noise, whole.subarray(at)])])
        try {
          eventsIn(readRequest(new Uint8Array(bytes)));
        } catch (error) {
          expect(error).toMatchObject({
            name: 'PipelineError',
            code: expect.stringMatching(/^(bad_request|too_large)$/),
          });
        }
    }),
  );
});

describe('a request', () => {
  test('is taken, compressed or not, and answered with nothing', async () => {
    const body = requestBytes(logsRequest([record({ at: 1 })]));
    expect(await send(body)).toEqual({ status: 200, body: new Uint8Array() });
    const other = gzipSync(requestBytes(logsRequest([record({ at: 2 })])));
    expect(await send(new Uint8Array(other), { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 });
    expect(await send(new Uint8Array())).toEqual({ status: 200, body: new Uint8Array() });
    expect(stored()).toMatchObject([{ body: 'a line' }, { body: 'a line' }]);
  });

  test('that says the time 0 says none', async () => {
    expect((await send(requestBytes(logsRequest([record({ timeUnixNano: '0' })])))).status).toBe(200);
    expect(stored()).toMatchObject([{ time_unix_nano: null }]);
  });

  test('of which some is rejected is told how much, and why', async () => {
    const { status, body } = await send(requestBytes(logsRequest([record({}), record({ severityNumber: 99 })])));
    expect(status).toBe(200);
    const reader = new BinaryReader(body);
    expect(reader.tag()).toEqual([1, WireType.LengthDelimited]);
    expect(reader.uint32()).toBe(reader.len - reader.pos);
    expect([reader.tag(), reader.int64()]).toEqual([[1, WireType.Varint], 1n]);
    expect([reader.tag(), reader.string()]).toEqual([
      [2, WireType.LengthDelimited],
      expect.stringContaining('record 1: /severity_number'),
    ]);
    expect(reader.pos).toBe(reader.len);
  });

  test('that is none is 400, with a status', async () => {
    const { status, body } = await send(new Uint8Array([0x0a, 0x7f, 0x01]));
    expect(status).toBe(400);
    const reader = new BinaryReader(body);
    expect([reader.tag(), reader.int32()]).toEqual([[1, WireType.Varint], 3]);
    expect([reader.tag(), reader.string()]).toEqual([
      [2, WireType.LengthDelimited],
      expect.stringContaining('ends in the middle'),
    ]);
  });

  test('in which a message is longer than the one around it is refused', () => {
    // resourceLogs of 4 bytes, in it scopeLogs of 4 bytes, of which 2 are left.
    const body = new Uint8Array([0x0a, 0x04, 0x12, 0x04, 0x1a, 0x00, 0x1a, 0x00]);
    expect(() => readRequest(body)).toThrow('longer than the one around it');
  });

  test('with a text that is not UTF-8 costs no line', async () => {
    const body = requestBytes(logsRequest([record({ body: { stringValue: 'a??b' } })]));
    const at = Buffer.from(body).indexOf('??');
    body.set([0xff, 0xfe], at);
    expect((await send(body)).status).toBe(200);
    expect(stored()).toMatchObject([{ body: 'a\ufffd\ufffdb' }]);
  });

  test('with fields of a newer protocol is read without them', async () => {
    const writer = new BinaryWriter().tag(99, WireType.LengthDelimited).string('new');
    writer.tag(1, WireType.Varint).uint32(7); // a known field, of another wire type
    const body = new Uint8Array([...writer.finish(), ...requestBytes(logsRequest([record({})]))]);
    expect((await send(body)).status).toBe(200);
    expect(stored()).toHaveLength(1);
  });

  test('nested without end, or of messages without number, is refused', async () => {
    let inner = anyValueBytes({ stringValue: 'x' });
    for (let level = 0; level < 2_000; level++) {
      const list = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(inner).finish();
      inner = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(list).finish();
    }
    const logRecord = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(inner).finish();
    const within = (number: number, bytes: Uint8Array) =>
      new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
    const deep = within(1, within(2, within(2, logRecord)));
    expect(() => readRequest(deep)).toThrow('nested deeper');
    const many = new Uint8Array(2_000_002);
    for (let at = 0; at < many.length; at += 2) many[at] = 0x0a;
    expect(() => readRequest(many)).toThrow('more than 1000000 messages');
  });
});
