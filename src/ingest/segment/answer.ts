// What SDKs of the Segment spec are answered: 200 {"success":true} for everything that is not to be sent again, what was
// rejected told beside it; an error in words with the `code` and `message` that analytics-python needs to believe it.

import { PipelineError } from '../../errors.ts';
import type { Answer } from '../../http/answer.ts';
import { json, problem } from '../../http/answer.ts';

export function segmentAnswer(answer: Answer): Answer {
  const { status, headers, body } = answer;
  if (headers['content-type'] === 'application/problem+json') return { ...answer, ...withCode(status, body) };
  if (!body.startsWith('{"accepted"')) return answer;
  // What an SDK is not to forget is not a success, though others of its batch are: they are the same rows once more. In a
  // text of a client's the quotes would be escaped.
  if (body.includes('"outcome":"failed"')) return segmentAnswer(problem(new PipelineError('buffer_failed', notAll)));
  return json(200, body.includes('"outcome":"rejected"') ? `{"success":true,${body.slice(1)}` : '{"success":true}');
}

const notAll = 'not every message could be stored: send all of them again';

function withCode(status: number, body: string): Pick<Answer, 'status' | 'body'> {
  const told = JSON.parse(body) as Record<string, string | number>;
  // 422 is not in the spec: what cannot be taken is 400.
  const known = status === 422 ? 400 : status;
  const code = String(told.type)
    .slice(String(told.type).lastIndexOf(':') + 1)
    .replaceAll('-', '_');
  return { status: known, body: JSON.stringify({ ...told, status: known, code, message: told.detail ?? told.title }) };
}
