import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { PipelineError } from '../../../src/errors.ts';
import { parseJson, repeatedNames } from '../../../src/record/json.ts';
import { jsonOf } from '../../support/any-event.ts';

const codeOf = (text: string): string => {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof PipelineError) return error.code;
  }
  return 'none';
};

describe('an integer that a double would round', () => {
  test.each([
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['18446744073709551616', 18446744073709551616n],
    ['9223372036854775807', 9223372036854775807n],
  ])('is a bigint: %s', (text, value) => {
    expect(parseJson(text)).toBe(value);
    expect(parseJson(`{"a":[{"b":${text}}]}`)).toEqual({ a: [{ b: value }] });
    expect(parseJson(`[1,${text} ,"${text}"]`)).toEqual([1, value, text]);
  });

  test('keeps every digit, wherever it stands in the text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n }), fc.nat(40), (value, spaces) => {
        const read = parseJson(`${' '.repeat(spaces)}{"a":${value}}`) as { a: number | bigint };
        expect(BigInt(read.a)).toBe(value);
        expect(typeof read.a).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
      }),
    );
  });

  test('and whatever texts of digits stand around it', () => {
    const digits = fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n });
    const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(digits, space, fc.string(), digits), { maxLength: 8 }), items => {
        const text = items.map(([value, gap, said, named]) => {
          const quoted = JSON.stringify(`${said}${named}`);
          return `${gap}${value}${gap},${quoted}${gap},{${quoted}${gap}:${gap}${value}}`;
        });
        const exact = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
        expect(parseJson(`[${text.join(',')}]`)).toEqual(
          items.flatMap(([value, , said, named]) => [
            exact(value),
            `${said}${named}`,
            Object.fromEntries([[`${said}${named}`, exact(value)]]),
          ]),
        );
      }),
    );
  });
});

describe('any other number is what JSON.parse makes of it', () => {
  test.each([
    '9007199254740991',
    '0.12345678901234567',
    '1234567890123456.5',
    '12345678901234567e3',
    '9007199254740993.0',
    '1e300',
    `1${'0'.repeat(40)}`,
    `1${'0'.repeat(400)}`,
    '0000000000000000000001'.replace(/^0+/, ''),
  ])('%s', text => {
    expect(parseJson(`[${text}]`)).toEqual(JSON.parse(`[${text}]`));
  });
});

test('digits in text are text, and keys that mean something to JavaScript are keys', () => {
  const text = '{"__proto__":{"a":9007199254740993},"constructor":1,"a":"9007199254740993","a":[9007199254740995]}';
  const read = parseJson(text) as Record<string, unknown>;
  expect(Object.keys(read)).toEqual(['__proto__', 'constructor', 'a']);
  expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toEqual({ a: 9007199254740993n });
  expect(read.a).toEqual([9007199254740995n]);
});

test('any JSON reads the same with and without a long integer beside it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const [read, long] = parseJson(`[${JSON.stringify(value)},12345678901234567890]`) as [unknown, bigint];
      expect(long).toBe(12345678901234567890n);
      // A generated double may itself be an integer beyond 2^53.
      expect(JSON.parse(jsonOf(read))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('hostile nesting beside a long integer is refused, not a stack overflow', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}12345678901234567890${']'.repeat(levels)}`;
  expect(codeOf(deep(900))).toBe('none');
  for (const levels of [1_001, 30_000, 1_000_000]) expect(codeOf(deep(levels))).toBe('not_json');
  expect(codeOf('{"a":12345678901234567890')).toBe('not_json');
});

test('a megabyte of digits takes no time to speak of', () => {
  const before = process.cpuUsage();
  expect(parseJson(`[${'9'.repeat(1_000_000)}]`)).toEqual([Number.POSITIVE_INFINITY]);
  expect(parseJson(`["${'9'.repeat(1_000_000)}"]`)).toEqual(['9'.repeat(1_000_000)]);
  parseJson(`[${`${'9'.repeat(15)},`.repeat(60_000)}1]`);
  const { user, system } = process.cpuUsage(before); // of this process, however busy the machine is
  expect((user + system) / 1_000).toBeLessThan(1_000);
});

test('names that stand twice in the outermost object are told, and none that only seem to', () => {
  expect(repeatedNames('{"a":1,"b":2,"a":3,"a":4}')).toEqual(['a']);
  expect(repeatedNames('{"a":1,"\\u0061":2}')).toEqual(['a']);
  expect(repeatedNames('{"__proto__":1,"__proto__":2}')).toEqual(['__proto__']);
  expect(repeatedNames('{"a":{"a":1,"a":2},"b":[{"a":1}],"c":"\\"a\\":1"}')).toEqual([]);
  expect(repeatedNames('{}')).toEqual([]);
  expect(repeatedNames(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)},"a":1}`)).toEqual(['a']);
});
