import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { FieldKind } from '../../../schemas/field.ts';
import { isLargerThan, unwritable, writerOf } from '../../../src/record/canonical.ts';

const kinds: Readonly<Record<string, FieldKind>> = { string: 'text', number: 'number', boolean: 'boolean' };

/** As the field of a value's own sort writes it. */
const jsonOf = (value: unknown, depthMax: number) =>
  writerOf({ kind: kinds[typeof value] ?? 'object', absent: 'null' }, depthMax)(value);

const write = (kind: FieldKind, value: unknown) => writerOf({ kind }, 16)(value);

describe('a value is written', () => {
  test.each([
    ['text', 'a', '"a"'],
    ['empty text', '', '""'],
    ['quotes and backslashes', '"\\', '"\\"\\\\"'],
    ['control characters, NUL among them', '\u0000\b\n\r\t\u001f', '"\\u0000\\b\\n\\r\\t\\u001f"'],
    ['DEL and the line separators, as they are', '\u007f\u0085\u2028\u2029', '"\u007f\u0085\u2028\u2029"'],
    ['a byte order mark within', '\ufeffa', '"\ufeffa"'],
    ['four bytes of UTF-8', '😀𐍈', '"😀𐍈"'],
    ['noncharacters', '\uffff\ufffe', '"\uffff\ufffe"'],
    ['minus zero as zero', -0, '0'],
    ['3600.0 as an integer', JSON.parse('3600.0'), '3600'],
    ['36e2 as an integer', JSON.parse('36e2'), '3600'],
    ['a fraction', 0.1, '0.1'],
    ['a large number', 1e21, '1e+21'],
    ['the smallest number', 5e-324, '5e-324'],
    ['null', null, 'null'],
    [
      'an integer of 64 bits',
      { a: [2n ** 64n - 1n, -(2n ** 63n)] },
      '{"a":[18446744073709551615,-9223372036854775808]}',
    ],
    ['an integer beyond them as the double it is', { a: [2n ** 64n] }, '{"a":[1.8446744073709552e+19]}'],
    ['a negative one beyond them', { a: -(2n ** 63n) - 1n }, '{"a":-9.223372036854776e+18}'],
    ['forty digits', JSON.parse(`{"a":${'1234567890'.repeat(4)}}`), '{"a":1.2345678901234568e+39}'],
    ['a double that would be digits beyond 64 bits', { a: 1e20, b: [-1e20] }, '{"a":1e+20,"b":[-1e+20]}'],
    ['the least double that is none of 64 bits', { a: 2 ** 64 }, '{"a":1.8446744073709552e+19}'],
    ['the double -2^63, whose shortest digits are none', { a: -(2 ** 63) }, '{"a":-9.223372036854776e+18}'],
    ['the greatest that is one', { a: 2 ** 64 - 2048 }, '{"a":18446744073709550000}'],
    ['an object', { b: [1, 'x'], a: {} }, '{"b":[1,"x"],"a":{}}'],
    ['what looks like a method', JSON.parse('{"toJSON":"x","toString":1}'), '{"toJSON":"x","toString":1}'],
    ['__proto__ as a key of its own', JSON.parse('{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}'],
  ])('%s', (_, value, text) => {
    expect(jsonOf(value, 16)).toBe(text);
  });
});

describe('a kind of field is written in one spelling', () => {
  test.each<[FieldKind, unknown, string]>([
    ['integer64', 5, '5'],
    ['integer64', -0, '0'],
    ['integer64', '9223372036854775807', '9223372036854775807'],
    ['integer64', -(2n ** 63n), '-9223372036854775808'],
    ['uuid', '01927A3E-5C1B-7D2F-9E4A-3B6C8D0F1A2E', '"01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e"'],
    ['time', '2024-10-03T14:30:00+02:00', '"2024-10-03T12:30:00.000Z"'],
    ['time', 1.9, '"1970-01-01T00:00:00.001Z"'],
    ['boolean', true, 'true'],
    ['texts', ['a', '"', '\u0000'], '["a","\\"","\\u0000"]'],
    ['texts', [], '[]'],
    ['object', { a: [2n ** 53n + 1n, 1.5], b: null }, '{"a":[9007199254740993,1.5],"b":null}'],
  ])('%s: %p', (kind, value, text) => {
    expect(write(kind, value)).toBe(text);
  });

  test('and a list with half a surrogate pair is not', () => {
    expect(write('texts', ['a', '\ud800'])).toBeNull();
  });
});

describe('a value is not written, and it is told where', () => {
  test.each<[string, unknown, string, string]>([
    ['half a pair', '\ud800', '', 'surrogate'],
    ['the other half', '\udc00', '', 'surrogate'],
    ['both halves in the wrong order', '\udc00\ud800', '', 'surrogate'],
    ['half a pair after a whole one', '😀\ud83d', '', 'surrogate'],
    ['half a pair in a list of texts', ['a', '\ud800'], '/1', 'surrogate'],
    ['half a pair in a value', { a: '\ud800' }, '/a', 'surrogate'],
    ['half a pair in a key', { '\ud800': 1 }, '', 'has a name that holds half of a surrogate'],
    ['half a pair in a key far down', { a: [{ b: { '\udfff': 1 } }] }, '/a/0/b', 'has a name that holds half'],
    ['infinity within', JSON.parse('{"a":[{"b":1e400}]}'), '/a/0/b', 'out of range'],
    ['minus infinity within', JSON.parse('{"x":1,"a":-1e400}'), '/a', 'out of range'],
    ['a name with what a pointer escapes', { 'a/b~c': '\ud800' }, '/a~1b~0c', 'surrogate'],
  ])('%s', (_, value, path, message) => {
    expect(jsonOf(value, 16)).toBeNull();
    expect(unwritable(value, 16)).toEqual({ path, message: expect.stringContaining(message) });
  });

  test('nesting that is too deep, by the first object or list beyond', () => {
    expect(unwritable({ a: 1, b: { c: [{}] } }, 3)).toEqual({
      path: '/b/c/0',
      message: 'is nested deeper than 4 (UGC_JSON_DEPTH_MAX)',
    });
  });

  test('a pointer of any length is not: then it is of an object around the place', () => {
    const names = Array.from({ length: 100 }, (_, at) => `${at}`.repeat(50));
    const deep = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), Number.POSITIVE_INFINITY);
    const { path } = unwritable(deep, 128);
    expect(path.length).toBeLessThan(700);
    expect(path).toStartWith(`/${names[0]}/${names[1]}/`);
  });
});

