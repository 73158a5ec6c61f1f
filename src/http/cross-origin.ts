// Pages of other origins (the Fetch Standard, §3.2, CORS): what a browser is told before and after, and what it is refused.
// Which origins may is for `CrossOrigin` to say; here it is put into answers.
//
// A page that may not is refused before its body is read: without that a plain post would be stored while the browser
// tells the page that it has failed, and the page sends it again and again.

import { PipelineError } from '../errors.ts';
import { type Answer, problem } from './answer.ts';

export interface CrossOrigin {
  /** Headers for an answer to this origin, which may send; null = it may not. */
  headersFor(origin: string): Readonly<Record<string, string>> | null;
}

export const nobodyElse: CrossOrigin = { headersFor: () => null };

/** Null for what comes from no page, or from one of this server's own origin. */
export function otherOriginOf({ headers }: Request): string | null {
  const origin = headers.get('origin');
  if (origin === null) return null;
  // Browsers say it themselves; behind a proxy the Host of a request need not be the one in the page's address.
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none' ? null : origin;
  const host = headers.get('host');
  return host !== null && origin.slice(origin.indexOf('//') + 2) === host ? null : origin;
}

export const originRefused = (origin: string): Answer =>
  problem(
    new PipelineError(
      'forbidden',
      `pages of ${origin.slice(0, 200)} may not send here: name it in UGC_CORS_ORIGINS, or send from this server's own origin`,
    ),
  );

/** What an OPTIONS of a path is answered: which methods it takes, and what a browser asks before it sends. */
export const optionsAnswer = (methods: readonly string[]): ((request: Request) => Answer) => {
  const allow = methods.join(', ');
  return ({ headers }) => {
    if (headers.get('access-control-request-method') === null) return { status: 204, headers: { allow }, body: '' };
    const wanted = headers.get('access-control-request-headers');
    return {
      status: 204,
      headers: {
        allow,
        'access-control-allow-methods': allow,
        // All of them: none has a meaning here that a page must be kept from, and SDKs bring many of their own.
        ...(wanted !== null && headerList.test(wanted) && { 'access-control-allow-headers': wanted }),
        'access-control-max-age': String(preflightSeconds),
      },
      body: '',
    };
  };
};

/** As long as Chromium keeps it. */
const preflightSeconds = 7_200;

const headerList = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
