// A front before ugc as the internet is: it sheds with 503, limits with 429, cuts a connection before the request came
// through, or after: then it is stored, and its sender does not know. By chance of a seed; at most so many in a row, as an
// SDK gives up some day.

import type { Random } from './random.ts';

export interface FlakyFront {
  readonly url: string;
  /** Requests that came through, and those that were not answered as ugc answered them. */
  counts(): { readonly through: number; readonly spoiled: number };
  /** Spoils nothing, for now. */
  calm(isCalm: boolean): void;
  stop(): Promise<void>;
}

const inARowMax = 2;

export function flakyFront({ target, random }: { target: () => string; random: Random }): FlakyFront {
  let through = 0;
  let spoiled = 0;
  let inARow = 0;
  let isCalm = false;
  const refused = (status: number, code: string): Response =>
    Response.json(
      { type: `urn:ugc:problem:${code}`, title: code, status, code, message: code },
      {
        status,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '1' },
      },
    );

  async function pass(request: Request, body: Blob | null): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    for (const name of ['connection', 'content-length']) headers.delete(name);
    const answer = await fetch(target() + pathname + search, {
      method: request.method,
      headers,
      body,
      decompress: false,
    });
    through++;
    return new Response(await answer.bytes(), { status: answer.status, headers: answer.headers });
  }

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    async fetch(request) {
      const body = request.method === 'GET' ? null : await request.blob();
      const isWell = isCalm || inARow >= inARowMax || random.next() < 0.6;
      inARow = isWell ? 0 : inARow + 1;
      try {
        if (isWell) return await pass(request, body);
        spoiled++;
        const way = random.between(0, 3);
        if (way === 0) return refused(503, 'buffer-full');
        if (way === 1) return refused(429, 'rate-limited');
        if (way === 2) await pass(request, body); // its sender is not told
        return refused(502, 'bad-gateway');
      } catch {
        spoiled++;
        return refused(503, 'log-unavailable'); // ugc is away just now
      }
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    counts: () => ({ through, spoiled }),
    calm: now => {
      isCalm = now;
    },
    stop: () => server.stop(true),
  };
}
