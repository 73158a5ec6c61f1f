// The door's files: JSON that people write too, held to a schema, with the place of what is wrong in it.

import { readFileSync } from 'node:fs';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { messageOf } from '../errors.ts';

/** In UTC, with a Z. */
export const time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' });
/** A name that is not known is a mistake. */
export const closed = { additionalProperties: false } as const;

/** Null where there is no file. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Compiled: it is read while requests wait, and may hold many thousand entries. */
const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

function checkOf<Schema extends TSchema>(schema: Schema): TypeCheck<Schema> {
  const known = compiled.get(schema) ?? TypeCompiler.Compile(schema);
  compiled.set(schema, known);
  return known as TypeCheck<Schema>;
}

/** Throws an Error that says what is wrong, and where in the file. */
export function parseFile<Schema extends TSchema>(text: string, path: string, schema: Schema): Static<Schema> {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  const check = checkOf(schema);
  if (check.Check(file)) return file;
  const wrong = check.Errors(file).First();
  if (wrong !== undefined) throw new Error(`${path}: ${wrong.path || 'the file'}: ${wrong.message}`);
  return file as Static<Schema>;
}
