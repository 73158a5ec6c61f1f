// `GET /v1/stream`: what passes, as server-sent events. It shows what people do, so whoever reads it needs the scope
// `admin`; where nobody is asked for a key it is for this machine alone. How the process is, and nothing else, is told to
// whoever may read its metrics.

import { PipelineError } from '../errors.ts';
import { problem } from '../http/answer.ts';
import { isFromHere, isFromOwnPage } from '../http/from-here.ts';
import type { Call, Handler, Route } from '../http/route.ts';
import { type KindName, readWish } from './filter.ts';
import type { Tap } from './tap.ts';

export interface StreamRouteOptions {
  readonly tap: Pick<Tap, 'read'>;
  /** `asked`: for a key or a token; `open`: nobody is; `none`: no event passes here, and how the process is may be known. */
  readonly door: 'asked' | 'open' | 'none';
  /** Somebody is about to see events. */
  readonly onShown: (to: Pick<Call, 'caller' | 'address'>) => void;
}

export const streamPath = '/v1/stream';

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

export function streamRoute({ tap, door, onShown }: StreamRouteOptions): Route {
  const handler: Handler = call => {
    const query = new URLSearchParams(call.request.url.split('?', 2)[1] ?? '');
    const wish = readWish(query);
    const kinds: ReadonlySet<KindName> = door === 'none' ? new Set(['stats']) : wish.kinds;
    if (door === 'open' && kinds.has('events') && !isOpenTo(call))
      return problem(
        new PipelineError(
          'forbidden',
          'events are shown to this machine alone where nobody is asked for a key: ask with kinds=stats, or set UGC_AUTH=keys and send a key with the scope admin',
        ),
      );
    const after = call.request.headers.get('last-event-id') ?? '';
    const stream = tap.read({ ...wish, kinds }, after);
    if (kinds.has('events')) onShown(call);
    return { status: 200, headers, body: '', stream };
  };
  return { method: 'GET', path: streamPath, ...(door !== 'none' && { needs: 'admin' }), handler };
}

/** A page of another origin reads no answer, but would hold a place: what names an origin is none of ours, which a GET does not. */
const isOpenTo = (call: Call): boolean =>
  isFromHere(call) && isFromOwnPage(call.request) && !call.request.headers.has('origin');
