// What does not fit, in words for its sender: where, what was expected, what came. Field by field, with a compiled
// check each, so that telling costs little more than judging.

import type { TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import type { Field } from './field.ts';

export interface Misfit {
  /** JSON pointer, e.g. /duration */
  readonly path: string;
  readonly message: string;
}

type Named = Field & { readonly name: string };

/** Each made when a field first fails; types share the fields they have in common. */
const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

function checkOf(schema: TSchema): TypeCheck<TSchema> {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const made = TypeCompiler.Compile(schema);
  checks.set(schema, made);
  return made;
}

/** What is wrong with the fields of an event, at most `max` findings, in the order of the fields. */
export function misfitsOf(fields: readonly Named[], event: Readonly<Record<string, unknown>>, max: number): Misfit[] {
  const found: Misfit[] = [];
  for (const field of fields) {
    if (found.length >= max) break;
    const value = event[field.name];
    if (value === undefined && field.absent !== undefined) continue;
    const check = checkOf(field.schema);
    if (check.Check(value)) continue;
    if (Array.isArray(value) && field.kind === 'texts') found.push(...misfitsWithin(field, check, value));
    else found.push({ path: `/${field.name}`, message: differs(field.schema, value, field.name) });
  }
  return found.slice(0, max);
}

/** Of a list: each wrong item by its place. */
function misfitsWithin({ name }: Named, check: TypeCheck<TSchema>, value: readonly unknown[]): Misfit[] {
  const found = new Map<string, Misfit>();
  for (const { path, schema, value: came } of check.Errors(value)) {
    if (found.size >= 10) break;
    if (!found.has(path)) found.set(path, { path: `/${name}${path}`, message: differs(schema, came, name) });
  }
  return [...found.values()];
}

/** Fields whose value is their person's business, whatever it is. */
export const secretName = /pass(word|wd|phrase)?|secret|token|authorization|cookie|api_?key|cvv|card_number/i;

const differs = (schema: TSchema, came: unknown, name: string): string =>
  `expected ${expectation(schema)}, got ${secretName.test(name) ? sortOf(came) : describe(came)}`;

export function expectation(schema: TSchema): string {
  if (typeof schema.expected === 'string') return schema.expected;
  if (schema.anyOf) return (schema.anyOf as TSchema[]).map(expectation).join(' or ');
  if ('const' in schema) return JSON.stringify(schema.const);
  switch (schema.type) {
    case 'string':
      if (schema.minLength !== undefined) return `text of ${schema.minLength} to ${schema.maxLength} characters`;
      return schema.maxLength === undefined ? 'text' : `text of at most ${schema.maxLength} characters`;
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'number':
      if (schema.maximum !== undefined) return `a number from ${schema.minimum} to ${schema.maximum}`;
      return schema.minimum === 0 ? 'a number that is not negative' : `a number of at least ${schema.minimum}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return `a list of at most ${schema.maxItems} texts`;
    default:
      return 'an object';
  }
}

/** What came, in a few words; never more than 40 characters of a value. */
export function describe(value: unknown): string {
  if (typeof value === 'string' && value.length <= 40) return `the text ${JSON.stringify(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return String(value).slice(0, 40);
  return sortOf(value);
}

/** The same without the value itself. */
function sortOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') return `text of ${value.length} characters`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** RFC 6901, of a name cut to what is worth telling. Most names are a plain word, and told as they are. */
export const pointerOf = (name: string): string =>
  /^\w{1,100}$/.test(name) ? name : name.slice(0, 100).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
