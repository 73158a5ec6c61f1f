// What a mapping file of `ugc import` says: which type of ours a record of theirs is, and where its fields are. Checked as a
// whole before the first record is read.

import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Catalogue } from '../../schemas/catalogue.ts';
import { hintOf } from '../../schemas/nearest.ts';
import { PipelineError } from '../errors.ts';
import { parseJson } from '../record/json.ts';

const strict = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });
/** The first that has a value. */
const Paths = Type.Union([Path, Type.Array(Path, { minItems: 1 })]);

const From = Type.Object(
  {
    path: Paths,
    /** Their values to ours; one that is not named stays as it is. */
    values: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    as: Type.Optional(
      Type.Union((['text', 'number', 'integer', 'boolean', 'json'] as const).map(name => Type.Literal(name))),
    ),
    /** A number is multiplied with it: 1000 makes seconds milliseconds. */
    times: Type.Optional(Type.Number()),
    /** Where there is no value. */
    default: Type.Optional(Type.Unknown()),
  },
  strict,
);
const Constant = Type.Object({ constant: Type.Unknown() }, strict);
const Source = Type.Recursive(This =>
  Type.Union([Paths, From, Constant, Type.Object({ object: Type.Record(Type.String(), This) }, strict)]),
);
const Fields = Type.Record(Type.String(), Source);

const Time = Type.Union([
  Paths,
  Type.Object(
    { path: Paths, unit: Type.Optional(Type.Union((['s', 'ms', 'us'] as const).map(unit => Type.Literal(unit)))) },
    strict,
  ),
]);

const Kind = Type.Union([Type.Literal('skip'), Type.Object({ type: Type.String(), fields: Fields }, strict)]);

export const Mapping = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,49}$' }),
    /** Their id; a record without one is told from others by what it says. */
    id: Type.Optional(Paths),
    /** When it happened. */
    time: Time,
    /** When they received it; else when it happened. */
    received: Type.Optional(Time),
    /** The value by which `types` tells what it is. */
    type: Paths,
    types: Type.Record(Type.String(), Kind),
    /** Of every other value; absent = rejected. */
    other: Type.Optional(Kind),
    /** Of every type; one of its own comes first. */
    fields: Type.Optional(Fields),
  },
  strict,
);

export type Mapping = Static<typeof Mapping>;
export type Source = Static<typeof Source>;
export type Time = Static<typeof Time>;
export type Kind = Static<typeof Kind>;

const compiled = TypeCompiler.Compile(Mapping);

/** Throws `config_invalid` with every place that is wrong. */
export function readMapping(text: string, file: string, catalogue: Catalogue): Mapping {
  const refuse = (why: string): never => {
    throw new PipelineError('config_invalid', `the mapping ${file}: ${why}; see docs/operate/import.md`);
  };
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return refuse(`it is not JSON: ${(error as Error).message}`);
  }
  if (!compiled.Check(value)) {
    const wrong = [...compiled.Errors(value)].slice(0, 5).map(({ path, message }) => `${path || '/'} ${message}`);
    return refuse(wrong.join('; '));
  }
  const problems = problemsOf(value, catalogue);
  return problems.length > 0 ? refuse(problems.join('; ')) : value;
}

/** Of types and fields: a mapping that names what is not there would reject every record. */
function problemsOf({ types, other, fields = {} }: Mapping, catalogue: Catalogue): string[] {
  const names = catalogue.types.map(({ name }) => name);
  return Object.entries({ ...types, ...(other !== undefined && { other }) }).flatMap(([theirs, kind]) => {
    if (kind === 'skip') return [];
    const type = catalogue.find(kind.type);
    if (type === undefined) return [`/types/${theirs}: there is no event type ${kind.type}${hintOf(kind.type, names)}`];
    const known = type.allFields.map(({ name }) => name);
    return Object.keys({ ...fields, ...kind.fields })
      .filter(field => !known.includes(field))
      .map(field => `/types/${theirs}: ${type.name} has no field ${field}${hintOf(field, known)}`);
  });
}
