// UGC_SEGMENT_MAPPING: which type of ours a `track` of a name is, and what its properties are called there. JSON with
// comments:
//
//   { "track": { "Product Added": { "type": "cart_add", "fields": { "product_id": "item_id" } } } }

import { readFileSync } from 'node:fs';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { isObject } from '../../catalogue/judge.ts';
import { messageOf, PipelineError } from '../../errors.ts';
import type { Meaning } from '../reading.ts';

export interface MappedTrack {
  /** A type of the catalogue's. */
  readonly type: string;
  /** Our fields by their names. */
  readonly fields: ReadonlyMap<string, string>;
}

/** By name of the track. */
export type TrackMapping = ReadonlyMap<string, MappedTrack>;

/** '' = none. Throws `config_invalid`: a mapping that names what is not there would refuse every event of that name. */
export function readMapping(path: string, typeOf: Meaning['typeOf']): TrackMapping {
  if (path === '') return new Map();
  try {
    return parseMapping(readFileSync(path, 'utf8'), typeOf);
  } catch (error) {
    throw new PipelineError('config_invalid', `UGC_SEGMENT_MAPPING: ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Exported for its test. */
export function parseMapping(text: string, typeOf: Meaning['typeOf']): TrackMapping {
  const errors: ParseError[] = [];
  const file: unknown = parse(text, errors, { allowTrailingComma: true });
  const [wrong] = errors;
  if (wrong !== undefined) {
    const line = text.slice(0, wrong.offset).split('\n').length;
    throw new Error(`line ${line}: ${printParseErrorCode(wrong.error)}`);
  }
  if (!isObject(file) || !isObject(file.track)) throw new Error('expected {"track": {"Name": {"type": "…"}}}');
  return new Map(Object.entries(file.track).map(([name, mapped]) => [name, mappedOf(name, mapped, typeOf)]));
}

function mappedOf(name: string, mapped: unknown, typeOf: Meaning['typeOf']): MappedTrack {
  const refuse = (why: string): never => {
    throw new Error(`/track/${name}: ${why}`);
  };
  if (!isObject(mapped) || typeof mapped.type !== 'string') return refuse('expected {"type": "…", "fields": {…}}');
  const type = typeOf(mapped.type);
  if (type === undefined) return refuse(`there is no event type ${mapped.type}`);
  const fields = mapped.fields ?? {};
  if (!isObject(fields)) return refuse('fields is an object: their name to ours');
  const names = Object.entries(fields).map(([theirs, ours]): [string, string] => {
    const field = type.allFields.find(({ name: known }) => known === ours);
    return field === undefined ? refuse(`${theirs}: ${type.name} has no field ${ours}`) : [theirs, field.name];
  });
  return { type: type.name, fields: new Map(names) };
}
