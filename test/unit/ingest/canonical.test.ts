import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { FieldKind } from '../../../schemas/field.ts';
import { isLargerThan, unwritable, writerOf } from '../../../src/ingest/canonical.ts';

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
    expect(unwritable(['a', '\ud800'], 16)).toContain('surrogate');
  });
});

describe('a value is not written', () => {
  test.each([
    ['half a pair', '\ud800'],
    ['the other half', '\udc00'],
    ['both halves in the wrong order', '\udc00\ud800'],
    ['half a pair after a whole one', '😀\ud83d'],
    ['half a pair in a value', { a: '\ud800' }],
    ['half a pair in a key', { '\ud800': 1 }],
    ['half a pair in a key far down', { a: [{ b: { '\udfff': 1 } }] }],
    ['infinity within', JSON.parse('{"a":[1e400]}')],
    ['minus infinity within', JSON.parse('{"a":-1e400}')],
  ])('%s', (_, value) => {
    expect(jsonOf(value, 16)).toBeNull();
    expect(unwritable(value, 16)).toContain(typeof value === 'string' ? 'surrogate' : 'out of range or invalid');
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
      expect(written).toBe(JSON.stringify(value));
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
