// Answers of content: JSON that is never taken for anything else, kept by nobody unless it says so, with what it is a
// version of in `ETag` (RFC 9110 §8.8.3).

import { type Answer, json } from '../http/answer.ts';
import type { Call } from '../http/route.ts';

type Headers = Readonly<Record<string, string>>;

export const told = (status: number, body: unknown, headers: Headers = {}): Answer => {
  const answer = json(status, JSON.stringify(body));
  return { ...answer, headers: { ...answer.headers, ...headers } };
};

export const nothing: Answer = { status: 204, headers: {}, body: '' };

/** Of every answer, also of those that refuse. */
export const asContent = (answer: Answer): Answer => ({
  ...answer,
  headers: { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...answer.headers },
});

/**
 * What may be kept and asked for again: 304 when the client has it already. `isPublic`: it is the same for everybody.
 */
export function revalidated(call: Call, body: unknown, isPublic: boolean, tag?: string): Answer {
  const answer = told(200, body);
  const etag = tag ?? `"${Bun.hash(answer.body).toString(36)}"`;
  const headers = { etag, 'cache-control': isPublic ? 'no-cache' : 'private, no-cache', vary: 'authorization' };
  if (names(call.request.headers.get('if-none-match'), etag)) return { status: 304, headers, body: '' };
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

/** Weak comparison: W/ in front does not count. */
function names(header: string | null, etag: string): boolean {
  if (header === null) return false;
  return header.split(',').some(item => {
    const tag = item.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}
