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
    const head = { 'x-clickhouse-summary': '{}' };
    if (!url.searchParams.get('query')?.startsWith('INSERT')) return new Response('', { headers: head });
    if (request.headers.has('content-encoding') || body.at(-1) !== newline)
      return new Response('only plain lines can be counted', { status: 400, headers: head });
    for (let at = body.indexOf(newline); at >= 0; at = body.indexOf(newline, at + 1)) rows++;
    bytes += body.length;
    inserts++;
    return new Response('', { headers: head });
  },
});
console.log(server.port);
