// The builder: one definition per event type carries everything that is true of it. The validator (TypeBox, compiled),
// the table's columns, the topic, the Hive table, the SDK's types and the documentation are derived from it and from
// nothing else.

import { type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { edgeColumns } from './columns.ts';
import { type Field, freeObject, int64, orEmpty, text, textOrNull } from './field.ts';
import { type Misfit, misfitsOf } from './misfit.ts';

/** Who an event is of: `text` a registered user, `text-or-null` also visitors, `integer` a user known by a number. */
export type Identity = 'text' | 'text-or-null' | 'integer';

/** What the types of a family have in common; of any other family: visitors too, country and device when known. */
const families: Readonly<Record<string, { readonly identity: Identity; readonly needsContext: boolean }>> = {
  film: { identity: 'text-or-null', needsContext: true },
  marketplace: { identity: 'integer', needsContext: false },
  content: { identity: 'text', needsContext: false },
};

const identities: Readonly<Record<Identity, Field>> = {
  text: text({ about: 'The registered user', lengthMax: 256 }),
  'text-or-null': textOrNull({ about: 'The registered user, or null', lengthMax: 256 }),
  integer: int64({ about: 'The registered user' }),
};
const anonymousId = textOrNull({ about: 'The visitor before or without registration', lengthMax: 256 });
const country = text({ about: 'Country of the user, e.g. US', lengthMax: 64, fewValues: true });
const device = text({ about: 'Kind of device, e.g. mobile', lengthMax: 128, fewValues: true });
const context = { country, device };
const contextOrEmpty = { country: orEmpty(country), device: orEmpty(device) };
const properties = freeObject({ about: 'Anything else, as key and value' });

/** Fields the edge reads itself and stamps in canonical form; they have no say in `fields`. */
export const stampedNames: readonly string[] = ['event_type', 'event_id', 'timestamp', 'sent_at'];

/** What the types of a topic pattern can be kept apart by, and what an etl process can be told to move alone. */
export const streams = ['event', 'view', 'content'] as const;
export type Stream = (typeof streams)[number];

export interface EventDefinition {
  /** Lower case with underscores: also the name of its table. */
  readonly name: string;
  /** Other names a client may use for it. */
  readonly aliases?: readonly string[];
  readonly family: string;
  /** Views are far more numerous than events and can flow apart from them; content is what the content API writes. */
  readonly stream: Stream;
  readonly summary: string;
  /** Raised with each change that breaks a reader or a writer (published.ts); stands in every record. */
  readonly version: number;
  /** How to make a record of version n+1 from one of version n, by n: one for each version there has been. */
  readonly upgrades?: Readonly<Record<number, Upgrade>>;
  readonly identity?: Identity;
  /** Rows may go so many days after they were received; undefined = never. */
  readonly retentionDays?: number;
  readonly fields: Readonly<Record<string, Field>>;
  readonly example: Readonly<Record<string, unknown>>;
}

/** From a record of one version to one of the next. */
export interface Upgrade {
  /** What changed, as a clause for the documentation: `seat is called chair`. */
  readonly about: string;
  /**
   * Gets the fields as they were stored, frozen, integers beyond 2^53 as bigints; gives those of the next version. What
   * it leaves out is absent, what it gives too much or wrong makes the record a dead letter, and so does throwing.
   * Pure: a record may be read many times. event_id, event_type, timestamp and sent_at stay, whatever it says of them.
   */
  readonly apply: (record: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

export type NamedField = Field & { readonly name: string };

export interface EventType extends EventDefinition {
  /** Common fields, own fields, properties: everything judged by the compiled validator, in stored order. */
  readonly allFields: readonly NamedField[];
  readonly aliases: readonly string[];
  readonly identity: Identity;
  readonly schema: TSchema;
  /** True when every field of the object fits; unknown fields are not looked at. */
  readonly fits: (event: unknown) => boolean;
  /** Why it does not fit, at most `max` findings. */
  readonly misfits: (event: Readonly<Record<string, unknown>>, max: number) => readonly Misfit[];
}

/** Throws, in words, when the definition cannot be one: types are also made from files. */
export function defineEvent(definition: EventDefinition): EventType {
  const family = families[definition.family];
  const identity = definition.identity ?? family?.identity ?? 'text-or-null';
  const fields: Record<string, Field> = {
    user_id: identities[identity],
    anonymous_id: anonymousId,
    ...(family?.needsContext ? context : contextOrEmpty),
    ...definition.fields,
    properties,
  };
  const allFields = Object.entries(fields).map(([name, field]) => ({ name, ...field }));
  assertPossible(definition, allFields);
  const schema = Type.Object(Object.fromEntries(allFields.map(field => [field.name, field.schema])));
  const compiled = TypeCompiler.Compile(schema);
  return {
    ...definition,
    aliases: definition.aliases ?? [],
    identity,
    allFields,
    schema,
    fits: event => compiled.Check(event),
    misfits: (event, max) => misfitsOf(allFields, event, max),
  };
}

/** The column with the words of a field whose numbers stand for words. */
export const wordColumn = (name: string): string => `${name}_name`;

function assertPossible(
  { name: type, fields: own, version, upgrades = {}, retentionDays = 1 }: EventDefinition,
  all: readonly NamedField[],
): void {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(type)) throw new Error(`an event type cannot be called ${JSON.stringify(type)}`);
  if (!(Number.isInteger(version) && version >= 1 && version <= 65_535))
    throw new Error(`${type}: a version is a whole number from 1 to 65535`);
  for (let from = 1; from < version; from++)
    if (upgrades[from] === undefined)
      throw new Error(`${type}: there is no upgrades[${from}], so records of version ${from} could not be read`);
  const stray = Object.keys(upgrades).find(from => !(Number(from) >= 1 && Number(from) < version));
  if (stray !== undefined) throw new Error(`${type}: upgrades[${stray}] is from no version before ${version}`);
  if (!(Number.isInteger(retentionDays) && retentionDays >= 1 && retentionDays <= 36_500))
    throw new Error(`${type}: retentionDays is a whole number from 1 to 36500`);
  const taken = new Set([...edgeColumns.map(column => column.name), 'event', 'events', 'properties']);
  for (const name of Object.keys(own))
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name) || taken.has(name) || name in {})
      throw new Error(`${type}: a field cannot be called ${JSON.stringify(name)}`);
  const names = new Set(all.map(field => field.name));
  const clash = all.find(field => field.words !== undefined && names.has(wordColumn(field.name)));
  if (clash) throw new Error(`${type}: ${wordColumn(clash.name)} is the column of ${clash.name}’s words`);
}
