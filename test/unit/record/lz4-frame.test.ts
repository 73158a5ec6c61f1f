import { expect, test } from 'bun:test';
import { decodeLz4 } from '../../../src/record/lz4-frame.ts';

// Written by lz4 4.4.5 (Python): with size, block and content checksums; an empty one; one that copies over itself.
const text =
  '{"a":1,"b":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n{"a":2,"b":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n';
const frame = Buffer.from(
  '04224d187c406e000000000000002322000000df7b2261223a312c2262223a227801001431227d0a37001f32370019507878227d0af2517c84000000005c144ede',
  'hex',
);
const empty = Buffer.from('04224d1860408200000000', 'hex');
const uncompressed = Buffer.from('04224d18604082030000806162630000000004224d18604082', 'hex').subarray(0, 18);

test('a frame is decoded, also several in a row', () => {
  expect(decodeLz4(frame, 1000).toString()).toBe(text);
  expect(decodeLz4(empty, 1000)).toHaveLength(0);
  expect(decodeLz4(Buffer.concat([frame, empty, frame]), 1000).toString()).toBe(text + text);
  expect(decodeLz4(uncompressed, 1000).toString()).toBe('abc');
});

test('more than is allowed, a cut frame and anything else is an error', () => {
  expect(() => decodeLz4(frame, text.length - 1)).toThrow('more than');
  for (const at of [3, 10, 20, 40, frame.length - 10]) expect(() => decodeLz4(frame.subarray(0, at), 1000)).toThrow();
  expect(() => decodeLz4(Buffer.from('no lz4 at all'), 1000)).toThrow('not an LZ4 frame');
});

test('a copy from before the beginning is an error', () => {
  const block = Buffer.from([0x10, 0x61, 0x02, 0x00]); // one literal, then a copy from two bytes ago
  const head = Buffer.from('04224d1860408204000000', 'hex');
  expect(() => decodeLz4(Buffer.concat([head, block, Buffer.alloc(4)]), 1000)).toThrow('before the beginning');
});
