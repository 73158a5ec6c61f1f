// More connections than the process may have open files: idle ones make room, silent ones are cut, who must be refused is
// told so, it is said in the log, in readiness and in metrics, and nothing acked is lost.

import { afterAll, expect, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RawExchange, rawHttp } from '../support/raw-http.ts';
import { binary, eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';
import { until } from '../support/until.ts';

const folder = temporaryFolder();

/** The binary with few open files. */
function limitedTo(files: number): string {
  const path = join(folder, `ugc-${files}`);
  writeFileSync(path, `#!/bin/sh\nulimit -n ${files}\nexec ${binary} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const started: Ugc[] = [];
afterAll(async () => {
  for (const ugc of started) ugc.kill('SIGKILL');
});

async function start(files: number, flags: readonly string[] = []): Promise<Ugc> {
  const ugc = await startUgc({ dataDir: temporaryFolder(), command: limitedTo(files), flags });
  started.push(ugc);
  return ugc;
}

const event = () =>
  JSON.stringify({ event_type: 'custom', name: 'n', country: 'US', device: 'tv', timestamp: Date.now() });
const post = (body: string, more: readonly string[] = []) =>
  [`POST /v1/events HTTP/1.1`, 'host: test', `content-length: ${body.length}`, ...more] as const;

interface Ready {
  readonly detail: Readonly<Record<string, string>>;
}

const once = { headers: { connection: 'close' } };
const readiness = async (ugc: Ugc): Promise<Ready> =>
  (await (await fetch(`${ugc.url}/healthz/ready`, { ...once, signal: AbortSignal.timeout(2_000) })).json()) as Ready;

/** The engine may have what files there are: that is told apart. */
const isClean = async (ugc: Ugc): Promise<boolean> => (await readiness(ugc)).detail.connections === undefined;

/** Seconds of a processor that the process has used. */
async function usedSeconds({ pid }: Ugc): Promise<number> {
  const fields = (await Bun.file(`/proc/${pid}/stat`).text()).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test('idle connections make room for new ones, whatever the number', async () => {
  const ugc = await start(192);
  const held: RawExchange[] = [];
  let acked = 0;
  for (let round = 0; round < 300; round++) {
    const body = event();
    const exchange = await rawHttp(ugc.url, post(body), body);
    held.push(exchange);
    await until(() => /^HTTP\/1\.1 \d{3} /.test(exchange.received()), `an answer on connection ${round}`);
    if (exchange.received().startsWith('HTTP/1.1 200 ')) acked++;
    else await until(() => exchange.received().includes('urn:ugc:problem:too-many-connections'), 'why it is refused');
  }
  expect(acked).toBeGreaterThan(0);
  await until(() => ugc.output().includes('too many connections: '), 'the log says so');
  for (const { drop } of held) drop();
  await eventually(() => isClean(ugc), { what: 'readiness is clean again' });
  expect(ugc.output().includes('connections have room again: ')).toBe(true);
  await eventually(
    async () => (await ugc.query<{ n: number }>('SELECT count() AS n FROM ugc.custom'))[0]!.n === acked,
    {
      what: 'a row of each acked event',
    },
  );
  expect(await ugc.stop()).toBe(0);
}, 300_000);

/** Connects and says no whole request. Resolves, once connected, with what resolves when the server closes it. */
async function silent(url: string, said: string): Promise<{ readonly closed: Promise<void> }> {
  const { hostname, port } = new URL(url);
  const closed = Promise.withResolvers<void>();
  const handlers = { data: () => {}, close: () => closed.resolve(), error: () => closed.resolve() };
  const socket = await Bun.connect({ hostname, port: Number(port), socket: handlers });
  socket.write(said);
  return { closed: closed.promise };
}

test('connections that send nothing are cut, and the process is well again by itself', async () => {
  const ugc = await start(192);
  const held = await Promise.all(
    Array.from({ length: 150 }, (_, at) => silent(ugc.url, at % 2 === 0 ? '' : 'GET / HT')),
  );
  await until(() => ugc.output().includes('too many connections: '), 'the log says so');
  await eventually(() => isClean(ugc), {
    what: 'readiness is answered and clean',
    msMax: 60_000,
  });
  expect(ugc.output().includes('too many connections: ')).toBe(true);
  await Promise.all(held.map(({ closed }) => closed));
  const before = { atMs: performance.now(), seconds: await usedSeconds(ugc) };
  expect((await ugc.post(event())).status).toBe(200);
  await until(() => performance.now() > before.atMs + 2_000, 'two seconds to have passed');
  expect((await usedSeconds(ugc)) - before.seconds).toBeLessThan(1);
  expect(await ugc.stop()).toBe(0);
}, 300_000);

test('a bound of its own is kept, said in readiness and in metrics', async () => {
  const ugc = await start(4_096, ['--connections-max=20']);
  const metric = async () =>
    (await (await fetch(`${ugc.url}/metrics`, once)).text()).match(/^ugc_http_connections\w* \d+$/gm);
  expect(await metric()).toContain('ugc_http_connections_max 20');
  // Requests that go on, so that none of them is idle.
  const held = await Promise.all(
    Array.from({ length: 40 }, () => rawHttp(ugc.url, [...post(event()).slice(0, 2), 'content-length: 200000'], '[')),
  );
  await eventually(async () => (await readiness(ugc)).detail.connections?.startsWith('full: 4'), {
    what: 'readiness says so',
  });
  const refused = await ugc.post(event());
  expect({ status: refused.status, wait: refused.headers.get('retry-after') }).toEqual({ status: 503, wait: '1' });
  expect(((await refused.json()) as { type: string }).type).toBe('urn:ugc:problem:too-many-connections');
  expect(refused.headers.get('connection')).toBe('close');
  // A GET that stores is refused as well, as a pixel is.
  const pixel = await fetch(`${ugc.url}/v1/pixel.gif?event_type=custom&name=n&country=US&device=tv`, once);
  expect({ status: pixel.status, outcome: pixel.headers.get('x-ugc-outcome') }).toEqual({
    status: 200,
    outcome: 'failed',
  });
  expect(
    Number((await metric())!.find(line => line.startsWith('ugc_http_connections '))!.split(' ')[1]),
  ).toBeGreaterThan(39);
  for (const { drop } of held) drop();
  await eventually(() => isClean(ugc), { what: 'readiness is clean again' });
  expect((await ugc.post(event())).status).toBe(200);
  expect(await ugc.stop()).toBe(0);
}, 300_000);
