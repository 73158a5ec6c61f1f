// What senders of OTLP are answered, in the encoding they sent: an ExportLogsServiceResponse, or a google.rpc.Status.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
//
// They send again after 429, 502, 503 and 504 alone. So 200 says that nothing is to be sent again, with what was rejected
// beside it; all that passes by itself is 503; and what never will be taken is anything else.

import { PipelineError } from '../../errors.ts';
import { type Answer, json, problem } from '../../http/answer.ts';

export const jsonType = 'application/json';
export const protobufType = 'application/x-protobuf';

/** What is said of an error. */
export interface Status {
  /** Of google.rpc.Code. */
  readonly code: number;
  readonly message: string;
}

/** What a request is answered, before it is encoded. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly said: { readonly rejected: number; readonly message: string } | Status;
}

interface Result {
  readonly outcome: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** Of the whole request: no record of it is told of alone. */
export const isProblem = ({ headers }: Answer): boolean => headers['content-type'] === 'application/problem+json';

/** The answers of a request's parts, of which none is a problem, as one of all its records. */
export function together(answers: readonly Answer[]): Answer {
  const [first] = answers;
  if (answers.length === 1 || answers.every(({ status }) => status === 200)) return first!;
  const all = answers.map(({ body }) => JSON.parse(body) as Told);
  const [accepted, rejected] = [sumOf(all.map(each => each.accepted)), sumOf(all.map(each => each.rejected))];
  const isRefused = answers.every(({ status }) => status === 422);
  return json(
    isRefused ? 422 : 207,
    JSON.stringify({ accepted, rejected, results: all.flatMap(({ results }) => results) } satisfies Told),
  );
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** Of an answer as all routes give it. */
export function replyOf(answer: Answer): Reply {
  const { status, headers, body } = answer;
  if (isProblem(answer)) return refused(status, headers, body);
  // What is not to be forgotten is no success, though others of its batch are: they are the same rows once more. In a text of
  // a client's the quotes would be escaped.
  if (body.includes('"outcome":"failed"')) return replyOf(problem(new PipelineError('buffer_failed', notAll)));
  if (!body.includes('"outcome":"rejected"')) return { status: 200, headers: {}, said: { rejected: 0, message: '' } };
  const { accepted, rejected, results } = JSON.parse(body) as Told;
  const message = wordsOf(results, rejected);
  if (status === 422) return { status: 400, headers: {}, said: { code: invalidArgument, message } };
  return { status: 200, headers: {}, said: { rejected, message: `${accepted} accepted, ${message}` } };
}

interface Told {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly Result[];
}

const notAll = 'not every record could be stored: send all of them again';

/** So many are told of, each with the first thing that is wrong with it. */
const toldMax = 3;
const messageLengthMax = 300;

function wordsOf(results: readonly Result[], rejected: number): string {
  const first = [...results.entries()].filter(([, { outcome }]) => outcome === 'rejected').slice(0, toldMax);
  const told = first.map(([at, { errors }]) => {
    const error = errors?.[0];
    const words = error === undefined ? 'is not valid' : `${error.path} ${error.message}`.trim();
    return `record ${at}: ${words.slice(0, messageLengthMax)}`;
  });
  const more = rejected - first.length;
  return `${rejected} rejected for good: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const invalidArgument = 3;
const unavailable = 14;

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const codes: Readonly<Record<number, number>> = { 401: 16, 403: 7, 429: 8, 500: 13, 503: unavailable };

function refused(status: number, headers: Answer['headers'], body: string): Reply {
  const { title, detail = title } = JSON.parse(body) as { readonly title: string; readonly detail?: string };
  const { 'content-type': _, ...others } = headers;
  // A body that did not arrive in time can be sent again, which only 503 says.
  const known = status === 408 ? 503 : status === 422 ? 400 : status;
  const mayPass = known === 429 || known === 503;
  return {
    status: known,
    headers: mayPass && headers['retry-after'] === undefined ? { ...others, 'retry-after': '1' } : others,
    said: { code: codes[known] ?? invalidArgument, message: detail },
  };
}

export function jsonAnswer(answer: Answer): Answer {
  const { status, headers, said } = replyOf(answer);
  const text = 'code' in said ? JSON.stringify(said) : said.rejected === 0 ? '{}' : partialText(said);
  return { ...json(status, text), headers: { 'content-type': jsonType, ...headers } };
}

/** int64 is text in proto3 JSON. */
const partialText = ({ rejected, message }: { readonly rejected: number; readonly message: string }): string =>
  JSON.stringify({ partialSuccess: { rejectedLogRecords: String(rejected), errorMessage: message } });
