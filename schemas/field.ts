// The kinds of field an event type is made of. One kind decides at once what the edge takes (a TypeBox schema), how the
// value is written into the log (`kind`, see src/record/canonical.ts) and which ClickHouse column holds it without loss.
//
// Free JSON is stored as its text, not as ClickHouse's JSON type: that one (26.7, measured) drops keys whose value is
// null, orders keys anew, and refuses whole rows the edge has taken: {"a.b":1,"a":{"b":2}}, integers beyond 64 bits.
// A query that wants it can still say properties::JSON.

import { FormatRegistry, type TSchema, Type } from '@sinclair/typebox';
import { isStorable, readTime, storableMsMax, storableMsMin } from './time.ts';
import { isUuid } from './uuid.ts';

/** How a field's value is written into the stored JSON. */
export type FieldKind = 'text' | 'number' | 'integer64' | 'boolean' | 'uuid' | 'time' | 'texts' | 'object';

export interface Field {
  readonly schema: TSchema;
  readonly kind: FieldKind;
  /** ClickHouse column type. Every value the schema accepts is held by it without loss. */
  readonly column: string;
  /** In words: what it is, its unit, its range, what its numbers mean. */
  readonly about: string;
  /** Of a number, e.g. seconds. */
  readonly unit?: string;
  /** What is written when the field is absent, as JSON; undefined = the field is required. */
  readonly absent?: 'null' | '""' | '{}' | '[]';
  /** What each number stands for. Both can be queried: <name>, and <name>_name. */
  readonly words?: Readonly<Record<number, string>>;
}

interface About {
  readonly about: string;
}

interface Measured extends About {
  /** Of the number, e.g. seconds. */
  readonly unit?: string;
}

interface TextOptions extends About {
  /** In UTF-16 units. */
  readonly lengthMax?: number;
  readonly lengthMin?: number;
  /** Few different values: stored as a dictionary. */
  readonly fewValues?: boolean;
}

/** Text of at most `lengthMax` UTF-16 units (default 1024). */
export const text = ({ about, lengthMax = 1024, lengthMin = 0, fewValues = false }: TextOptions): Field => ({
  schema: Type.String({ ...(lengthMin > 0 && { minLength: lengthMin }), maxLength: lengthMax, description: about }),
  kind: 'text',
  column: fewValues ? 'LowCardinality(String)' : 'String',
  about,
});

/** Text or null; absent is null. */
export const textOrNull = (options: TextOptions): Field => orNull(text(options));

/** One of a few texts. */
export function choice({ about, of }: About & { readonly of: readonly string[] }): Field {
  const said = `${about}: ${of.join(', ')}`;
  return {
    schema: Type.Unsafe<string>(
      Type.Union(
        of.map(word => Type.Literal(word)),
        { description: said },
      ),
    ),
    kind: 'text',
    column: 'LowCardinality(String)',
    about: said,
  };
}

/** A whole number in a range, by default 0 to 4 294 967 295. */
export function whole(options: Measured & { readonly min?: number; readonly max?: number }): Field {
  const { min = 0, max = 4_294_967_295 } = options;
  const about = inWords(options, `${min} to ${max}`);
  return {
    schema: Type.Integer({ minimum: min, maximum: max, description: about }),
    kind: 'number',
    column: integerColumn(min, max),
    about,
    ...unitOf(options),
  };
}

/** A finite number, by default not negative, as an IEEE 754 double. */
export function amount(options: Measured & { readonly min?: number; readonly max?: number }): Field {
  const { min = 0, max } = options;
  const about = inWords(options, max === undefined ? undefined : `${min} to ${max}`);
  const bounds = max === undefined ? { minimum: min } : { minimum: min, maximum: max };
  return {
    schema: Type.Number({ ...bounds, description: about }),
    kind: 'number',
    column: 'Float64',
    about,
    ...unitOf(options),
  };
}

/** Any finite number, as an IEEE 754 double. */
export const number = ({ about, max }: About & { readonly max?: number }): Field => ({
  schema: Type.Number({
    ...(max !== undefined && { maximum: max }),
    description: about,
    expected: max === undefined ? 'a number' : `a number of at most ${max}`,
  }),
  kind: 'number',
  column: 'Float64',
  about,
});

/** A part of a whole, 0 to 1. */
export const share = (options: About): Field => amount({ ...options, min: 0, max: 1 });

/**
 * A signed 64-bit integer, as a JSON number or as text of its digits. Both are kept to the last digit; beyond 2^53 a
 * number reaches the validator as a bigint.
 */
