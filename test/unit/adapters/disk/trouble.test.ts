import { expect, test } from 'bun:test';
import { troubleOf } from '../../../../src/adapters/disk/log/trouble.ts';

test('a trouble is said when it begins, once a minute while it lasts, and when it is over', () => {
  const said: unknown[] = [];
  let atMs = 0;
  const trouble = troubleOf({
    complain: (message, fields, level = 'error') => void said.push([level, message, fields]),
    words: 'no room',
    end: 'room again',
    now: () => atMs,
  });
  trouble.over(); // there was none
  for (; atMs <= 120_000; atMs += 1_000) trouble.met('the disk is full');
  trouble.over();
  trouble.over();
  trouble.met('the disk is full again');
  expect(said).toEqual([
    ['error', 'no room', { reason: 'the disk is full', times: 1 }],
    ['error', 'no room', { reason: 'the disk is full', times: 61 }],
    ['error', 'no room', { reason: 'the disk is full', times: 121 }],
    ['info', 'room again', { times: 121 }],
    ['error', 'no room', { reason: 'the disk is full again', times: 1 }],
  ]);
});
