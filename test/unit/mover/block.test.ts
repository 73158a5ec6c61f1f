import { expect, test } from 'bun:test';
import { fillingOf } from '../../../src/mover/block.ts';
import { batchOf } from '../../support/list-source.ts';

test('a block may be of a batch for each of its rows, as types that alternate in one topic make it', () => {
  const filling = fillingOf('click');
  const one = batchOf({ topic: 'mixed', type: 'click', bodies: ['{}'], oldestAtMs: 7 }, 0);
  for (let at = 0; at < 1_000_000; at++) filling.add(one);
  filling.add({ ...one, oldestAtMs: 3 });
  const block = filling.close({ rowsMax: 2_000_000, bytesMax: Number.MAX_SAFE_INTEGER });
  expect([block.rows, block.oldestAtMs]).toEqual([1_000_001, 3]);
});
