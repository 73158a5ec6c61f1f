import { expect, test } from 'bun:test';
import { count, cut, duration, plain, size, table } from '../../../src/operate/output.ts';

test('numbers, sizes and times are written for people', () => {
  expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1 000', '1 234 567']);
  expect([0, 1023, 1024, 5 * 2 ** 20, 700 * 2 ** 30].map(size)).toEqual([
    '0 bytes',
    '1 023 bytes',
    '1.0 KiB',
    '5.0 MiB',
    '700 GiB',
  ]);
  expect([0, 59_000, 61_000, 3_600_000, 90_061_000].map(duration)).toEqual([
    '0 s',
    '59 s',
    '1 min 1 s',
    '1 h 0 min',
    '1 d 1 h',
  ]);
});

test('columns are as wide as their widest cell, numbers to the right', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['a', 5],
        ['long name', 1200],
      ],
    ),
  ).toBe('  name           n\n  a              5\n  long name  1 200\n');
});

test('what a stranger sent cannot command the terminal', () => {
  expect(plain('a\u001b[2Jb\u202e\u0007')).toBe('a\ufffd[2Jb\ufffd\ufffd');
  expect(table(['name'], [['\u001b]0;x\u0007']])).not.toContain('\u001b');
});

test('a line is cut to its columns, wide characters counted as wide', () => {
  expect(cut('short', 5)).toBe('short');
  expect(cut('too long', 5)).toBe('too …');
  expect(Bun.stringWidth(cut('日本語日本語', 6))).toBeLessThanOrEqual(6);
  expect(cut('日本語', 6)).toBe('日本語');
});
