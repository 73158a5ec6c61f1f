// What can be told of an event that was rejected without a word its sender has written: names of fields that the catalogue
// has, the sort of each value, and values that the catalogue itself lists. Whatever else stands in it may be somebody's
// name, a password in the wrong field, or an attack on who reads the table.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { type EventType, stampedNames } from '../../schemas/event.ts';
import type { Field } from '../../schemas/field.ts';
import { isObject, unwrap } from '../catalogue/judge.ts';
import type { EdgeReason, JsonObject } from '../catalogue/rejection.ts';

/** What is to be known of a rejection. */
export interface Refused {
  readonly reason: EdgeReason;
  /** Null: none of the catalogue's. */
  readonly type: string | null;
  readonly errors: readonly { readonly path: string }[];
}

export interface Shapes {
  /** Of the first wrong field, cut to the event's own; `(unknown)` where the type has none of the name, '' = no field. */
  pathOf(refused: Refused): string;
  /** JSON of at most 500 characters: `{"event_type":"click","user_id":"<string 36>","element":"<number>"}`; '' = not to be told. */
  exampleOf(event: unknown, type: string | null): string;
}

/** Of a type that is not known, or a field. */
export const unknownWord = '(unknown)';

/** Room for what is said of the rest. */
const lengthMax = 440;
/** Fields that are counted; of a million it is enough to know that they are many. */
const namesMax = 1_000;

/** A known field, and which of its values are ours. */
type Fields = ReadonlyMap<string, ReadonlySet<unknown>>;

/** What CloudEvents and messages of the Segment spec have beside fields. */
const wrapperNames = [
  'specversion',
  'id',
  'source',
  'type',
  'datacontenttype',
  'data',
  'data_base64',
  'messageId',
  'event',
];

/** `accepted`: the catalogue as it is just now. */
export function shapesOf(accepted: () => Catalogue): Shapes {
  const byType = new WeakMap<EventType, Fields>();
  let all: { readonly of: Catalogue; readonly fields: Fields } | null = null;

  function fieldsOf(name: string | null): Fields {
    const catalogue = accepted();
    const type = name === null ? undefined : catalogue.find(name);
    if (type === undefined) return fieldsOfAll(catalogue);
    const fields = byType.get(type) ?? knownFields([type]);
    byType.set(type, fields);
    return fields;
  }

  /** Of what is of no type: fields that any type has. */
  function fieldsOfAll(catalogue: Catalogue): Fields {
    if (all?.of !== catalogue) all = { of: catalogue, fields: knownFields(catalogue.types) };
    return all.fields;
  }

  return {
    pathOf({ type, errors }) {
      const path = errors[0]?.path ?? '';
      if (path === '') return '';
      const end = path.indexOf('/', 1);
      const name = path.slice(1, end < 0 ? undefined : end);
      const isKnown = fieldsOf(type).has(name) || (type === null && wrapperNames.includes(name));
      return isKnown ? `/${name}` : unknownWord;
    },
    exampleOf(event, type) {
      if (event instanceof Error) return '';
      const given = unwrap(event);
      if (!isObject(given)) return JSON.stringify(sortOf(given));
      const isType = (name: unknown) => typeof name === 'string' && accepted().find(name) !== undefined;
      return shapeOf(given, fieldsOf(type), isType);
    },
  };
}

function knownFields(types: readonly EventType[]): Fields {
  const fields = new Map<string, ReadonlySet<unknown>>(stampedNames.map(name => [name, new Set()]));
  for (const { allFields } of types)
    for (const { name, schema } of allFields)
      fields.set(name, new Set([...(fields.get(name) ?? []), ...listed(schema)]));
  return fields;
}

/** Values that a schema names one by one. */
function listed(schema: Field['schema']): unknown[] {
  if ('const' in schema) return [schema.const];
  return Array.isArray(schema.anyOf) ? (schema.anyOf as Field['schema'][]).flatMap(listed) : [];
}

function shapeOf(event: JsonObject, fields: Fields, isType: (name: unknown) => boolean): string {
  const members: string[] = [];
  let [length, more] = [0, 0];
  for (const [name, values] of fields) {
    if (!Object.hasOwn(event, name)) continue;
    const value = event[name];
    const isOurs = values.has(value) || (name === 'event_type' && isType(value));
    const member = `"${name}":${JSON.stringify(isOurs ? value : sortOf(value))}`;
    if (length + member.length > lengthMax) more++;
    else {
      members.push(member);
      length += member.length + 1;
    }
  }
  const unknown = countNames(event) - members.length - more;
  if (unknown > 0) members.push(`"${unknownWord}":${unknown}`);
  if (more > 0) members.push(`"(more)":${more}`);
  return `{${members.join(',')}}`;
}

/** At most `namesMax`. */
function countNames(event: JsonObject): number {
  let count = 0;
  for (const _ in event) if (++count === namesMax) break;
  return count;
}

function sortOf(value: unknown): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return `<array ${value.length}>`;
  if (typeof value === 'string') return `<string ${value.length}>`;
  return typeof value === 'bigint' ? '<number>' : `<${typeof value}>`;
}
