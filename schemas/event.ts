// The builder: one definition per event type carries everything that is true of it. The validator (TypeBox, compiled),
// the table's columns, the topic and the documentation are derived from it and from nothing else.

import { type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';

/** How a field's value is written into the stored JSON. */
export type FieldKind = 'text' | 'number' | 'object';

export interface Field {
  readonly schema: TSchema;
  readonly kind: FieldKind;
  /** ClickHouse column type. Every value the schema accepts is held by it without loss. */
  readonly column: string;
  readonly about: string;
  /** Absent counts as this; undefined = the field is required. */
  readonly absent?: null | '' | '{}';
}

interface TextOptions {
  readonly about: string;
  readonly lengthMax?: number;
  /** Few different values: stored as a dictionary. */
  readonly fewValues?: boolean;
}

/** Text of at most `lengthMax` UTF-16 units (default 1024). */
export function text({ about, lengthMax = 1024, fewValues = false }: TextOptions): Field {
  return {
    schema: Type.String({ maxLength: lengthMax, description: about }),
    kind: 'text',
    column: fewValues ? 'LowCardinality(String)' : 'String',
    about,
  };
}

/** Text or null; absent is null. */
export function textOrNull({ about, lengthMax = 1024 }: TextOptions): Field {
  return {
    schema: Type.Optional(Type.Union([Type.String({ maxLength: lengthMax }), Type.Null()], { description: about })),
    kind: 'text',
    column: 'Nullable(String)',
    about,
    absent: null,
  };
}

/** A whole number from 0 to 4 294 967 295. */
export function count32({ about }: { readonly about: string }): Field {
  return {
    schema: Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: about }),
    kind: 'number',
    column: 'UInt32',
    about,
  };
}

/** A finite number, not negative, as an IEEE 754 double. */
export function amount({ about }: { readonly about: string }): Field {
  return {
    schema: Type.Number({ minimum: 0, description: about }),
    kind: 'number',
    column: 'Float64',
    about,
  };
}

/** A free JSON object, stored as its JSON text. */
export function freeObject({ about }: { readonly about: string }): Field {
  return {
    schema: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: about })),
    kind: 'object',
    column: 'String',
    about,
    absent: '{}',
  };
}

/** What every event may carry besides its own fields, in the order it is stored. */
export const commonFields = {
  user_id: textOrNull({ about: 'The registered user, or null', lengthMax: 256 }),
  anonymous_id: textOrNull({ about: 'The visitor before or without registration', lengthMax: 256 }),
  country: text({ about: 'Country of the user, e.g. US', lengthMax: 64, fewValues: true }),
  device: text({ about: 'Kind of device, e.g. mobile', lengthMax: 128, fewValues: true }),
} as const satisfies Record<string, Field>;

export const properties = freeObject({ about: 'Anything else, as key and value' });

/**
 * Fields the edge reads itself and stamps in canonical form; they have no say in `fields`.
 * event_type, event_id, timestamp, sent_at.
 */
export const stampedNames = ['event_type', 'event_id', 'timestamp', 'sent_at'] as const;

export interface EventDefinition {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly family: 'film';
  /** Views are far more numerous than events and can flow apart from them. */
  readonly stream: 'event' | 'view';
  readonly summary: string;
  readonly version: number;
  readonly fields: Readonly<Record<string, Field>>;
  readonly example: Readonly<Record<string, unknown>>;
}

export interface EventType extends EventDefinition {
  /** Common fields, own fields, properties: everything judged by the compiled validator, in stored order. */
  readonly allFields: readonly (Field & { readonly name: string })[];
  readonly aliases: readonly string[];
  readonly schema: TSchema;
  /** True when every field of the object fits; unknown fields are not looked at. */
  readonly fits: (event: unknown) => boolean;
  /** Why it does not fit, at most `max` findings; slow. */
  readonly misfits: (event: unknown, max: number) => readonly Misfit[];
}

export interface Misfit {
  /** JSON pointer, e.g. /duration */
  readonly path: string;
  readonly message: string;
}

export function defineEvent(definition: EventDefinition): EventType {
  const fields: Record<string, Field> = { ...commonFields, ...definition.fields, properties };
  const schema = Type.Object(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.schema])));
  const compiled = TypeCompiler.Compile(schema);
  return {
    ...definition,
    aliases: definition.aliases ?? [],
    allFields: Object.entries(fields).map(([name, field]) => ({ name, ...field })),
    schema,
    fits: event => compiled.Check(event),
    misfits: (event, max) => collect(compiled.Errors(event), max),
  };
}

type Found = Iterable<{ readonly path: string; readonly schema: TSchema; readonly value: unknown }>;

function collect(found: Found, max: number): Misfit[] {
  const misfits = new Map<string, Misfit>();
  for (const { path, schema, value } of found) {
    if (misfits.size >= max) break;
    if (!misfits.has(path))
      misfits.set(path, { path, message: `expected ${expectation(schema)}, got ${describe(value)}` });
  }
  return [...misfits.values()];
}

function expectation(schema: TSchema): string {
  if (schema.anyOf) return (schema.anyOf as TSchema[]).map(expectation).join(' or ');
  switch (schema.type) {
    case 'string':
      return schema.maxLength === undefined ? 'text' : `text of at most ${schema.maxLength} characters`;
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'number':
      return 'a number that is not negative';
    case 'null':
      return 'null';
    default:
      return 'an object';
  }
}

/** What came, in a few words; never more than 40 characters of a value. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') {
    if (value.length > 40) return `text of ${value.length} characters`;
    return `the text ${JSON.stringify(value)}`;
  }
  return typeof value === 'object' ? 'an object' : String(value);
}
