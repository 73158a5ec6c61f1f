// An event type from a file: JSON Schema (2020-12), and of that a part small enough that everything else follows from it
// as it does from a built-in definition. What is outside of it is refused with its line and JSON pointer, all at once.
//
// Top: name, description (what it tells), type "object", properties, required, examples (the first is the type's);
// family, stream, version, aliases, identity, retentionDays. A property is one of
//   {"type":"string"}    minLength, maxLength (1024), or enum, or format uuid | date-time
//   {"type":"integer"}   minimum, maximum; without both 64 bits, also as text of its digits
//   {"type":"number"}    minimum, maximum
//   {"type":"boolean"}
//   {"type":"array"}     of strings; maxItems (100); absent is empty
//   {"type":"object"}    free; absent is empty
// with description and examples. One that is not required is null where it is absent; {"type":["string","null"]} says
// so too.
//
// Keywords that only tell, or that ask for more than is checked here, are left out with a warning: what is taken is then
// more than the schema says, never less. Those that say what a value is in another way (oneOf, $ref, not) are refused.

import { type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { edgeColumns } from './columns.ts';
import { defineEvent, type EventDefinition, type EventType, type Identity, streams, type Upgrade } from './event.ts';
import { exampleOf } from './example.ts';
import {
  amount,
  choice,
  type Field,
  flag,
  freeObject,
  int64,
  number,
  orNull,
  text,
  texts,
  time,
  uuid,
  whole,
} from './field.ts';
import {
  isAlias,
  isRecord,
  isText,
  listAt,
  namePattern,
  oneAt,
  onlyKeys,
  type Part,
  partOf,
  textAt,
  wholeAt,
} from './file-part.ts';

export interface FileProblem {
  readonly line: number;
  /** JSON pointer; empty = the whole file. */
  readonly pointer: string;
  readonly message: string;
}

export type FromFile =
  | { readonly ok: true; readonly type: EventType; readonly warnings: readonly FileProblem[] }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

const fieldsMax = 200;
const problemsMax = 20;

export function typeFromFile(json: string): FromFile {
  const problems: FileProblem[] = [];
  const errors: ParseError[] = [];
  const root = parseTree(json, errors, { disallowComments: true, allowTrailingComma: false });
  const lineOf = (offset: number): number => json.slice(0, offset).split('\n').length;
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const said =
      error === undefined ? 'empty file' : printParseErrorCode(error.error).replace(/(?<=.)[A-Z]/g, c => ` ${c}`);
    return refused([{ line: lineOf(error?.offset ?? 0), pointer: '', message: `is not JSON: ${said.toLowerCase()}` }]);
  }
  const warnings: FileProblem[] = [];
  const top = partOf(root, '', {
    refuse: (node, pointer, message) => {
      if (problems.length < problemsMax) problems.push({ line: lineOf(node.offset), pointer, message });
    },
    warn: (node, pointer, message) => {
      if (warnings.length < problemsMax) warnings.push({ line: lineOf(node.offset), pointer, message });
    },
  });
  const definition = readType(top);
  if (problems.length > 0 || definition === null) return refused(problems);
  try {
    const type = withExample(defineEvent(definition), top);
    if (!type.fits(type.example))
      for (const { path, message } of type.misfits(type.example, problemsMax))
        top.at('examples').refuse(`the example does not fit: ${path} ${message}`);
    return problems.length > 0 ? refused(problems) : { ok: true, type, warnings: inOrder(warnings) };
  } catch (thrown) {
    return refused([{ line: 1, pointer: '', message: (thrown as Error).message }]);
  }
}

const inOrder = (found: readonly FileProblem[]): FileProblem[] => found.toSorted((a, b) => a.line - b.line);
const refused = (problems: readonly FileProblem[]): FromFile => ({ ok: false, problems: inOrder(problems) });

/** The file's own example, or one made of the fields and theirs. */
function withExample(type: EventType, top: Part): EventType {
  if (isRecord((top.at('examples').value as unknown[] | undefined)?.[0])) return type;
  const properties = top.at('properties');
  const own = properties.names.flatMap(name => {
    const examples = properties.at(name).at('examples').value;
    return Array.isArray(examples) && examples.length > 0 ? [[name, examples[0]] as const] : [];
  });
  return { ...type, example: exampleOf(type, Object.fromEntries(own)) };
}

