import { expect, test } from 'bun:test';
import { ageMsOf } from '../../../../src/adapters/rabbitmq/read/retention.ts';

test.each([
  ['168h', 604_800_000],
  ['7D', 604_800_000],
  ['90s', 90_000],
  ['5m', 300_000],
  ['0h', 0],
  ['1Y', 31_536_000_000],
  ['', null],
  ['h', null],
  ['7 D', null],
  ['7d', null],
  [null, null],
])('an age of %p is %p ms', (age, ms) => expect(ageMsOf(age)).toBe(ms));
