import { expect, test } from 'bun:test';
import { decodeSnappy } from '../../../src/record/snappy.ts';

// Written by hand after the format's description: a literal, a copy of each kind, one that overlaps itself. What Java's
// library writes is read in test/contract/kafka-source.test.ts.
const literal = (text: string): number[] => [(text.length - 1) << 2, ...Buffer.from(text)];
const block = (size: number, ...parts: readonly (readonly number[])[]): Buffer => Buffer.from([size, ...parts.flat()]);
const copies = block(26, literal('abcdef'), [0b000_000_01, 6], [(5 << 2) | 2, 6, 0], [(9 << 2) | 3, 1, 0, 0, 0]);

test('a block is decoded, bare and in the chunks of a stream', () => {
  const text = `abcdef${'abcd'}${'efabcd'}${'d'.repeat(10)}`;
  expect(decodeSnappy(copies, 100).toString()).toBe(text);
  const head = [0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1];
  const chunk = [0, 0, 0, copies.length, ...copies];
  expect(decodeSnappy(Buffer.from([...head, ...chunk, ...chunk]), 100).toString()).toBe(text + text);
  expect(() => decodeSnappy(Buffer.from([...head, ...chunk]).subarray(0, -1), 100)).toThrow('cut Snappy stream');
  expect(() => decodeSnappy(Buffer.from([...head, ...chunk, ...chunk]), 30)).toThrow('more than');
});

test('long literals say their length in bytes of their own', () => {
  const text = 'x'.repeat(300);
  const bytes = Buffer.from([0xac, 0x02, 61 << 2, 43, 1, ...Buffer.from(text)]);
  expect(decodeSnappy(bytes, 300).toString()).toBe(text);
  expect(() => decodeSnappy(bytes, 299)).toThrow('more than 299');
});

test('what is cut, too long, or copies from before the beginning is an error', () => {
  for (let end = 0; end < copies.length; end++) expect(() => decodeSnappy(copies.subarray(0, end), 100)).toThrow();
  expect(() => decodeSnappy(block(4, literal('a'), [(2 << 2) | 2, 2, 0]), 100)).toThrow('out of bounds');
  expect(() => decodeSnappy(block(1, literal('ab')), 100)).toThrow('cut Snappy literal');
});
