// The routes under /v1/console/: who may ask them, and how what they say is sent.
//
// - With keys or tokens: who shows the scope admin. Where nobody is asked for one: somebody at this machine, who may look
//   and change nothing.
// - A page of another origin may ask nothing, whatever it shows: a browser adds keys of its own accord (HTTP Basic), and a
//   name can be made to lead to this machine.
// - Everything is JSON, also what a sender has written, and is kept nowhere.

import { messageOf, PipelineError } from '../errors.ts';
import { type Answer, json, problem } from '../http/answer.ts';
import { readText } from '../http/body.ts';
import { isFromHere, isFromOwnPage } from '../http/from-here.ts';
import type { Call, Route } from '../http/route.ts';
import { parseJson } from '../record/json.ts';

export const consolePath = '/v1/console';

/** One thing that can be asked; it rejects with a PipelineError. */
export type Ask = (asked: {
  readonly query: URLSearchParams;
  readonly params: Call['params'];
  /** Of a POST: what its body says. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly call: Call;
}) => Promise<object> | object;

export interface Asks {
  readonly gets: Readonly<Record<string, Ask>>;
  /** They read, too. */
  readonly posts: Readonly<Record<string, Ask>>;
  /** They change something. */
  readonly acts: Readonly<Record<string, Ask>>;
}

/** `isOpen`: nobody is asked for a key. */
export function consoleRoutes({ gets, posts, acts }: Asks, { isOpen }: { readonly isOpen: boolean }): readonly Route[] {
  const routeOf = (method: 'GET' | 'POST', path: string, ask: Ask, isActing: boolean): Route => ({
    method,
    path: `${consolePath}${path}`,
    ...(!isOpen && { needs: 'admin' }),
    handler: async call => {
      const refusal = refusalOf(call, { isOpen, isActing });
      if (refusal !== null) return closed(problem(refusal));
      try {
        return closed(json(200, JSON.stringify(await answerTo(call, ask, method))));
      } catch (error) {
        if (error instanceof PipelineError) return closed(problem(asAsked(error)));
        throw error;
      }
    },
  });
  return [
    ...Object.entries(gets).map(([path, ask]) => routeOf('GET', path, ask, false)),
    ...Object.entries(posts).map(([path, ask]) => routeOf('POST', path, ask, false)),
    ...Object.entries(acts).map(([path, ask]) => routeOf('POST', path, ask, true)),
  ];
}

const limits = {
  bodyBytesMax: 262_144,
  bodyDecompressedBytesMax: 262_144,
  bodyTimeoutMs: 10_000,
  boundedBy: 'fixed, of the console',
};

async function answerTo(call: Call, ask: Ask, method: string): Promise<object> {
  const { request, params, arrival } = call;
  const query = new URLSearchParams(request.url.split('?', 2)[1] ?? '');
  if (method === 'GET') return ask({ query, params, body: {}, call });
  const body = parseJson(await readText(request, limits, arrival));
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new PipelineError('bad_request', 'the body is a JSON object');
  return ask({ query, params, body: body as Readonly<Record<string, unknown>>, call });
}

function refusalOf(call: Call, { isOpen, isActing }: { readonly isOpen: boolean; readonly isActing: boolean }) {
  const { request } = call;
  if (!isFromOwnPage(request))
    return new PipelineError('forbidden', 'a page of another origin asks nothing of the console');
  if (isOpen && !isFromHere(call))
    return new PipelineError(
      'forbidden',
      'where nobody is asked for a key the console is for this machine alone, by the name localhost and through no proxy: set UGC_AUTH=keys and send a key with the scope admin (ugc keys add console --kind=secret --scopes=admin)',
    );
  if (isOpen && isActing)
    return new PipelineError(
      'forbidden',
      'where nobody is asked for a key the console changes nothing: use ugc dead, or set UGC_AUTH=keys and send a key with the scope admin',
    );
  // What a form of any page can send is none of these.
  if (request.method === 'POST' && !/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    return new PipelineError('unsupported_media_type', 'the console is asked in application/json');
  return null;
}

/** Of a table that is looked at, in the words of who looks, not of who inserts. */
const asAsked = (error: PipelineError): PipelineError =>
  error.code.startsWith('sink_') ? new PipelineError('lookup_failed', messageOf(error), { cause: error }) : error;

const closed = (answer: Answer): Answer => ({
  ...answer,
  headers: {
    ...answer.headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  },
});

/** A whole number of the query, in bounds. Throws `bad_request`. */
export function wholeIn(
  query: URLSearchParams,
  name: string,
  bounds: readonly [least: number, otherwise: number, most: number],
): number {
  const [least, otherwise, most] = bounds;
  const given = query.get(name);
  if (given === null || given === '') return otherwise;
  const value = Number(given);
  if (!/^\d{1,9}$/.test(given) || value < least || value > most)
    throw new PipelineError('bad_request', `${name} is a whole number from ${least} to ${most}`);
  return value;
}
