// CloudEvents 1.0 in the HTTP binding → events of ours: structured, batched, binary.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
//
// - `data` holds the event's fields. `type` is its event type, whole or at its end; `time` its timestamp, else it happened
//   now; `id` its event_id where it is a UUID, else a UUID made of source and id, which together are its identity: so a
//   repeat is the same row. What `data` itself says of event_id and timestamp comes first.
// - Every other attribute, extensions among them, stands in `properties.cloudevent`.

import { describe } from '../../schemas/misfit.ts';
import { isObject } from '../catalogue/judge.ts';
import { type JsonObject, readId } from '../catalogue/rejection.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { isoOf } from '../process/clock.ts';
import { parseJson } from '../record/json.ts';
import { type Meaning, Misread, orMisread, type Reading } from './reading.ts';

/** Of the ids made here: never to be changed, or a repeat would be another row. */
const namespace = '5b0a4f0e-7a0c-4c1d-9d0b-6f3c6c0b8d52';

/** One, as `application/cloudevents+json`. Throws `not_json`. */
export const readStructured = (text: string, meaning: Meaning): Reading => readingOf([parseJson(text)], true, meaning);

/** Many, as `application/cloudevents-batch+json`. Throws `not_json` or `bad_request`. */
export function readBatch(text: string, meaning: Meaning): Reading {
  const batch = parseJson(text);
  if (!Array.isArray(batch))
    throw new PipelineError('bad_request', `a batch of CloudEvents is a JSON array, not ${describe(batch)}`);
  return readingOf(batch, false, meaning);
}

/** One whose attributes are `ce-` headers, and whose data is the body. Throws `not_json` or `unsupported_media_type`. */
export function readBinary(headers: Headers, text: string, meaning: Meaning): Reading {
  const contentType = headers.get('content-type');
  if (contentType !== null && contentType !== '' && !isJsonType(contentType))
    throw new PipelineError(
      'unsupported_media_type',
      `the data of a CloudEvent is JSON here, not ${contentType.slice(0, 80)}`,
    );
  const attributes = [...headers]
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name, value]) => [name.slice(3), headerText(name, value)] as const);
  return readingOf([{ ...Object.fromEntries(attributes), data: parseJson(text) }], true, meaning);
}

const readingOf = (given: readonly unknown[], isSingle: boolean, meaning: Meaning): Reading => ({
  isSingle,
  events: given.map(one => orMisread(() => eventOf(one, meaning))),
  sentAt: undefined,
  isPlain: false,
});

/** §3.1.3.2: the inside of a quoted string, then percent-encoded UTF-8. Senders that encode nothing write a % alone. */
function headerText(name: string, value: string): string {
  const text = /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch (error) {
    throw new PipelineError('bad_request', `the header ${name.slice(0, 80)} is not percent-encoded UTF-8`, {
      cause: error,
    });
  }
}

const misread = (path: string, message: string): Misread => new Misread({ path, message });

function eventOf(given: unknown, { typeOf, now }: Meaning): JsonObject {
  if (!isObject(given)) throw misread('', `expected a CloudEvent, got ${describe(given)}`);
  const { specversion, time, datacontenttype: _, data: __, data_base64: ___, ...about } = given;
  if (specversion !== '1.0') throw misread('/specversion', `expected "1.0", got ${describe(specversion)}`);
  const id = attribute(given, 'id');
  const source = attribute(given, 'source');
  const eventType = typeNameOf(attribute(given, 'type'), typeOf);
  const { event_type: said = eventType, properties = {}, ...fields } = fieldsOf(given);
  if (said !== eventType && (typeof said !== 'string' || typeOf(said) !== typeOf(eventType)))
    throw misread('/event_type', `expected ${eventType} as in the CloudEvent’s type, got ${describe(said)}`);
  return {
    event_id: readId(id) ?? Bun.randomUUIDv5(JSON.stringify([source, id]), namespace),
    timestamp: time ?? isoOf(now()),
    ...fields,
    event_type: eventType,
    properties: isObject(properties) ? { cloudevent: about, ...properties } : properties,
  };
}

function attribute(given: JsonObject, name: string): string {
  const value = given[name];
  if (typeof value !== 'string' || value === '')
    throw misread(`/${name}`, `expected text that is not empty, as every CloudEvent has, got ${describe(value)}`);
  return value;
}

/** `com.example.film.watched.v2` is film_watched, if that is a type; of several the longest. */
function typeNameOf(type: string, typeOf: Meaning['typeOf']): string {
  if (typeOf(type) !== undefined) return type;
  const parts = type.replaceAll('-', '_').split('.').slice(-partsMax);
  while (parts.length > 1 && /^v?\d+$/i.test(parts.at(-1)!)) parts.pop();
  const names = parts.flatMap((__, from) => {
    const name = parts.slice(from).join('_');
    return [name, name.toLowerCase()];
  });
  return names.find(name => typeOf(name) !== undefined) ?? parts.at(-1)!;
}

const partsMax = 8;

/** application/json, text/json, application/vnd.example+json; with parameters. */
const isJsonType = (type: string): boolean => /^\s*(application|text)\/([\w.+-]+\+)?json\s*(;|$)/i.test(type);

function fieldsOf({ datacontenttype: type, data, data_base64: encoded }: JsonObject): JsonObject {
  if (type !== undefined && type !== null && !(typeof type === 'string' && isJsonType(type)))
    throw misread('/datacontenttype', `expected JSON, got ${describe(type)}`);
  if (encoded !== undefined && data !== undefined)
    throw misread('/data_base64', 'stands beside data: which of the two counts?');
  const fields = encoded === undefined ? (data ?? {}) : decodedOf(encoded);
  if (!isObject(fields)) throw misread('/data', `expected an object with the event’s fields, got ${describe(fields)}`);
  return fields;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodedOf(encoded: unknown): unknown {
  if (typeof encoded !== 'string') throw misread('/data_base64', `expected text, got ${describe(encoded)}`);
  try {
    return parseJson(utf8.decode(Uint8Array.fromBase64(encoded)));
  } catch (error) {
    throw misread('/data_base64', `is not JSON in base64: ${messageOf(error)}`);
  }
}
