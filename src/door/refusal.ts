// The answers of who is not let in: status, words, and for clients of OAuth the challenge of RFC 6750 §3.

import { PipelineError } from '../errors.ts';
import { type Answer, problem } from '../http/answer.ts';
import type { Admission } from '../http/route.ts';

const challenge = 'Bearer realm="ugc"';

/** 401: it shows nothing, or a key that does not count. */
export const unauthorized = (words: string): Admission => answer('unauthorized', words, challenge);

/** 401: it shows a token that does not count. */
export const invalidToken = (words: string): Admission =>
  answer('unauthorized', words, `${challenge}, error="invalid_token", error_description="${describing(words)}"`);

/** 403. */
export const forbidden = (words: string): Admission => answer('forbidden', words);

/** 403: another token could. */
export const insufficientScope = (words: string, scope: string): Admission =>
  answer('forbidden', words, `${challenge}, error="insufficient_scope", scope="${scope}"`);

/** 503: whether it may cannot be found out now. */
export const unavailable = (words: string): Admission => answer('auth_unavailable', words);

function answer(code: 'unauthorized' | 'forbidden' | 'auth_unavailable', words: string, asks?: string): Admission {
  const headers = asks === undefined ? {} : { 'www-authenticate': asks };
  const refusal: Answer = problem(new PipelineError(code, words), { headers });
  return { ok: false, answer: refusal };
}

/** RFC 6750 §3: ASCII without quotes and backslashes. */
const describing = (words: string): string => words.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?');
