// Deliveries → batches: runs of one type, records that are no line, and what a commit is told.

import { expect, test } from 'bun:test';
import { batchesOf, type Delivery, finishedOf } from '../../../../src/adapters/rabbitmq/read/batches.ts';
import { waitingIn } from '../../../../src/adapters/rabbitmq/read/share.ts';
import { stamped } from '../../../support/kafka-source.ts';

const delivered = (bodies: readonly (string | Buffer)[], first = 7): Delivery[] =>
  bodies.map((body, index) => ({ content: Buffer.from(body), at: first + index, atMs: 1_000 * (index + 1) }));

const share = { topic: 'ugc.film', epoch: 3 };

test('nothing delivered is no batch', () => {
  expect(batchesOf([], share)).toEqual([]);
});

test('records of one type in a row are one batch, which ends where another type begins', () => {
  const bodies = [stamped('a'), stamped('b'), stamped('c', 'click'), stamped('d')];
  const batches = batchesOf(delivered(bodies), share);
  expect(batches.map(({ type, count, oldestAtMs }) => [type, count, oldestAtMs])).toEqual([
    ['page_view', 2, 1_000],
    ['click', 1, 3_000],
    ['page_view', 1, 4_000],
  ]);
  expect(batches.map(({ ndjson }) => Buffer.from(ndjson).toString()).join('')).toBe(`${bodies.join('\n')}\n`);
  expect(batches.map(({ ack }) => finishedOf(ack).last)).toEqual([8, 9, 10]);
  for (const { topic, epoch, partition, first, last } of batches)
    expect({ topic, epoch, partition, first, last }).toEqual({
      ...share,
      partition: 0,
      first: undefined,
      last: undefined,
    });
});

test('a commit is told the bytes of its last record as they were delivered', () => {
  const bodies = [stamped('a'), stamped('b')];
  const [batch] = batchesOf(delivered(bodies), share);
  expect(Buffer.from(finishedOf(batch!.ack).bytes).toString()).toBe(bodies[1]!);
});

test('what has line breaks of its own or is not text comes alone and unchanged', () => {
  const odd = [Buffer.from('{"a":1,\n"b":2}'), Buffer.from([0xff, 0x00, 0x0a, 0x80]), Buffer.from('\n')];
  const batches = batchesOf(delivered(odd), share);
  expect(batches.map(({ form, count, type }) => [form, count, type])).toEqual(odd.map(() => ['raw', 1, null]));
  expect(batches.map(({ ndjson }) => Buffer.from(ndjson))).toEqual(odd);
});

test('what waits is taken in its order until the bytes asked for are reached, one at least', () => {
  const ready = delivered(['aa', 'bbb', 'c']);
  const take = waitingIn(ready);
  expect(take(1).map(({ at }) => at)).toEqual([7]);
  expect(take(5).map(({ at }) => at)).toEqual([8, 9]);
  expect(take(5)).toEqual([]);
  expect(ready).toEqual([]);
});
