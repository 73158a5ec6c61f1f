import { expect, test } from 'bun:test';
import { blockOf, fillingOf } from '../../../src/etl/block.ts';
import { batchOf } from '../../support/list-source.ts';
import { bodies } from '../../support/moving.ts';

const batch = (count: number, oldestAtMs = 0) =>
  batchOf({ topic: 't', type: 'click', bodies: bodies('', count), oldestAtMs });
const none = { rowsMax: 1_000, bytesMax: 1_000_000 };

test('a block is its batches in order: rows, bytes and chunks of all, the oldest of each', () => {
  const batches = [batch(2, 30), batch(1, 10), batch(3, 20)];
  const block = blockOf('click', batches);
  expect(block).toMatchObject({ type: 'click', rows: 6, oldestAtMs: 10 });
  expect(block.batches).toEqual(batches);
  expect(block.chunks).toEqual(batches.map(({ ndjson }) => ndjson));
  expect(block.bytes).toBe(Buffer.concat(block.chunks).length);
});

test('no two blocks have the same token, though they hold the same batches', () => {
  const batches = [batch(1)];
  expect(new Set(Array.from({ length: 100 }, () => blockOf('click', batches).token)).size).toBe(100);
});

test('closing takes the oldest batches up to the bounds, and the rest goes on filling', () => {
  const filling = fillingOf('click');
  const batches = [batch(2), batch(2), batch(2), batch(1)];
  for (const each of batches) filling.add(each);
  expect(filling.rows).toBe(7);

  const first = filling.close({ ...none, rowsMax: 4 });
  expect(first.batches).toEqual(batches.slice(0, 2));
  expect({ rows: filling.rows, bytes: filling.bytes }).toEqual({
    rows: 3,
    bytes: batches[2]!.ndjson.length + batches[3]!.ndjson.length,
  });

  const late = batch(1);
  filling.add(late);
  const second = filling.close({ ...none, bytesMax: filling.bytes });
  expect(second.batches).toEqual([batches[2]!, batches[3]!, late]);
  expect({ rows: filling.rows, bytes: filling.bytes }).toEqual({ rows: 0, bytes: 0 });
});

test('closing takes one batch at least, however large, and never a part of one', () => {
  const filling = fillingOf('click');
  const [large, small] = [batch(50), batch(1)];
  filling.add(large);
  filling.add(small);
  expect(filling.close({ rowsMax: 10, bytesMax: 10 }).batches).toEqual([large]);
  expect(filling.close({ rowsMax: 10, bytesMax: 1 }).batches).toEqual([small]);
});

test('closing does not reach past a batch that is too large for a smaller one behind it', () => {
  const filling = fillingOf('click');
  const batches = [batch(1), batch(50), batch(1)];
  for (const each of batches) filling.add(each);
  expect(filling.close({ ...none, rowsMax: 10 }).batches).toEqual([batches[0]!]);
});
