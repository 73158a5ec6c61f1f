// The table of problems a client can meet, from the one table of errors.

import { type ErrorCode, errorTable } from '../src/errors.ts';
import { retryAfter, typeOf } from '../src/http/answer.ts';
import { isAnswered } from '../src/http/openapi-problems.ts';

export function problemsMarkdown(): string {
  const rows = (Object.keys(errorTable) as ErrorCode[]).filter(isAnswered).map(code => {
    const { status, title } = errorTable[code];
    const seconds = code in retryAfter ? `after ${retryAfter[code as keyof typeof retryAfter]} s` : '';
    const wait = code === 'rate_limited' ? 'as `Retry-After` says' : seconds;
    return { status, text: `| ${status} | \`${typeOf(code)}\` | ${title} | ${wait} |` };
  });
  const sorted = rows.toSorted((a, b) => a.status - b.status).map(({ text }) => text);
  return ['| Status | `type` | `title` | Try again |', '|---|---|---|---|', ...sorted].join('\n');
}
