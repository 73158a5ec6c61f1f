// JSON of ours: one event, many, wrapped or not; and one event a line.

import { PipelineError } from '../errors.ts';
import { parseJson } from '../record/json.ts';
import type { Reading } from './reading.ts';

/** Throws `not_json`. */
export function readJson(text: string): Reading {
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
export function readLines(text: string, eventsMax: number): Reading {
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