const annotations = ['description', 'title', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly'];
const topKeys = ['$schema', '$id', 'name', 'type', 'properties', 'required', 'additionalProperties'].concat(
  ['family', 'stream', 'version', 'aliases', 'identity', 'retentionDays'],
  annotations,
);
const identities = ['text', 'text-or-null', 'integer'] as const;

function readType(top: Part): EventDefinition | null {
  if (!isRecord(top.value)) return top.refuse('must be an object');
  onlyKeys(top, topKeys);
  if (top.at('type').value !== 'object') top.at('type').refuse('must be "object"');
  if (![undefined, false].includes(top.at('additionalProperties').value as undefined | false))
    top.at('additionalProperties').refuse('must be false, as it is without it: free fields go into properties');
  const name = textAt(top, 'name', { pattern: namePattern });
  const summary = summaryOf(top);
  const family = textAt(top, 'family', { pattern: namePattern, otherwise: 'custom' });
  const [example = {}] = listAt(top, 'examples', isRecord, 'a list of events');
  const aliases = listAt(top, 'aliases', isAlias, 'a list of names: letters, digits and _ . -');
  const version = wholeAt(top, 'version', 1, 65_535) ?? 1;
  const retentionDays = wholeAt(top, 'retentionDays', 1, 36_500);
  const stream = oneAt(top, 'stream', streams) ?? 'event';
  const identity = oneAt(top, 'identity', identities);
  const fields = readFields(top);
  if (name === null || summary === null || family === null || fields === null) return null;
  const more: { identity?: Identity; retentionDays?: number } = {
    ...(identity !== undefined && { identity }),
    ...(retentionDays !== undefined && { retentionDays }),
  };
  return {
    name,
    summary,
    family,
    stream,
    version,
    upgrades: asTheyAre(version),
    aliases,
    fields,
    example: { event_type: name, ...example },
    ...more,
  };
}

/** What stands in documents and over the table. */
function summaryOf(top: Part): string | null {
  if (top.at('description').value !== undefined) return textAt(top, 'description', {});
  top.warn('has no description: say in a clause what such an event tells');
  return textAt(top, 'title', { otherwise: String(top.at('name').value) });
}

/** Files change in ways that break nothing: records of every version before fit this one. */
const asTheyAre = (version: number): Record<number, Upgrade> =>
  Object.fromEntries(
    Array.from({ length: version - 1 }, (_, at) => [
      at + 1,
      { about: 'more is taken than before', apply: record => record } satisfies Upgrade,
    ]),
  );

const taken = new Set(
  ['event', 'events', 'properties', 'user_id', 'anonymous_id'].concat(edgeColumns.map(({ name }) => name)),
);

function readFields(top: Part): Record<string, Field> | null {
  const properties = top.at('properties');
  if (!isRecord(properties.value)) return properties.refuse('must be an object of properties');
  if (properties.names.length > fieldsMax) return properties.refuse(`has more than ${fieldsMax} properties`);
  const required = new Set(listAt(top, 'required', isText, 'a list of names'));
  for (const name of required)
    if (!properties.names.includes(name)) top.at('required').refuse(`names ${name}, which is no property`);
  const fields: Record<string, Field> = {};
  for (const name of properties.names) {
    if (taken.has(name)) properties.at(name).refuse('is a name every event has already, or one of the server’s');
    const field = readField(properties.at(name), required.has(name));
    if (field !== null) fields[name] = field;
  }
  return fields;
}

/** Of a property: taken, and not held to. Whatever else is not known is refused. */
const unchecked: Readonly<Record<string, string>> = {
  default: 'is not filled in: an absent value is null, a list or an object empty',
  pattern: 'is not checked',
  multipleOf: 'is not checked',
  exclusiveMinimum: 'is not checked: minimum is',
  exclusiveMaximum: 'is not checked: maximum is',
  minItems: 'is not checked',
  uniqueItems: 'is not checked',
  contentEncoding: 'is not checked',
  contentMediaType: 'is not checked',
};

type Read = (part: Part, about: string) => Field | null;

const readers: Readonly<Record<string, { readonly keys: readonly string[]; readonly read: Read }>> = {
  string: { keys: ['minLength', 'maxLength', 'enum', 'format'], read: readText },
  integer: { keys: ['minimum', 'maximum'], read: readInteger },
  number: { keys: ['minimum', 'maximum'], read: readNumber },
  boolean: { keys: [], read: (_, about) => flag({ about }) },
  array: { keys: ['items', 'maxItems'], read: readList },
  object: {
    keys: ['additionalProperties'],
    read: (part, about) =>
      [undefined, true].includes(part.at('additionalProperties').value as undefined | true)
        ? freeObject({ about })
        : part.at('additionalProperties').refuse('must be true: an object within an event is free'),
  },
};

function readField(part: Part, isRequired: boolean): Field | null {
  if (!isRecord(part.value)) return part.refuse('must be an object that describes the property');
  const said = part.at('type').value;
  const kinds = (Array.isArray(said) ? said : [said]).filter(kind => kind !== 'null');
  const isNullable = Array.isArray(said) && said.includes('null');
  const reader =
    kinds.length === 1 && typeof kinds[0] === 'string' && Object.hasOwn(readers, kinds[0])
      ? readers[kinds[0]]
      : undefined;
  if (reader === undefined)
    return part.at('type').refuse(`must be one of ${Object.keys(readers).join(', ')}, alone or with "null"`);
  onlyKeys(part, ['type', ...annotations, ...reader.keys], unchecked);
  if (part.at('description').value === undefined) part.warn('has no description');
  const field = reader.read(
    part,
    typeof part.at('description').value === 'string' ? String(part.at('description').value) : '',
  );
  if (field === null) return null;
  if (field.kind === 'texts' || field.kind === 'object') {
    if (isRequired || isNullable) return part.refuse('is empty when absent: it can be neither required nor null');
    return field;
  }
  if (isRequired && isNullable) return part.refuse('can be null, so it may be absent: leave it out of required');
  return isRequired ? field : orNull(field);
}

function readText(part: Part, about: string): Field | null {
  const { value: format } = part.at('format');
  const { value: of } = part.at('enum');
  const lengthMin = wholeAt(part, 'minLength', 0, 1_000_000) ?? 0;
  const lengthMax = wholeAt(part, 'maxLength', 1, 1_000_000) ?? Math.max(1024, lengthMin);
  if (of !== undefined && format !== undefined) return part.refuse('takes one of enum and format');
  if (of !== undefined || format === 'uuid' || format === 'date-time')
    for (const name of ['minLength', 'maxLength'])
      if (part.names.includes(name)) part.at(name).warn('is not checked beside enum or format');
  if (format === 'uuid') return uuid({ about });
  if (format === 'date-time') return time({ about });
  if (format !== undefined) part.at('format').warn('is not checked: uuid and date-time are');
  if (of === undefined) {
    if (lengthMin > lengthMax) return part.refuse('has a minLength above its maxLength');
    return text({ about, lengthMin, lengthMax });
  }
  const words = listAt(part, 'enum', isText, 'a list of texts');
  if (words.length === 0 || new Set(words).size < words.length)
    return part.at('enum').refuse('must be different texts');
  return choice({ about, of: words });
}

/** With one bound the other is the greatest or least integer that a double holds exactly. */
function readInteger(part: Part, about: string): Field | null {
  const { least, most } = boundsOf(part, Number.isSafeInteger, 'a whole number within 2^53');
  if (least === undefined && most === undefined) return int64({ about });
  const [min, max] = [least ?? Number.MIN_SAFE_INTEGER, most ?? Number.MAX_SAFE_INTEGER];
  if (min > max) return part.refuse('has a minimum above its maximum');
  return whole({ about, min, max });
}

function readNumber(part: Part, about: string): Field | null {
  const { least, most } = boundsOf(part, Number.isFinite, 'a number');
  if (least === undefined) return number({ about, ...(most === undefined ? {} : { max: most }) });
  if (most !== undefined && least > most) return part.refuse('has a minimum above its maximum');
  return amount({ about, min: least, ...(most === undefined ? {} : { max: most }) });
}

function readList(part: Part, about: string): Field | null {
  const items = part.at('items');
  if (items.at('type').value !== 'string') return items.refuse('must be {"type":"string"}: a list holds texts');
  onlyKeys(items, ['type', 'maxLength', ...annotations], { ...unchecked, minLength: 'is not checked' });
  const countMax = wholeAt(part, 'maxItems', 1, 10_000) ?? 100;
  return texts({ about, countMax, lengthMax: wholeAt(items, 'maxLength', 1, 1_000_000) ?? 256 });
}

function boundsOf(part: Part, isBound: (value: unknown) => boolean, what: string) {
  const [least, most] = ['minimum', 'maximum'].map(name => {
    const bound = part.at(name);
    if (bound.value === undefined || isBound(bound.value)) return bound.value as number | undefined;
    bound.refuse(`must be ${what}`);
    return undefined;
  });
  return { least, most };
}
