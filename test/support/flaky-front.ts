// A front before ugc as the internet is: every other request is spoiled, in turns. It comes through and its answer is lost;
// it is shed with 503; it is limited with 429; it never comes through.

export interface FlakyFront {
  readonly url: string;
  counts(): FrontCounts;
  /** Spoils nothing, for now. */
  calm(isCalm: boolean): void;
  stop(): Promise<void>;
}

export interface FrontCounts {
  /** That ugc has answered. */
  readonly through: number;
  /** Of these, that their sender was not told of. */
  readonly lost: number;
}

const ways = ['lose', 'shed', 'lose', 'limit', 'swallow'] as const;

export function flakyFront({ target }: { target: () => string }): FlakyFront {
  let through = 0;
  let lost = 0;
  let asked = 0;
  let isCalm = false;
  const refused = (status: number, code: string): Response =>
    Response.json(
      { type: `urn:ugc:problem:${code}`, title: code, status, code, message: code },
      { status, headers: { 'content-type': 'application/problem+json', 'retry-after': '1' } },
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
    const whole = new Response(await answer.bytes(), { status: answer.status, headers: answer.headers });
    through++;
    return whole;
  }

  async function spoil(request: Request, body: Blob | null): Promise<Response> {
    const way = ways[Math.floor(asked / 2) % ways.length]!;
    if (way === 'shed') return refused(503, 'buffer-full');
    if (way === 'limit') return refused(429, 'rate-limited');
    if (way === 'lose') {
      await pass(request, body);
      lost++;
    }
    return refused(502, 'bad-gateway');
  }

  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    async fetch(request) {
      const body = request.method === 'GET' ? null : await request.blob();
      const isWell = isCalm || asked++ % 2 === 1;
      try {
        return await (isWell ? pass(request, body) : spoil(request, body));
      } catch {
        return refused(503, 'log-unavailable'); // ugc is away just now
      }
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    counts: () => ({ through, lost }),
    calm: now => {
      isCalm = now;
    },
    stop: () => server.stop(true),
  };
}
