// Wishes as records: what is one, and what several come to.

import { expect, test } from 'bun:test';
import { keyOfWish, latestOf, readWish, type WishRecord, wishesOf, wrongFlow } from '../../../src/record/wishes.ts';

const wish = (flow: string, state: 'running' | 'paused' | 'draining', second: number): WishRecord => ({
  ...{ flow, state, by: 'ann', why: 'a test' },
  at: new Date(Date.UTC(2026, 10, 29, 1, 0, second)).toISOString(),
});
const timeOf = (record: WishRecord): string => ('at' in record ? record.at : record.drained);

test.each(['tables', 'archive', 'content', 'drain', 'tables:click', 'archive:page_view'])('%s is a flow', flow => {
  expect(wrongFlow(flow)).toBeNull();
});

test.each([
  '',
  'table',
  'tables:',
  'tables:a:b',
  'content:click',
  'drain:click',
  'tables:a b',
  `tables:${'x'.repeat(201)}`,
])('"%s" is none, in words', flow => {
  expect(wrongFlow(flow)).toBeString();
});

test('what is written is read again, without what is not known of it', () => {
  const record = wish('tables', 'paused', 1);
  expect(readWish(JSON.stringify(record))).toEqual(record);
  expect(readWish(JSON.stringify({ ...record, more: 1 }))).toEqual(record);
  const drained = { flow: 'tables', drained: timeOf(record) };
  expect(readWish(JSON.stringify(drained))).toEqual(drained);
});

test.each([
  ...[
    '',
    'null',
    '1',
    '[]',
    '{}',
    '{"flow":1}',
    '\u0000',
    '{"flow":"tables","drained":1}',
    '{"flow":"tables","drained":"now"}',
  ],
  ...[
    { flow: 'x' },
    { state: 'asleep' },
    { by: 1 },
    { at: '' },
    { at: '2026-11-29' },
    { why: null },
    { why: 'x'.repeat(1_001) },
  ].map(wrong => JSON.stringify({ ...wish('tables', 'paused', 1), ...wrong })),
])('what is no wish is none, case %#', text => {
  expect(readWish(text)).toBeNull();
});

test('compacted by key, in any order of keys, records come to the same', () => {
  const [first, second, third] = [
    wish('tables', 'draining', 1),
    wish('tables', 'draining', 2),
    wish('tables', 'running', 3),
  ];
  const records: WishRecord[] = [
    first,
    { flow: 'tables', drained: timeOf(first) },
    wish('archive', 'paused', 4),
    second,
    third,
    { flow: 'tables', drained: timeOf(second) }, // found out late
  ];
  for (let upTo = 1; upTo <= records.length; upTo++) {
    const some = records.slice(0, upTo);
    const compacted = latestOf(some);
    expect(new Set(compacted.map(keyOfWish)).size).toBe(compacted.length);
    for (const order of [compacted, compacted.toReversed()])
      expect(new Map([...wishesOf(order)].sort())).toEqual(new Map([...wishesOf(some)].sort()));
  }
  const states = (upTo: number) =>
    [...wishesOf(records.slice(0, upTo)).values()].map(({ state, isDrained }) => [state, isDrained]);
  expect(states(1)).toEqual([['draining', false]]);
  expect(states(2)).toEqual([['paused', true]]);
  expect(states(4)[0]).toEqual(['draining', false]);
  expect(states(6)[0]).toEqual(['running', false]);
});
