// Answers that are none of ClickHouse's, or not whole, as proxies, load balancers, other services and broken networks give
// them with a status that says all is well.

export interface Passing {
  /** What ClickHouse itself answers; asked for, it has done what it was asked. */
  readonly pass: () => Promise<Response>;
  readonly url: URL;
}

export interface WrongAnswer {
  answer(passing: Passing): Response | Promise<Response>;
}

const made = (make: () => Response): WrongAnswer => ({ answer: make });

/** What ClickHouse did, told otherwise. */
const changed = (change: (answer: Response, body: Uint8Array) => Response): WrongAnswer => ({
  answer: async ({ pass }) => {
    const answer = await pass();
    return change(answer, await answer.bytes());
  },
});

const idOf = (url: URL) => ({ 'x-clickhouse-query-id': url.searchParams.get('query_id') ?? '' });
const exception = 'Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)';

const refusal =
  "Code: 27. DB::Exception: Cannot parse input: expected '\"' before: 'x'. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)";

export const wrongAnswers: Readonly<Record<string, WrongAnswer>> = {
  'a page': made(() => new Response('<html><body>Welcome</body></html>', { headers: { 'content-type': 'text/html' } })),
  'an empty 200': made(() => new Response('')),
  'a 204': made(() => new Response(null, { status: 204 })),
  'a 202': made(() => new Response('accepted', { status: 202 })),
  'a redirect': made(() => new Response('', { status: 302, headers: { location: '/login' } })),
  'a 502 of a proxy': made(() => new Response('<h1>Bad Gateway</h1>', { status: 502 })),
  'a 502 that quotes a refusal of rows': made(
    () => new Response(`<h1>Bad Gateway</h1><pre>upstream: ${refusal}</pre>`, { status: 502 }),
  ),
  'a refusal of rows in another’s name': made(() => new Response(`${refusal}\n`, { status: 400 })),
  'a refusal of another query’s rows': made(
    () =>
      new Response(`${refusal}\n`, {
        status: 400,
        headers: { 'x-clickhouse-query-id': crypto.randomUUID(), 'x-clickhouse-exception-code': '27' },
      }),
  ),
  'a refusal whose text is another': {
    answer: ({ url }) =>
      new Response(`${exception}\n`, {
        status: 400,
        headers: { ...idOf(url), 'x-clickhouse-exception-code': '27' },
      }),
  },
  'another service’s JSON': made(() => Response.json({ data: [], rows: 0, status: 'ok' })),
  'the answer to another query': made(
    () =>
      new Response('', {
        headers: { 'x-clickhouse-query-id': crypto.randomUUID(), 'x-clickhouse-summary': '{"written_rows":"1000000"}' },
      }),
  ),
  'its id and nothing else': {
    answer: ({ url }) => new Response('', { headers: { ...idOf(url), 'content-type': 'x' } }),
  },
  'an exception behind the status': {
    answer: ({ url }) =>
      new Response(`${exception}\n`, {
        headers: { ...idOf(url), 'x-clickhouse-summary': '{"written_rows":"1000000"}' },
      }),
  },
  'an exception in a trailer of the body': {
    answer: ({ url }) =>
      new Response(`{"meta":[],"data":[\r\n__exception__\r\ntag\r\n${exception}\r\n100 tag\r\n__exception__\r\n`, {
        headers: {
          ...idOf(url),
          'x-clickhouse-exception-tag': 'tag',
          'x-clickhouse-summary': '{"written_rows":"1000000"}',
        },
      }),
  },
  'a summary that counts nothing': {
    answer: ({ url }) =>
      new Response('', { headers: { ...idOf(url), 'x-clickhouse-summary': '{"written_rows":"0"}' } }),
  },
  'what ClickHouse said, without its headers': changed((_, body) => new Response(body)),
};
