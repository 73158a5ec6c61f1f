// Another service at ClickHouse's address: it is named as that, in readiness all the time and in the log once, and nothing
// that was acked is lost to it.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { eventually, queryRows, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

let server: ClickhouseServer;
let isPage = true;
let front: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
  server = await startClickhouseServer();
  front = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      if (isPage) return new Response('<h1>It works!</h1>', { headers: { 'content-type': 'text/html' } });
      const url = new URL(request.url);
      url.port = new URL(server.url).port;
      const headers = new Headers(request.headers);
      for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
      const answer = await fetch(url, { method: request.method, headers, body: await request.arrayBuffer() });
      return new Response(await answer.arrayBuffer(), answer);
    },
  });
});
afterAll(async () => {
  await front.stop(true);
  await server.remove();
});

const event = () => ({
  ...{ event_type: 'click', timestamp: new Date().toISOString(), country: 'US', device: 'mobile' },
  ...{ element: 'play', page_url: 'https://example.com/' },
});

test('a page at ClickHouse’s address is no ClickHouse: said in words, and every event is a row once there is one', async () => {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--clickhouse-url=http://127.0.0.1:${front.port}`, '--clickhouse-refresh-seconds=1'],
  });
  const detail = async () =>
    ((await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: Record<string, string> }).detail;
  const countIs = (count: number) => async () =>
    (await queryRows<{ n: number }>(server.url, 'SELECT toUInt32(count()) AS n FROM ugc.click'))[0]!.n === count;
  isPage = true;
  expect((await ugc.post(event())).status).toBe(200);
  await eventually(async () => (await detail()).clickhouse?.includes('is not ClickHouse'), { what: 'its name' });
  isPage = false;
  await eventually(countIs(1), { what: 'the row' });
  expect(await detail()).toEqual({});

  // While it runs: positions do not move for a page.
  isPage = true;
  for (let sent = 0; sent < 20; sent++) expect((await ugc.post(event())).status).toBe(200);
  await eventually(async () => (await detail()).click?.includes('is not ClickHouse'), { what: 'the table says so' });
  const said = () =>
    ugc
      .output()
      .split('\n')
      .filter(line => line.includes('repeated under its token')).length;
  expect(said()).toBe(1);
  isPage = false;
  await eventually(countIs(21), { what: 'all rows' });
  expect(said()).toBe(1);
  await eventually(async () => Object.keys(await detail()).length === 0, { what: 'nothing left to say' });
  expect(await ugc.stop()).toBe(0);
});

test.each(['--json', 'FORMAT CSV', ''])(
  'a query prints no error among its rows, and no answer to another: it fails, and says why (%s)',
  async form => {
    const exception = 'Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)\n';
    let isOther = false;
    // As ClickHouse does: what it has is sent as it comes, and an error behind it, unless it was asked to wait.
    const failing = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        const { searchParams } = new URL(request.url);
        const headers = {
          'x-clickhouse-format': searchParams.get('default_format') ?? 'CSV',
          'x-clickhouse-query-id': isOther ? 'of-another' : (searchParams.get('query_id') ?? crypto.randomUUID()),
        };
        if (isOther) return new Response('["n"]\n["UInt8"]\n["1"]\n', { headers });
        if (searchParams.get('wait_end_of_query') === '1') return new Response(exception, { status: 500, headers });
        return new Response(`["n"]\n["UInt8"]\n["1"]\n${exception}`, { headers });
      },
    });
    const flags = form.startsWith('--') ? [form] : [];
    const ask = () =>
      runUgc([
        'query',
        `SELECT 1 AS n ${flags.length > 0 ? '' : form}`,
        `--clickhouse-url=${failing.url.origin}`,
        ...flags,
      ]);
    const late = await ask();
    expect([late.code, late.stdout]).toEqual([1, '']);
    expect(late.stderr).toContain('Memory limit');
    isOther = true;
    const other = await ask();
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain('is not ClickHouse, or something between changes its answers');
    await failing.stop(true);
  },
);