export const int64 = ({ about }: About): Field => ({
  schema: Type.Union(
    [
      Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      Type.String({ format: 'ugc-int64' }),
      // Bounds that are doubles: the compiled check spells them as number literals, and 2^63 - 1 would be rounded.
      Type.BigInt({ minimum: int64Min, exclusiveMaximum: int64Max + 1n }),
    ],
    { description: about, expected: `a whole number from ${int64Min} to ${int64Max}, or text of its digits` },
  ),
  kind: 'integer64',
  column: 'Int64',
  about,
});

/** A number that stands for a word. */
export function numbered({ about, words }: About & { readonly words: Readonly<Record<number, string>> }): Field {
  const numbers = Object.keys(words)
    .map(Number)
    .toSorted((a, b) => a - b);
  const said = `${about}: ${numbers.map(number => `${number} ${words[number]}`).join(', ')}`;
  return {
    schema: Type.Union(
      numbers.map(number => Type.Literal(number)),
      { description: said, expected: numbers.map(number => `${number} (${words[number]})`).join(' or ') },
    ),
    kind: 'number',
    // A new word must not need another column: a byte has room for it.
    column: numbers[0]! < 0 ? 'Int8' : 'UInt8',
    about: said,
    words,
  };
}

export const flag = ({ about }: About): Field => ({
  schema: Type.Boolean({ description: about }),
  kind: 'boolean',
  column: 'Bool',
  about,
});

/** A UUID in the usual spelling; stored in lower case. */
export const uuid = ({ about }: About): Field => ({
  schema: Type.String({ format: 'ugc-uuid', description: about, expected: 'a UUID' }),
  kind: 'uuid',
  column: 'UUID',
  about,
});

/** A moment of the years 1900 to 2299: ISO 8601 with a zone, or epoch milliseconds; stored in milliseconds, UTC. */
export const time = ({ about }: About): Field => ({
  schema: Type.Union(
    [Type.String({ format: 'ugc-time' }), Type.Number({ minimum: storableMsMin, maximum: storableMsMax })],
    {
      description: about,
      expected: 'a time of the years 1900 to 2299: ISO 8601 with a zone (2024-10-03T14:30:00Z) or epoch milliseconds',
    },
  ),
  kind: 'time',
  column: "DateTime64(3, 'UTC')",
  about,
});

/** A list of texts; absent is empty. */
export const texts = ({
  about,
  countMax = 100,
  lengthMax = 256,
}: TextOptions & { readonly countMax?: number }): Field => ({
  schema: Type.Optional(Type.Array(Type.String({ maxLength: lengthMax }), { maxItems: countMax, description: about })),
  kind: 'texts',
  column: 'Array(String)',
  about,
  absent: '[]',
});

/** A free JSON object, stored as its JSON text; absent is empty. */
export const freeObject = ({ about }: About): Field => ({
  schema: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: about })),
  kind: 'object',
  column: 'String',
  about,
  absent: '{}',
});

/** The same or null; absent is null. */
export function orNull(field: Field): Field {
  const { schema, column, kind } = field;
  if (kind === 'texts' || kind === 'object') throw new Error(`${kind} cannot be null: leave it away`);
  const inner = /^LowCardinality\((.+)\)$/.exec(column)?.[1];
  return {
    ...field,
    schema: Type.Optional(Type.Union([schema, Type.Null()], { description: field.about })),
    column: inner === undefined ? `Nullable(${column})` : `LowCardinality(Nullable(${inner}))`,
    absent: 'null',
  };
}

/** Text that may be absent, and then is empty. */
export const orEmpty = (field: Field): Field => ({ ...field, schema: Type.Optional(field.schema), absent: '""' });

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const integerColumns = [
  ['UInt8', 0, 255],
  ['UInt16', 0, 65_535],
  ['UInt32', 0, 4_294_967_295],
  ['Int32', -2_147_483_648, 2_147_483_647],
  ['Int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
] as const;

function integerColumn(min: number, max: number): string {
  const found = integerColumns.find(([, from, to]) => min >= from && max <= to);
  if (found === undefined) throw new Error(`no column holds ${min} to ${max} exactly; use int64`);
  return found[0];
}

const unitOf = ({ unit }: Measured) => (unit === undefined ? {} : { unit });

const inWords = ({ about, unit }: Measured, range?: string): string =>
  [about, unit, range].filter(part => part !== undefined).join(', ');

// Names of our own: other libraries register formats of the usual names in the same registry.
const digitsPattern = /^(0|-?[1-9]\d{0,18})$/;

FormatRegistry.Set('ugc-uuid', isUuid);
FormatRegistry.Set('ugc-int64', given => {
  if (!digitsPattern.test(given)) return false;
  if (given.length < 19) return true;
  const value = BigInt(given);
  return value >= int64Min && value <= int64Max;
});
FormatRegistry.Set('ugc-time', given => {
  const read = readTime(given);
  return read !== null && isStorable(read);
});
