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

/** What a page may read of an answer beside its body, where it is there. */
const readable = ['retry-after', 'ratelimit', 'x-ugc-outcome', 'etag', 'location'];
const exposed = {
  'access-control-expose-headers': 'Retry-After, RateLimit, RateLimit-Policy, X-UGC-Outcome, ETag, Location',
};
/** For caches between: to another origin the answer is another. */
const byOrigin = ({ vary }: Answer['headers']) => ({ vary: vary === undefined ? 'origin' : `${vary}, origin` });

/** The answer as a page is told it. */
export function toldToPage(answer: Answer, method: string, { told }: OtherPage): Answer {
  const { headers } = answer;
  return {
    ...answer,
    headers: {
      ...headers,
      ...told,
      ...(method !== 'POST' && byOrigin(headers)), // nothing keeps the answer to a POST
      ...(told !== null && readable.some(name => name in headers) && exposed),
    },
  };
}

export const nobodyElse: CrossOrigin = { headersFor: () => null };

/** A page of another origin, as far as what it says shows. */
export interface OtherPage {
  readonly origin: string;
  /** Headers for the answer; null = it may not send. */
  readonly told: Readonly<Record<string, string>> | null;
}

/** Null for what comes from no page, or from one of this server's own origin that nobody had to name. */
export function otherPageOf({ headers }: Request, crossOrigin: CrossOrigin): OtherPage | null {
  const origin = headers.get('origin');
  if (origin === null) return null;
  const told = crossOrigin.headersFor(origin);
  return told === null && isOwn(headers, origin) ? null : { origin, told };
}

function isOwn(headers: Headers, origin: string): boolean {
  // Browsers say it themselves; behind a proxy the Host of a request need not be the one in the page's address.
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  return origin.slice(origin.indexOf('//') + 2) === headers.get('host');
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