const nested = (levels: number, open: string, close: string): unknown =>
  JSON.parse(open.repeat(levels) + '1' + close.repeat(levels));

test('nesting is counted in arrays and objects alike, and one level too many is not written', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    expect(jsonOf(nested(3, open, close), 3)).toBe(open.repeat(3) + '1' + close.repeat(3));
    expect(jsonOf(nested(4, open, close), 3)).toBeNull();
  }
});

test('nesting of a million levels is refused, not a stack overflow', () => {
  expect(jsonOf(nested(1_000_000, '[', ']'), 128)).toBeNull();
});

test('whatever is written is one line of well-formed text that JSON.parse reads back the same', () => {
  const text = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 10, 13, 34, 92, 0xd83d, 0xde00)),
  );
  fc.assert(
    fc.property(text, units => {
      const value = String.fromCharCode(...units);
      const written = jsonOf(value, 16);
      expect(written === null).toBe(!value.isWellFormed());
      if (written === null) return;
      expect(written.isWellFormed()).toBe(true);
      expect(written).not.toMatch(/[\n\r\u0000]/);
      expect(JSON.parse(written)).toBe(value);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
      const written = jsonOf(value, 1_000);
      expect(JSON.parse(written!)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 100 },
  );
});

test('a text is larger than its limit by its bytes in UTF-8, not by its characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(60), (text, bytesMax) => {
      expect(isLargerThan(text, bytesMax)).toBe(new TextEncoder().encode(text).length > bytesMax);
    }),
  );
});
