// A request's body → the events in it, unjudged and bounded in number; what is no JSON is refused with the place where it
// stops being some.

import { PipelineError } from '../errors.ts';
import { type Arrival, arrivalOf } from '../http/arrival.ts';
import { type BodyLimits, readText } from '../http/body.ts';
import { parseJson } from '../record/json.ts';

export interface ReadLimits extends BodyLimits {
  readonly bodyEventsMax: number;
}

export interface Reading {
  /** One event, not in a list: answered alone. */
  readonly isSingle: boolean;
  /** Events in the body's order; a line that is no JSON is a PipelineError in its place. */
  readonly events: readonly unknown[];
  /** sent_at beside the events. */
  readonly sentAt: unknown;
  /** The body is JSON without a backslash: no text in it holds what JSON escapes, nor half of a surrogate pair. */
  readonly isPlain?: boolean;
}

/** Rejects with a PipelineError that a client can be answered with. */
export async function readEvents(
  request: Request,
  limits: ReadLimits,
  arrival: Arrival = arrivalOf(request),
): Promise<Reading> {
  const form = formOf(request.headers.get('content-type'));
  const text = await readText(request, limits, arrival);
  const reading = form === 'lines' ? readLines(text, limits.bodyEventsMax) : readJson(text);
  if (reading.events.length > limits.bodyEventsMax)
    throw new PipelineError(
      'too_large',
      `the body holds more than ${limits.bodyEventsMax} events (UGC_BODY_EVENTS_MAX)`,
    );
  return { ...reading, isPlain: !text.includes('\\') };
}

/** `curl -d` announces a form whatever it sends; a form that is no JSON gets the JSON answer. */
const jsonTypes = new Set(['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded']);
const lineTypes = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
]);

function formOf(contentType: string | null): 'json' | 'lines' {
  if (contentType === null || contentType === 'application/json') return 'json';
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
  if (jsonTypes.has(type)) return 'json';
  if (lineTypes.has(type)) return 'lines';
  throw new PipelineError(
    'unsupported_media_type',
    `Content-Type ${type.slice(0, 80)} is not one of application/json, text/plain, application/x-ndjson, application/jsonl`,
  );
}

function readJson(text: string): Reading {
  const body = parseJson(text);
  if (Array.isArray(body)) return { isSingle: false, events: body, sentAt: undefined };
  if (typeof body === 'object' && body !== null && !('event_type' in body)) {
    const { events, event, sent_at: sentAt } = body as Record<string, unknown>;
    const extra = Object.keys(body).find(name => name !== 'events' && name !== 'event' && name !== 'sent_at');
    if (Array.isArray(events) && extra === undefined && event === undefined) return { isSingle: false, events, sentAt };
    if (event !== undefined && extra === undefined && events === undefined)
      return { isSingle: true, events: [event], sentAt };
  }
  return { isSingle: true, events: [body], sentAt: undefined };
}

/** Blank lines are none; a body of little else is refused like one of too many events. */
function readLines(text: string, eventsMax: number): Reading {
  const events: unknown[] = [];
  const linesMax = eventsMax * 10 + 1_000;
  let lines = 0;
  for (let start = 0; start < text.length && events.length <= eventsMax; ) {
    if (++lines > linesMax) throw new PipelineError('too_large', `the body holds more than ${linesMax} lines`);
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
    if (line.trim() === '') continue;
    try {
      events.push(parseJson(line));
    } catch (error) {
      events.push(error);
    }
  }
  if (events.length === 0) throw new PipelineError('not_json', 'the body is empty');
  return { isSingle: false, events, sentAt: undefined };
}
