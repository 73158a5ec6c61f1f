// application/x-www-form-urlencoded, as the body of a request or behind the `?` of a pixel.
//
// - Its values are text: the type's definition says what each is. A value that does not become what its field takes
//   stays text, and the judge says what was expected.
// - A name twice is refused, never the last one taken; only lists of texts are said item by item.
// - `data` alone is the JSON of the events, as text or as base64url of it.

import type { EventType, NamedField } from '../../schemas/event.ts';
import { pointerOf } from '../../schemas/misfit.ts';
import type { JsonObject } from '../catalogue/rejection.ts';
import { PipelineError } from '../errors.ts';
import { parseJson } from '../record/json.ts';
import { readJson, readLines } from './json-body.ts';
import { type Meaning, Misread, orMisread, type Reading } from './reading.ts';

export type Pair = readonly [name: string, value: string];

/** No event type comes near it. */
const pairsMax = 1_000;
/** As deep as UGC_JSON_DEPTH_MAX may ever let an event be. */
const levelsMax = 128;

/** Names and values, decoded. Throws `bad_request` where they are not percent-encoded UTF-8. */
export function pairsOf(text: string): readonly Pair[] {
  const pairs: Pair[] = [];
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('&', start);
    const end = found < 0 ? text.length : found;
    const piece = text.slice(start, end);
    start = end + 1;
    if (piece === '') continue;
    if (pairs.length >= pairsMax) throw new PipelineError('too_large', `the form holds more than ${pairsMax} fields`);
    const equals = piece.indexOf('=');
    const name = decoded(equals < 0 ? piece : piece.slice(0, equals), `the name of field ${pairs.length + 1}`);
    pairs.push([name, equals < 0 ? '' : decoded(piece.slice(equals + 1), `the value of ${name.slice(0, 100)}`)]);
  }
  return pairs;
}

function decoded(text: string, what: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw new PipelineError('bad_request', `${what} is not percent-encoded UTF-8; a % itself is written %25`, {
      cause: error,
    });
  }
}

export interface FormOptions extends Pick<Meaning, 'typeOf'> {
  /** event_type of the path. */
  readonly pathType: string | undefined;
  readonly eventsMax: number;
}

/** Throws a PipelineError that a client can be answered with. */
export function readForm(pairs: readonly Pair[], { typeOf, pathType, eventsMax }: FormOptions): Reading {
  const [first] = pairs;
  if (pairs.length === 1 && first![0] === 'data') return { ...readData(first![1], eventsMax), isPlain: false };
  const name = pairs.find(([said]) => said === 'event_type')?.[1] ?? pathType;
  const type = name === undefined ? undefined : typeOf(name);
  return { isSingle: true, events: [orMisread(() => eventOf(pairs, type))], sentAt: undefined, isPlain: false };
}

function readData(said: string, eventsMax: number): Reading {
  const text = /^\s*[[{]/.test(said) ? said : fromBase64(said);
  try {
    return readJson(text);
  } catch (error) {
    const [line = '', ...others] = text.trim().split('\n', 2);
    if (others.length > 0 && isJson(line)) return readLines(text, eventsMax);
    throw error;
  }
}

function fromBase64(text: string): string {
  try {
    const bytes = Uint8Array.fromBase64(text.replaceAll('+', '-').replaceAll('/', '_'), { alphabet: 'base64url' });
    return utf8.decode(bytes);
  } catch (error) {
    throw new PipelineError('not_json', 'data is neither JSON nor base64url of JSON', { cause: error });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/** Of a free object that is said in parts: `properties.a.b=1`. */
type Parts = Map<string, string | Parts>;

/** Throws a Misread. `type` undefined: every value stays text. */
function eventOf(pairs: readonly Pair[], type: EventType | undefined): JsonObject {
  const event = new Map<string, unknown>();
  for (const [name, text] of pairs) {
    const dot = name.indexOf('.');
    const head = dot < 0 ? undefined : fieldOf(type, name.slice(0, dot));
    if (head?.kind === 'object') {
      const parts = event.get(head.name) ?? new Map();
      if (!(parts instanceof Map)) throw twice(name);
      event.set(head.name, parts);
      putInto(parts, name, text);
      continue;
    }
    const field = fieldOf(type, name);
    const before = event.get(name);
    if (field?.kind === 'texts') event.set(name, Array.isArray(before) ? [...before, text] : [text]);
    else if (event.has(name)) throw twice(name);
    else event.set(name, readAs(name, field, text));
  }
  return Object.fromEntries([...event].map(([name, value]) => [name, value instanceof Map ? wholeOf(value) : value]));
}

const fieldOf = (type: EventType | undefined, name: string): NamedField | undefined =>
  type?.allFields.find(field => field.name === name);

function putInto(parts: Parts, name: string, text: string): void {
  const names = name.split('.', levelsMax + 1);
  if (names.length > levelsMax)
    throw new Misread({ path: `/${names[0]}`, message: `is nested deeper than ${levelsMax}` });
  const last = names.pop()!;
  let into = parts;
  for (const step of names.slice(1)) {
    const inner = into.get(step) ?? new Map();
    if (typeof inner === 'string') throw twice(name);
    into.set(step, inner);
    into = inner;
  }
  if (into.has(last)) throw twice(name);
  into.set(last, text);
}

const wholeOf = (parts: Parts): JsonObject =>
  Object.fromEntries([...parts].map(([name, inner]) => [name, inner instanceof Map ? wholeOf(inner) : inner]));

const twice = (name: string): Misread =>
  new Misread({ path: `/${pointerOf(name)}`, message: 'is said more than once: say it once, or send JSON' });

const numberPattern = /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i;
const digitsPattern = /^-?\d{1,16}$/;
const flags: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Of a time that is no text: epoch milliseconds. */
const timeOf = (text: string): unknown => (digitsPattern.test(text) ? Number(text) : text);

/** The text as what its field takes; itself where it cannot be that. */
function readAs(name: string, field: NamedField | undefined, text: string): unknown {
  if (name === 'timestamp') return timeOf(text);
  if (name === 'sent_at' || name === 'event_id') return text === '' ? null : timeOf(text);
  if (text === '' && field?.absent === 'null') return null;
  switch (field?.kind) {
    case 'number':
      return numberPattern.test(text) ? Number(text) : text;
    case 'boolean':
      return flags.get(text) ?? text;
    case 'time':
      return timeOf(text);
    case 'object':
      return isJson(text) ? parseJson(text) : text;
    default:
      return text;
  }
}
