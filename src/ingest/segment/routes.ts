// The routes that SDKs of the Segment spec send to, also under /segment for those that are given an address with a path.
//
// - JSON whatever its content type says. The write key is an API key: in Basic, in the query, or in the body.
// - The door is asked first, as everywhere. Where it finds no key that counts the body is read all the same, within its
//   bounds, and the door is asked again with the one in it; nothing is judged or stored before it has said yes.

import { readTime } from '../../../schemas/time.ts';
import { isObject } from '../../catalogue/judge.ts';
import type { JsonObject } from '../../catalogue/rejection.ts';
import { PipelineError } from '../../errors.ts';
import { readText } from '../../http/body.ts';
import type { Admission, Call, Handler, Route } from '../../http/route.ts';
import { parseJson } from '../../record/json.ts';
import type { Accept } from '../accept.ts';
import { type OriginOptions, originOf } from '../origin.ts';
import { bounded, type Meaning, orMisread, type Reading, type ReadLimits } from '../reading.ts';
import type { Rejections } from '../rejections.ts';
import { segmentAnswer } from './answer.ts';
import type { TrackMapping } from './mapping.ts';
import { eventOfMessage } from './message.ts';
import { projectSettings, sourceConfig } from './settings.ts';

export interface SegmentRoutesOptions extends Pick<Meaning, 'typeOf'>, OriginOptions {
  readonly accept: Accept;
  readonly rejections?: Pick<Rejections, 'noteBody'> | null;
  readonly limits: ReadLimits;
  readonly mapping: TrackMapping;
}

/** By what stands at the end of the path: the call, or null for many. The short ones are those of analytics.js. */
export const segmentPaths: Readonly<Record<string, string | null>> = {
  '/v1/batch': null,
  '/v1/track': 'track',
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/identify': 'identify',
  '/v1/group': 'group',
  '/v1/alias': 'alias',
};

const otherPaths: Readonly<Record<string, string | null>> = {
  '/v1/import': null,
  '/beacon/v1/batch': null,
  '/v1/b': null,
  '/v1/t': 'track',
  '/v1/p': 'page',
  '/v1/s': 'screen',
  '/v1/i': 'identify',
  '/v1/g': 'group',
  '/v1/a': 'alias',
};

const documents: Readonly<Record<string, Handler>> = {
  '/v1/projects/:key/settings': projectSettings,
  '/sourceConfig': sourceConfig,
};

export function segmentRoutes(options: SegmentRoutesOptions): readonly Route[] {
  const posts = Object.entries({ ...segmentPaths, ...otherPaths }).map(
    ([path, type]): Route => ({
      method: 'POST',
      path,
      needs: 'events:write',
      keyMayFollow: true,
      render: segmentAnswer,
      handler: handlerOf(type, options),
      ...(!(path in segmentPaths) && { isOtherPath: true }),
    }),
  );
  const gets = Object.entries(documents).map(
    ([path, handler]): Route => ({ method: 'GET', path, handler, isOtherPath: true }),
  );
  const all = [...posts, ...gets];
  return [...all, ...all.map((route): Route => ({ ...route, path: `/segment${route.path}`, isOtherPath: true }))];
}

function handlerOf(type: string | null, options: SegmentRoutesOptions): Handler {
  const { accept, rejections, limits, mapping, typeOf, clock, clients } = options;
  return async call => {
    let { caller } = call;
    let reading: Reading;
    try {
      const body = parseJson(await readText(call.request, limits, call.arrival));
      if (!isObject(body))
        throw new PipelineError('bad_request', 'the body is a JSON object, as the Segment spec has it');
      const admission = await admissionOf(call, body.writeKey);
      if (!admission.ok) return admission.answer;
      caller = admission.caller;
      const messages = messagesIn(body, type);
      if (messages.length === 0) return nothing;
      reading = readingOf(bounded(messages, limits), body, caller.name, { mapping, typeOf, now: clock.now });
    } catch (error) {
      rejections?.noteBody(error, caller.name);
      throw error;
    }
    caller.spend?.(reading.events.length - 1);
    return accept(reading, originOf({ ...call, caller }, reading, { clock, clients }));
  };
}

function messagesIn(body: JsonObject, type: string | null): readonly unknown[] {
  if (type !== null) return [{ ...body, type }];
  if (Array.isArray(body.batch)) return body.batch;
  throw new PipelineError('bad_request', 'batch is a list of messages, as the Segment spec has it');
}

const readingOf = (
  messages: readonly unknown[],
  { sentAt }: JsonObject,
  source: string,
  meaning: Parameters<typeof eventOfMessage>[2],
): Reading => ({
  isSingle: false,
  events: messages.map(message => orMisread(() => eventOfMessage(message, source, meaning))),
  sentAt: readTime(sentAt) === null ? undefined : sentAt,
  isPlain: false,
});

const nothing = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"accepted":0,"rejected":0,"results":[]}',
};

/** Who sends: as the door has found, or by the key in the query or the body. */
async function admissionOf({ admitWith, caller, request: { url } }: Call, writeKey: unknown): Promise<Admission> {
  if (admitWith === undefined) return { ok: true, caller };
  const at = url.indexOf('?');
  const inQuery = at < 0 ? null : new URLSearchParams(url.slice(at + 1)).get('writeKey');
  if (inQuery !== null) return admitWith({ key: inQuery, isInUrl: true });
  return admitWith(typeof writeKey === 'string' ? { key: writeKey, isInUrl: false } : null);
}
