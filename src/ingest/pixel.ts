// `GET /v1/pixel.gif?event_type=…`: one event from the query, for what can load an image and do nothing else. Whatever
// becomes of the event the answer is the image, so that none is shown as broken; `x-ugc-outcome` says what became of it.
//
// A GET is also made by who only looks: HEAD and what a browser fetches in advance store nothing.

import { isObject } from '../catalogue/judge.ts';
import { PipelineError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Call, Route } from '../http/route.ts';
import { isoOf } from '../process/clock.ts';
import type { Accept } from './accept.ts';
import { ackOf } from './ack.ts';
import { pairsOf, readForm } from './form.ts';
import { type OriginOptions, originOf } from './origin.ts';
import type { Meaning, Reading } from './reading.ts';
import type { Rejections } from './rejections.ts';

export interface PixelOptions extends Pick<Meaning, 'typeOf'>, OriginOptions {
  readonly accept: Accept;
  readonly rejections?: Pick<Rejections, 'noteBody'> | null | undefined;
}

export const pixelPath = '/v1/pixel.gif';

export const pixelRoute = ({ accept, rejections, typeOf, clock, clients }: PixelOptions): Route => ({
  method: 'GET',
  path: pixelPath,
  needs: 'events:write',
  stores: true,
  render: imageOf,
  handler: async call => {
    if (isOnlyLooking(call.request)) return ignored;
    let reading: Reading;
    try {
      reading = timed(readQuery(call.request.url, typeOf), clock.now());
    } catch (error) {
      rejections?.noteBody(error, call.caller.name);
      throw error;
    }
    return accept(reading, originOf(call, reading, { clock, clients }), ackOf(call.request.url));
  },
});

/** https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header, and what it was before. */
const isOnlyLooking = ({ method, headers }: Call['request']): boolean =>
  method === 'HEAD' || ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some(name => isInAdvance(headers.get(name)));

const isInAdvance = (purpose: string | null): boolean =>
  purpose !== null && /\b(prefetch|prerender|preview)\b/i.test(purpose);

/** What is no field: the key, what to wait for, and what keeps an image from being taken out of a cache. */
const notFields: ReadonlySet<string> = new Set(['key', 'ack', '_']);

function readQuery(url: string, typeOf: Meaning['typeOf']): Reading {
  const at = url.indexOf('?');
  const pairs = at < 0 ? [] : pairsOf(url.slice(at + 1)).filter(([name]) => !notFields.has(name));
  const reading = readForm(pairs, { typeOf, pathType: undefined, eventsMax: 1 });
  if (!reading.isSingle) throw new PipelineError('bad_request', 'a pixel brings one event: POST many to /v1/events');
  return reading;
}

/** Without a time of its own it happened now: an image is asked for when its page is. */
function timed(reading: Reading, nowMs: number): Reading {
  const [event] = reading.events;
  if (!isObject(event) || event instanceof Error) return reading;
  if ((event.timestamp ?? event.sent_at ?? reading.sentAt ?? null) !== null) return reading;
  return { ...reading, events: [{ ...event, timestamp: isoOf(nowMs) }] };
}

/** One transparent point (GIF89a). */
const image = Uint8Array.fromBase64('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==');

const outcomeHeader = 'x-ugc-outcome';

const ignored: Answer = { status: 200, headers: { [outcomeHeader]: 'ignored' }, body: '' };

function imageOf({ status, headers, body }: Answer): Answer {
  const { 'www-authenticate': _, ...kept } = headers; // no browser is to ask for a password
  return {
    status: 200,
    headers: {
      [outcomeHeader]: outcomeOf(status, body),
      ...kept,
      'content-type': 'image/gif',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    },
    body: '',
    bytes: image,
  };
}

/** `;warning=clock_corrected,bot` */
function warningIn(body: string): string {
  if (!body.includes('"warning":')) return '';
  const { warning } = JSON.parse(body) as { readonly warning: readonly string[] };
  return `;warning=${warning.join(',')}`;
}

function outcomeOf(status: number, body: string): string {
  if (status < 300) return body.includes('"outcome":"dropped"') ? 'dropped' : `accepted${warningIn(body)}`;
  if (status === 429 || status >= 500) return 'failed';
  const { reason, type } = JSON.parse(body) as { readonly reason?: string; readonly type: string };
  if (reason === undefined && (status === 401 || status === 403)) return 'unauthorized';
  return `rejected;reason=${reason ?? type.slice(type.lastIndexOf(':') + 1).replaceAll('-', '_')}`;
}
