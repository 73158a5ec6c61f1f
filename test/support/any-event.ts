// Events made from their definition: any valid one, extremes included, what becomes of its values, and every sort of
// wrong value a field can be given.

import fc from 'fast-check';
import type { EventType, NamedField } from '../../schemas/event.ts';
import { readTime } from '../../schemas/time.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
}

export const schemaOf = (field: NamedField): Schema => field.schema as unknown as Schema;

/** In UTF-16 units: it leaves an event room for its other fields, however long a text of it may be. */
const eventRoom = 8_192;

/** Any text at all, and the sorts that JSON, UTF-8, JavaScript and ClickHouse are known to differ on. */
export const anyText = (lengthMax: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ maxLength: Math.min(lengthMax, 40), unit: 'grapheme' }),
      fc.string({ maxLength: Math.min(lengthMax, 40), unit: 'binary' }),
      fc.constantFrom('', '\0', '\\', '"', '\\N', 'NULL', 'null', '\n', '\r\n', '\t', '\u2028', '\u{1f600}', '\ufeff'),
      fc.constantFrom("'", '\x7f', '{}', '[]', '\\u0000', 'é', '0', 'true', '2024-10-03T14:30:00Z', ' ', '\uffff'),
      fc.constantFrom('é', '\u{1f600}').map(one => one.repeat(Math.min(lengthMax, eventRoom) / one.length)),
    )
    .map(text => text.slice(0, lengthMax).toWellFormed());

const anyTime = fc.oneof(
  fc.integer({ min: -2_208_988_800_000, max: 10_413_791_999_999 }),
  fc
    .date({ min: new Date('1900-01-01'), max: new Date('2299-12-31'), noInvalidDate: true })
    .map(at => at.toISOString()),
  fc.constantFrom('1900-01-01T00:00:00Z', '2299-12-31T23:59:59.999Z', '2024-02-29T23:59:59.999999+05:30', -1, 0),
);

const anyInt64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
);

/** An integer as a parser gives it that keeps every digit: a number up to 2^53, beyond it a bigint. */
export const asParsed = (integer: bigint): number | bigint =>
  Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;

/** As free JSON may hold it: of every magnitude, on both sides of what 64 bits hold, with digits to spare. */
export const anyNumber: fc.Arbitrary<number | bigint> = fc.oneof(
  anyInt64.map(asParsed),
  fc.bigInt({ min: -(10n ** 39n), max: 10n ** 39n }).map(asParsed),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(asParsed),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1e22, max: 1e22, noNaN: true }),
  fc
    .tuple(fc.integer({ min: 0, max: 308 }), fc.constantFrom(1, -1))
    .map(([exponent, sign]) => sign * Number(`1e${exponent}`)),
  fc.constantFrom(-0, 5e-324, -5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, -Number.MAX_VALUE, 1e20, -1e20),
  fc.constantFrom(2n ** 64n - 1n, 2n ** 64n, 2n ** 63n, -(2n ** 63n) - 1n, 10n ** 20n, 10n ** 39n),
);

function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  const { minimum, maximum } = schema;
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valuesOf));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.format === 'ugc-uuid')
    return fc.oneof(
      fc.uuid(),
      fc.uuid().map(id => id.toUpperCase()),
    );
  if (schema.format === 'ugc-time') return anyTime.filter(time => typeof time === 'string');
  if (schema.format === 'ugc-int64') return anyInt64.map(String);
  switch (schema.type) {
    case 'string':
      return anyText(schema.maxLength!);
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.max(Number(minimum), -(2 ** 31)), max: Math.min(Number(maximum), 2 ** 31 - 1) }),
        fc.constantFrom(Number(minimum), Number(maximum)),
      );
    case 'number':
      return fc.oneof(
        fc.double({ min: Number(minimum), max: Number(maximum ?? Number.MAX_VALUE), noNaN: true }),
        ...[0, -0, 5e-324, 2.2250738585072014e-308, 0.1, 1e-7, 1, 1e21, 2 ** 53, 123456789.12345679, Number.MAX_VALUE]
          .filter(value => value >= Number(minimum) && value <= Number(maximum ?? Number.MAX_VALUE))
          .map(value => fc.constant(value)),
      );
    case 'bigint':
      return anyInt64.filter(value => !Number.isSafeInteger(Number(value)));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(schema.items!), { maxLength: Math.min(schema.maxItems!, 8) });
    default:
      return fc.dictionary(anyText(12), fc.oneof(fc.jsonValue({ maxDepth: 3 }), anyNumber, fc.array(anyNumber)), {
        maxKeys: 5,
      });
  }
}

/** Any value the field takes. */
export const validValues = (field: NamedField): fc.Arbitrary<unknown> =>
  valuesOf(schemaOf(field)).filter(value => value !== undefined);

