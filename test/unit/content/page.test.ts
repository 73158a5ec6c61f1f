import { describe, expect, test } from 'bun:test';
import { cursorOf, limitOf, pageOf, readCursor } from '../../../src/content/page.ts';

const list = JSON.stringify(['film', 'newest']);
const isId = (id: string): boolean => id !== 'refused';

describe('a cursor', () => {
  test('is read as it was made', () => {
    for (const last of [
      { value: 0, id: 'a' },
      { value: -3, id: 'x'.repeat(256) },
      { value: 1_795_000_000_000, id: 'фильм "🎬"' },
    ]) {
      const cursor = cursorOf(list, last);
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(readCursor(list, cursor, isId)).toEqual(last);
    }
  });

  test('is refused with any one character of it changed, left away or added', () => {
    const cursor = cursorOf(list, { value: 1_795_000_000_000, id: crypto.randomUUID() });
    for (let at = 0; at < cursor.length; at++) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      for (const changed of [other, '', `${cursor[at]}${other}`])
        expect(() => readCursor(list, cursor.slice(0, at) + changed + cursor.slice(at + 1), isId)).toThrow('cursor');
    }
  });

  test('is refused elsewhere, with what can be no id or value, and when it is none', () => {
    expect(() => readCursor('other', cursorOf(list, { value: 1, id: 'a' }), isId)).toThrow('another list');
    expect(() => readCursor(list, cursorOf(list, { value: 1, id: 'refused' }), isId)).toThrow('cursor');
    for (const value of [Number.NaN, 1.5, 1e300])
      expect(() => readCursor(list, cursorOf(list, { value, id: 'a' }), isId)).toThrow('cursor');
    for (const text of ['', 'null', '====', 'x'.repeat(10_000)])
      expect(() => readCursor(list, text, isId)).toThrow('cursor');
    expect(readCursor(list, undefined, isId)).toBeNull();
  });
});

test('a page says where the next one begins while there is one', () => {
  const keyOf = (value: number) => ({ value, id: String(value) });
  expect(pageOf(list, [1, 2], 2, keyOf)).toEqual({ items: [1, 2], next: null });
  expect(pageOf(list, [], 2, keyOf)).toEqual({ items: [], next: null });
  const { items, next } = pageOf(list, [1, 2, 3], 2, keyOf);
  expect(items).toEqual([1, 2]);
  expect(readCursor(list, next ?? '', isId)).toEqual({ value: 2, id: '2' });
});

test('a limit is a whole number of a range', () => {
  expect([limitOf(undefined), limitOf('1'), limitOf('100')]).toEqual([20, 1, 100]);
  for (const text of ['0', '101', '-1', '1.0', '1e1', '', ' 1', '1000000'])
    expect(() => limitOf(text)).toThrow('limit must be');
});
