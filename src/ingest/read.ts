// A request's body → the events in it, unjudged and bounded in number; what is no JSON is refused with the place where it
// stops being some. Its form is told by the content type; the usual one is asked for first.

import { PipelineError } from '../errors.ts';
import { readText } from '../http/body.ts';
import type { Call } from '../http/route.ts';
import { readBatch, readBinary, readStructured } from './cloudevents.ts';
import { pairsOf, readForm } from './form.ts';
import { readJson, readLines } from './json-body.ts';
import { bounded, type Meaning, type Reading, type ReadLimits } from './reading.ts';

export interface ReadOptions extends Meaning {
  readonly limits: ReadLimits;
}

/** What of a request is read. */
export type Sent = Pick<Call, 'request' | 'arrival' | 'params'>;

/** Rejects with a PipelineError that a client can be answered with. */
export async function readEvents(sent: Sent, options: ReadOptions): Promise<Reading> {
  const { limits } = options;
  const form = formOf(sent.request.headers);
  const text = await readText(sent.request, limits, sent.arrival);
  const reading = form === 'json' ? plainOr(readJson(text), text) : readOther(form, text, sent, options);
  bounded(reading.events, limits);
  return reading;
}

const plainOr = (reading: Reading, text: string): Reading => ({ ...reading, isPlain: !text.includes('\\') });

type Form = 'json' | 'lines' | 'form' | 'cloudevent' | 'cloudevents' | 'binary cloudevent';

function readOther(form: Exclude<Form, 'json'>, text: string, { request, params }: Sent, options: ReadOptions) {
  const { limits, typeOf } = options;
  switch (form) {
    case 'lines':
      return plainOr(readLines(text, limits.bodyEventsMax), text);
    case 'form':
      // `curl -d` announces a form whatever it sends.
      if (/^\s*[[{]/.test(text)) return plainOr(readJson(text), text);
      return readForm(pairsOf(text.trim()), { typeOf, pathType: params.event_type, eventsMax: limits.bodyEventsMax });
    case 'cloudevent':
      return readStructured(text, options);
    case 'cloudevents':
      return readBatch(text, options);
    case 'binary cloudevent':
      return readBinary(request.headers, text, options);
  }
}

const forms: ReadonlyMap<string, Form> = new Map([
  ['', 'json'],
  ['application/json', 'json'],
  ['text/plain', 'json'],
  ['application/x-ndjson', 'lines'],
  ['application/ndjson', 'lines'],
  ['application/jsonl', 'lines'],
  ['application/x-jsonlines', 'lines'],
  ['application/x-www-form-urlencoded', 'form'],
  ['application/cloudevents+json', 'cloudevent'],
  ['application/cloudevents-batch+json', 'cloudevents'],
]);

/** Of types with several names one; jsonl and batches are told in the documents. */
const named =
  'application/json, text/plain, application/x-ndjson, application/x-www-form-urlencoded, application/cloudevents+json';

function formOf(headers: Headers): Form {
  const contentType = headers.get('content-type');
  const isBinary = headers.has('ce-specversion');
  if (contentType === null || contentType === 'application/json') return isBinary ? 'binary cloudevent' : 'json';
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map(part => part.trim());
  const charset = parameters
    .find(parameter => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset))
    throw new PipelineError('unsupported_media_type', 'the body must be UTF-8');
  const form = forms.get(type);
  if (isBinary && form !== 'cloudevent' && form !== 'cloudevents') return 'binary cloudevent';
  if (form !== undefined) return form;
  throw new PipelineError('unsupported_media_type', `Content-Type ${type.slice(0, 60)} is not one of ${named}`);
}