/** Any event the edge takes, by any of its type's names, happened within a year before `nowMs`. */
export const anyEventOf = (type: EventType, nowMs: number): fc.Arbitrary<Record<string, unknown>> =>
  fc.record<Record<string, unknown>>(
    {
      event_type: fc.constantFrom(type.name, ...type.aliases),
      timestamp: fc.oneof(
        fc.integer({ min: nowMs - 31_536_000_000, max: nowMs }),
        fc.integer({ min: nowMs - 31_536_000_000, max: nowMs }).map(ms => new Date(ms).toISOString()),
        fc.constant(new Date(nowMs).toISOString().replace('Z', '123456+05:30')),
      ),
      event_id: fc.uuid({ version: [4, 7] }),
      ...Object.fromEntries(type.allFields.map(field => [field.name, validValues(field)])),
    },
    {
      requiredKeys: [
        'event_type',
        'timestamp',
        'event_id',
        ...type.allFields.filter(field => field.absent === undefined).map(field => field.name),
      ],
    },
  );

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** As JSON, bigints as the digits they are. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner));

/** Free JSON as it is kept: an integer beyond 64 bits as the double next to it, zero without its sign. */
export function kept(given: unknown): unknown {
  if (typeof given === 'bigint') return given >= -(2n ** 63n) && given < 2n ** 64n ? given : Number(given);
  if (Array.isArray(given)) return given.map(kept);
  if (typeof given === 'object' && given !== null)
    return Object.fromEntries(Object.entries(given).map(([name, inner]) => [name, kept(inner)]));
  return given === 0 ? 0 : given;
}

/** What a reader of the stored event finds for a value that was given, or was not. */
export function storedOf({ kind, absent }: NamedField, given: unknown): unknown {
  if (given === undefined) return JSON.parse(absent!);
  if (given === null) return null;
  switch (kind) {
    case 'integer64':
      return asParsed(BigInt(given as string));
    case 'uuid':
      return (given as string).toLowerCase();
    case 'time':
      return new Date(readTime(given)!.ms).toISOString();
    case 'number':
      return given === 0 ? 0 : given;
    case 'object':
      return kept(given);
    default:
      return given;
  }
}

/** Values a field must refuse, each with the name of what is wrong with it. */
export function wrongValues(field: NamedField): readonly (readonly [string, unknown])[] {
  const wrong: [string, unknown][] = [
    ['an object', { a: 1 }],
    ['a list of an object', [{}]],
  ];
  if (field.kind === 'object') wrong.shift();
  if (field.absent === undefined) wrong.push(['missing', undefined]);
  if (field.absent !== 'null') wrong.push(['null', null]);
  if (field.kind !== 'boolean') wrong.push(['true', true]);
  return [...wrong, ...wrongOf(schemaOf(field))];
}

function wrongOf(schema: Schema): [string, unknown][] {
  const { minimum, maximum, maxLength, maxItems } = schema;
  if (schema.anyOf?.every(inner => 'const' in inner)) return wrongConstants(schema.anyOf.map(inner => inner.const));
  if (schema.anyOf?.some(inner => inner.format === 'ugc-int64')) return wrongInt64;
  if (schema.anyOf?.some(inner => inner.format === 'ugc-time')) return wrongTimes;
  if (schema.anyOf) return wrongOf(schema.anyOf.find(inner => inner.type !== 'null')!);
  if (schema.format === 'ugc-uuid')
    return ['', 'x', '0190a0b1c2d37e4f8a5b6c7d8e9f0a1b', `{${crypto.randomUUID()}}`].map(named);
  switch (schema.type) {
    case 'string':
      return [0, 1.5, ['a']].map(named).concat([['too long', 'x'.repeat(maxLength! + 1)]]);
    case 'integer':
      return [1.5, '1', '', Number(minimum) - 1, Number(maximum) + 1, 2n ** 64n].map(named);
    case 'number':
      return ['1', '', Number(minimum) - 0.001, ...(maximum === undefined ? [] : [Number(maximum) + 0.001])].map(named);
    case 'boolean':
      return [0, 1, 'true', ''].map(named);
    case 'array':
      return ['a', 0, [1], ['a', null], [['a']]].map(named).concat([['too many', Array(maxItems! + 1).fill('a')]]);
    default:
      return [0, '', '{}', [1]].map(named);
  }
}

const named = (value: unknown): [string, unknown] => [jsonOf(value), value];

const wrongConstants = (constants: readonly unknown[]): [string, unknown][] =>
  typeof constants[0] === 'number'
    ? [...constants.map(String), 99, -99, 0.5, '', 2n ** 63n].map(named)
    : [...constants.map(word => `${word}x`), '', 0].map(named);

const wrongInt64 = [1.5, 1e300, '', ' 1', '1.0', '1e3', '007', '-0', '+1', '0x1', 2n ** 63n, -(2n ** 63n) - 1n]
  .concat([String(2n ** 63n), String(-(2n ** 63n) - 1n), '9'.repeat(40)] as never[])
  .map(named);

const wrongTimes = ['', 'yesterday', '2024-10-03', '2024-10-03T14:30:00', '2023-02-29T00:00:00Z', 1e300]
  .concat(['1899-12-31T23:59:59Z', '2300-01-01T00:00:00Z'])
  .map(named);
