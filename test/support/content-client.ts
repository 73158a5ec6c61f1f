// The content service as a client sees it: users with tokens of their own, and what they ask.

import { hmacTokenOf } from './tokens.ts';

export const contentSecret = 'a secret of the tests, thirty-two bytes or more';
export const contentFlags = ['--auth=keys,jwt', `--jwt-secret=${contentSecret}`];

export const tokenFor = (sub: string, scope = 'content:write', claims: object = {}): string =>
  hmacTokenOf(contentSecret, { sub, scope, exp: Math.floor(Date.now() / 1000) + 3_600, ...claims });

export interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Null where there is none. */
  readonly body: unknown;
  readonly text: string;
}

export type Ask = (method: string, path: string, asked?: Asked) => Promise<Answered>;

/** `token`: null = nobody in particular. `ca`: PEM of who vouches for the server. A body of text is sent as it is. */
export function askerOf(url: string, token: string | null, { ca }: { readonly ca?: string } = {}): Ask {
  return async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(ca !== undefined && { tls: { ca } }),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
  };
}
