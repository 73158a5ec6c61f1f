// A ClickHouse that stores nothing, as a process of its own: what a mover costs without an engine. It answers an empty
// schema and takes every statement; of inserts it counts lines and bytes, so that a mover that loses some is seen. Prints
// its port; GET /stats tells the sums.

import { answers } from './null-sink.ts';

const newline = 10;
let rows = 0;
let bytes = 0;
let inserts = 0;

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  maxRequestBodySize: 2 ** 31,
  idleTimeout: 255,
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === answers.path) return Response.json({ rows, bytes, inserts });
    const body = Buffer.from(await request.arrayBuffer());
    const head = { 'x-clickhouse-query-id': url.searchParams.get('query_id') ?? '' };
    if (!url.searchParams.get('query')?.startsWith('INSERT'))
      return new Response(body.toString().endsWith('FORMAT JSON') ? '{"data":[],"rows":0}' : '', { headers: head });
    if (request.headers.has('content-encoding') || body.at(-1) !== newline)
      return new Response('only plain lines can be counted', { status: 400, headers: head });
    let count = 0;
    for (let at = body.indexOf(newline); at >= 0; at = body.indexOf(newline, at + 1)) count++;
    rows += count;
    bytes += body.length;
    inserts++;
    const summary = { 'x-clickhouse-summary': `{"written_rows":"${count}"}` };
    return new Response('', { headers: { ...head, ...summary } });
  },
});
console.log(server.port);
