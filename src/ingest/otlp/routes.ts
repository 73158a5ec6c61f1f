// POST /v1/logs: log records of OpenTelemetry over OTLP/HTTP, each an event of the type `log`, judged and stored as all others.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
//
// Who sends is a collector or a service, never whom the records are of: neither its address nor its program tells anything.

import { PipelineError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { readBody, readText } from '../../http/body.ts';
import type { Call, Route } from '../../http/route.ts';
import { parseJson } from '../../record/json.ts';
import type { Accept } from '../accept.ts';
import { type OriginOptions, originOf } from '../origin.ts';
import type { Reading, ReadLimits } from '../reading.ts';
import type { Rejections } from '../rejections.ts';
import { jsonAnswer, jsonType, protobufType } from './answer.ts';
import { eventsOf } from './record.ts';

export interface OtlpRoutesOptions extends OriginOptions {
  readonly accept: Accept;
  readonly rejections?: Pick<Rejections, 'noteBody'> | null;
  readonly limits: ReadLimits;
  readonly jsonDepthMax: number;
}

export const logsPath = '/v1/logs';

export const otlpRoutes = (options: OtlpRoutesOptions): readonly Route[] => [
  { method: 'POST', path: logsPath, needs: 'events:write', render: rendered, handler: call => taken(call, options) },
];

async function taken(call: Call, options: OtlpRoutesOptions) {
  const { accept, rejections, limits, jsonDepthMax, clock, clients } = options;
  const { caller } = call;
  let reading: Reading;
  try {
    const request = await requestOf(call, limits);
    const events = eventsOf(request, { limits, jsonDepthMax, source: caller.name, now: clock.now });
    reading = { isSingle: false, events, sentAt: undefined, isPlain: false };
  } catch (error) {
    rejections?.noteBody(error, caller.name);
    throw error;
  }
  if (reading.events.length === 0) return nothing;
  caller.spend?.(reading.events.length - 1);
  const sender = { ...call, caller: { ...caller, isServer: true as const } };
  return accept(reading, originOf(sender, reading, { clock, clients }));
}

const nothing = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

async function requestOf({ request, arrival }: Call, limits: ReadLimits): Promise<unknown> {
  const type = typeOf(request);
  if (type === protobufType) {
    const body = await readBody(request, limits, arrival);
    return (await import('./protobuf.ts')).readRequest(body);
  }
  if (type === '' || type === jsonType) return parseJson(await readText(request, limits, arrival));
  throw new PipelineError(
    'unsupported_media_type',
    `Content-Type ${type.slice(0, 60)} is not one of ${protobufType}, ${jsonType}`,
  );
}

/** In the encoding of the request. */
const rendered = async (answer: Answer, request: Request): Promise<Answer> =>
  typeOf(request) === protobufType ? (await import('./protobuf.ts')).protobufAnswer(answer) : jsonAnswer(answer);

const typeOf = ({ headers }: Request): string =>
  (headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
