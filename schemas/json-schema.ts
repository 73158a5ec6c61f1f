// Event types as JSON Schema (2020-12, the dialect of OpenAPI 3.1): what a client may send, no more and no less, as far
// as JSON Schema can say it. What it cannot say stands in words: the age of a timestamp, lengths in UTF-16 units.

import type { EventType, NamedField } from './event.ts';
import { timeExpectation } from './time.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface JsonSchemaOptions {
  /** Whether an event with a field that its type does not have is taken. */
  readonly takesUnknownFields: boolean;
}

/** To a component of the document. */
export const refTo = (name: string, sort: 'schemas' | 'responses' = 'schemas') => ({
  $ref: `#/components/${sort}/${name}`,
});

/** What types have in common, by the names they refer to. No event type can be called so. */
export const sharedSchemas: Readonly<Record<string, JsonSchema>> = {
  EventId: {
    type: 'string',
    format: 'uuid',
    description: 'A UUID, neither all zeros nor all ones. The same one sent twice, under the same type, is one event',
  },
  Time: {
    description: timeExpectation,
    anyOf: [
      { type: 'string', format: 'date-time' },
      { type: 'number', minimum: -2_208_988_800_000, maximum: 10_413_791_999_999 },
    ],
  },
  Integer64: {
    description: 'A signed 64-bit integer, or text of its digits: both are kept to the last one',
    anyOf: [
      // As doubles, which is what most readers of this document take them for.
      { type: 'integer', format: 'int64', minimum: -(2 ** 63), exclusiveMaximum: 2 ** 63 },
      { type: 'string', pattern: int64Pattern() },
    ],
  },
};

/** An event of the type. `event_type` may be absent where the path says it. */
export function jsonSchemaOf(type: EventType, { takesUnknownFields }: JsonSchemaOptions): JsonSchema {
  const { name, aliases, summary, allFields, example } = type;
  return {
    title: name,
    description: summary,
    type: 'object',
    properties: {
      event_type: { enum: [name, ...aliases] },
      event_id: { anyOf: [refTo('EventId'), { type: 'null' }] },
      timestamp: { ...refTo('Time'), description: 'When it happened. Without it: when it was sent' },
      sent_at: { anyOf: [refTo('Time'), { type: 'null' }], description: 'The client’s clock when it sends' },
      ...Object.fromEntries(allFields.map(field => [field.name, fieldSchema(field)])),
    },
    required: allFields.filter(field => field.absent === undefined).map(field => field.name),
    anyOf: [{ required: ['timestamp'] }, { required: ['sent_at'], properties: { sent_at: refTo('Time') } }],
    additionalProperties: takesUnknownFields,
    examples: [example],
  };
}

function fieldSchema({ kind, schema, about, absent }: NamedField): JsonSchema {
  const isNullable = absent === 'null';
  const inner = kindSchemas[kind] ?? plain(isNullable ? withoutNull(schema as Given) : (schema as Given));
  return {
    ...(isNullable ? { anyOf: [inner, { type: 'null' }] } : inner),
    description: about,
    ...(absent === undefined ? {} : { default: JSON.parse(absent) }),
  };
}

/** Kinds whose validator says more than JSON Schema can, or less readably. */
const kindSchemas: Readonly<Partial<Record<NamedField['kind'], JsonSchema>>> = {
  integer64: refTo('Integer64'),
  time: refTo('Time'),
  uuid: { type: 'string', format: 'uuid' },
  object: { type: 'object', additionalProperties: true },
};

interface Given {
  readonly anyOf?: readonly Given[];
  readonly type?: string;
  readonly const?: unknown;
  readonly items?: Given;
}

function withoutNull(schema: Given): Given {
  const rest = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [schema];
  return rest.length === 1 ? rest[0]! : { ...schema, anyOf: rest };
}

/** A field that is no event’s. */
export const schemaOf = ({ schema, about }: Pick<NamedField, 'schema' | 'about'>): JsonSchema => ({
  ...plain(schema as Given),
  description: about,
});

/** Without what is ours alone; a choice of constants is an enum. */
function plain(given: Given): JsonSchema {
  const { anyOf, items, expected: _, description: _about, ...rest } = given as Given & Record<string, unknown>;
  if (anyOf?.every(option => 'const' in option)) return { enum: anyOf.map(option => option.const) };
  return {
    ...rest,
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(plain) }),
    ...(items === undefined ? {} : { items: plain(items) }),
  };
}

/** Exactly the canonical digits of the integers from -2^63 to 2^63 - 1. */
function int64Pattern(): string {
  const most = String(2n ** 63n - 1n);
  // Below the greatest: the same digits up to some place, a smaller one there, any behind it.
  const below = [...most].flatMap((digit, at) => {
    const least = at === 0 ? 1 : 0;
    if (Number(digit) <= least) return [];
    const rest = most.length - at - 1;
    return `${most.slice(0, at)}[${least}-${Number(digit) - 1}]${rest === 0 ? '' : `[0-9]{${rest}}`}`;
  });
  return `^(0|-?([1-9][0-9]{0,${most.length - 2}}|${below.join('|')}|${most})|-${2n ** 63n})$`;
}
