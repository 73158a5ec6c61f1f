// Numbers, instants and JSON as the page tells them.

import { expect, test } from 'bun:test';
import {
  bytes,
  cell,
  clock,
  laidOut,
  milliseconds,
  moment,
  number,
  rate,
  seconds,
} from '../../../src/console/page/words.ts';

test('what is not known is told as such, never as nothing', () => {
  for (const tell of [number, milliseconds, seconds]) expect([tell(null), tell(undefined)]).toEqual(['–', '–']);
  expect(number(Number.NaN)).toBe('–');
  expect(rate(null)).toBe('–/s');
  expect([cell(null), cell(undefined), cell(''), cell(0), cell({ a: [1] })]).toEqual(['–', '–', '', '0', '{"a":[1]}']);
});

test('numbers have the unit that keeps them short', () => {
  expect([0, 1_234.56, 99_999, 123_456, 1.2e9].map(number)).toEqual(['0', '1,234.6', '99,999', '123.5K', '1.2B']);
  expect([0.4, 999, 1_500, 150_000].map(milliseconds)).toEqual(['0.4 ms', '999 ms', '1.5 s', '2.5 min']);
  expect([5, 600, 10_800, 864_000].map(seconds)).toEqual(['5 s', '10 min', '3 h', '10 days']);
  expect([0, 1, 1_023, 1_024, 5e9].map(bytes)).toEqual(['0 B', '1 B', '1,023 B', '1 KiB', '4.7 GiB']);
});

test('an instant is told in UTC, and what is none as it is', () => {
  const iso = '2026-11-29T14:03:07.120Z';
  expect([clock(iso), moment(iso)]).toEqual(['14:03:07.120', '2026-11-29 14:03:07']);
  expect([clock('soon'), moment('')]).toEqual(['soon', '']);
});

test('JSON is laid out, but never at the price of a digit, and half of it stays as it is', () => {
  expect(laidOut('{"a":1}')).toBe('{\n  "a": 1\n}');
  for (const text of ['{"id":9007199254740993}', '{"a":', '', 'text']) expect(laidOut(text)).toBe(text);
});
