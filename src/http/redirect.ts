// The plain port beside HTTPS. Readers are sent on; who sends events is refused: what came has travelled in plain, and a
// client that is quietly served so would go on showing its key to everybody on the way. Nothing is answered here but
// that, health neither: its place is the admin port.

import { PipelineError } from '../errors.ts';
import { type Answer, problem } from './answer.ts';
import { methods, type Route } from './route.ts';

export interface RedirectOptions {
  /** Origin, e.g. https://events.example; '' = the name that was asked. */
  readonly to: string;
  /** Of HTTPS, for that name. */
  readonly port: () => number;
}

export const redirectRoutes = (options: RedirectOptions): readonly Route[] =>
  methods.map(method => ({
    method,
    path: '/*',
    handler: ({ request }) =>
      method === 'GET' || method === 'HEAD' ? redirect(request, options) : refusal(targetOf(request, options)),
  }));

function redirect(request: Request, options: RedirectOptions): Answer {
  const origin = targetOf(request, options);
  if (origin === null) return problem(new PipelineError('bad_request', 'the Host header names no host to go to'));
  const location = origin + pathAndQuery(request.url);
  return { status: 308, headers: { location, 'content-type': 'text/plain; charset=utf-8' }, body: `${location}\n` };
}

function refusal(origin: string | null): Answer {
  const there = origin === null ? 'by https' : `to ${origin}`;
  return problem(
    new PipelineError(
      'tls_required',
      `nothing was stored: this port is not encrypted, and whoever was on the way has read what came, a key as well. Send ${there}, and replace the key (ugc keys rotate)`,
    ),
  );
}

/** A name or an address, brackets around IPv6, and a port. */
const hostPattern = /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

function targetOf(request: Request, { to, port }: RedirectOptions): string | null {
  if (to !== '') return to;
  const host = hostPattern.exec(request.headers.get('host') ?? '')?.[1];
  if (host === undefined) return null;
  return port() === 443 ? `https://${host}` : `https://${host}:${port()}`;
}

/** By hand: with a strange Host header the URL of a request is not one that can be parsed. */
const pathAndQuery = (url: string): string => /^(?:[a-z]+:\/\/[^/?#]*)?(\/[^#]*)/i.exec(url)?.[1] ?? '/';
