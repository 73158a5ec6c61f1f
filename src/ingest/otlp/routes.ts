// POST /v1/logs: log records of OpenTelemetry over OTLP/HTTP, each an event of the type `log`, judged and stored as all others.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
//
// Who sends is a collector or a service, never whom the records are of: neither its address nor its program tells anything.

import { PipelineError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { type BodyLimits, readBody, readText } from '../../http/body.ts';
import type { Call, Route } from '../../http/route.ts';
import { parseJson } from '../../record/json.ts';
import type { Accept } from '../accept.ts';
import { type OriginOptions, originOf } from '../origin.ts';
import type { Rejections } from '../rejections.ts';
import { isProblem, jsonAnswer, jsonType, protobufType, together } from './answer.ts';
import { type Records, recordsOf } from './record.ts';

export interface OtlpRoutesOptions extends OriginOptions {
  readonly accept: Accept;
  readonly rejections?: Pick<Rejections, 'noteBody'> | null;
  readonly limits: BodyLimits;
  /** Of one request. */
  readonly recordsMax: number;
  readonly jsonDepthMax: number;
}

export const logsPath = '/v1/logs';

export const otlpRoutes = (options: OtlpRoutesOptions): readonly Route[] => [
  { method: 'POST', path: logsPath, needs: 'events:write', render: rendered, handler: call => taken(call, options) },
];

/** A request of many is judged and stored in parts of so many, between which others are served. */
const partRecords = 1_000;

async function taken(call: Call, options: OtlpRoutesOptions): Promise<Answer> {
  const { accept, rejections, limits, recordsMax, jsonDepthMax, clock, clients } = options;
  const { caller } = call;
  let records: Records;
  try {
    const request = await requestOf(call, limits);
    records = recordsOf(request, { limits, recordsMax, jsonDepthMax, source: caller.name, now: clock.now });
  } catch (error) {
    rejections?.noteBody(error, caller.name);
    throw error;
  }
  if (records.count === 0) return nothing;
  caller.spend?.(records.count - 1);
  const sender = { ...call, caller: { ...caller, isServer: true as const } };
  const origin = originOf(sender, { sentAt: undefined }, { clock, clients });
  const answers: Answer[] = [];
  for (const events of records.parts(partRecords)) {
    const answer = await accept({ isSingle: false, events, sentAt: undefined }, origin);
    if (isProblem(answer)) return answer; // all are sent again, and those that were stored are the same rows
    answers.push(answer);
  }
  return together(answers);
}

const nothing: Answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

async function requestOf({ request, arrival }: Call, limits: BodyLimits): Promise<unknown> {
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
