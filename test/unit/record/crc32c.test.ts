import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/record/crc32c.ts';

const reference = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Uint8Array) => number;

test('the vectors of RFC 3720, appendix B.4', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, at) => 31 - at))).toBe(0x113fdb5c);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('any bytes have the checksum kafkajs gives them, wherever they lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, before) => {
      const inside = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(3, 9)]);
      expect(crc32c(inside, before, before + bytes.length)).toBe(reference(bytes));
    }),
  );
});
