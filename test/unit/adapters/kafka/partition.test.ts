import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { murmur2, partitionOf } from '../../../../src/adapters/kafka/write/partition.ts';

const reference = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;

test('the vectors of Kafka’s own UtilsTest', () => {
  const vectors = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536 };
  for (const [key, hash] of Object.entries(vectors)) expect(murmur2(Buffer.from(key), key.length)).toBe(hash);
});

test('any key goes where kafkajs sends it, a very long one too', () => {
  const key = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.nat(6_000).map(length => 'kéy💥'.repeat(length / 4)),
  );
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (text, partitions) => {
      expect(partitionOf(text, partitions)).toBe((reference(Buffer.from(text)) & 0x7fffffff) % partitions);
    }),
  );
});
