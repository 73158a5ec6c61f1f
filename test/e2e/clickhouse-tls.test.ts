// ClickHouse behind https: what is not trusted is said and gets no row, events wait in the log, and become rows once it is
// right. The server is the embedded engine's HTTP port behind TLS.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { authorityIn } from '../support/certificates.ts';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { exampleClick } from '../support/events.ts';
import { type TlsProxy, tlsProxy } from '../support/tls-proxy.ts';
import { eventually, queryRows, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const folder = temporaryFolder();
const authority = authorityIn(folder);
const stranger = authorityIn(folder, 'stranger');
const good = authority.issue('clickhouse');
let server: ClickhouseServer;
const proxies: TlsProxy[] = [];
const started: Ugc[] = [];

beforeAll(async () => {
  server = await startClickhouseServer();
});
afterAll(async () => {
  for (const ugc of started) ugc.kill('SIGKILL');
  await Promise.all(proxies.map(proxy => proxy.close()));
  await server.remove();
});

async function proxyOf(options: { readonly clientCa?: string } = {}): Promise<TlsProxy> {
  const proxy = await tlsProxy({ target: Number(new URL(server.url).port), pair: good, ...options });
  proxies.push(proxy);
  return proxy;
}

let databases = 0;

async function start(proxy: TlsProxy, ...flags: readonly string[]) {
  const database = `tls_${++databases}`;
  const asked = [`--clickhouse-url=https://127.0.0.1:${proxy.port}`, `--clickhouse-database=${database}`, ...flags];
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: asked });
  started.push(ugc);
  let acked = 0;
  return {
    ...ugc,
    asked,
    dataDir,
    database,
    async store(): Promise<void> {
      expect((await ugc.post({ ...exampleClick, timestamp: Date.now() })).status).toBe(200);
      acked++;
    },
    /** All that was acked is there, and nothing is wrong any more. */
    whole: () =>
      eventually(
        async () => {
          const [row] = await queryRows<{ n: string }>(server.url, `SELECT count() AS n FROM ${database}.click`);
          const { detail } = (await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: object };
          return Number(row?.n) === acked && Object.keys(detail).length === 0;
        },
        { what: 'a row of each acked event, and clean readiness' },
      ),
    said: (words: RegExp) =>
      eventually(async () => words.test(await (await fetch(`${ugc.url}/healthz/ready`)).text()), {
        what: `readiness to say ${words}`,
      }),
  };
}

test('an authority of one’s own: rows are written and read over TLS, by commands as well', async () => {
  const proxy = await proxyOf();
  const ugc = await start(proxy, `--clickhouse-tls-ca=${authority.ca}`);
  await ugc.store();
  await ugc.whole();
  const asked = await runUgc(['query', '--json', 'SELECT count() AS n FROM click', ...ugc.asked]);
  expect(asked).toMatchObject({ code: 0, stdout: '{"n":1}\n' });
  expect((await runUgc(['schema', 'check', ...ugc.asked])).code).toBe(0);
  expect(proxy.shaken()).toBeGreaterThan(2);
  expect(await ugc.stop()).toBe(0);
});

test('an authority that is not trusted is said, events wait, and become rows once it is', async () => {
  const proxy = await proxyOf();
  const ugc = await start(proxy); // those of the system
  await ugc.store();
  await ugc.said(
    /no TLS to ClickHouse: its certificate is signed by nobody who is trusted here.*UGC_CLICKHOUSE_TLS_CA/,
  );
  expect(ugc.output()).toContain('no TLS to ClickHouse');
  const asked = await runUgc(['query', 'SELECT 1', ...ugc.asked]);
  expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('verify') });
  expect(proxy.shaken()).toBe(0);
  expect(await ugc.stop()).toBe(0);
  const right = await startUgc({ dataDir: ugc.dataDir, flags: [...ugc.asked, `--clickhouse-tls-ca=${authority.ca}`] });
  started.push(right);
  await eventually(async () => (await queryRows(server.url, `SELECT 1 FROM ${ugc.database}.click`)).length === 1, {
    what: 'the row of the event that waited',
  });
  expect(await right.stop()).toBe(0);
});

test('while it runs: expired, for another name, of another authority: each is said, nothing is lost, and it heals', async () => {
  const proxy = await proxyOf();
  const ugc = await start(proxy, `--clickhouse-tls-ca=${authority.ca}`);
  await ugc.store();
  await ugc.whole();
  const wrong = [
    [authority.issue('past', { days: -1 }), /its certificate has expired/],
    [authority.issue('other', { names: 'DNS:other.example' }), /its certificate is for other names/],
    [stranger.issue('clickhouse'), /signed by nobody who is trusted here/],
  ] as const;
  for (const [pair, words] of wrong) {
    proxy.show(pair);
    await ugc.store();
    await ugc.said(words);
    expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200); // events are still taken
    proxy.show(good);
    await ugc.whole();
  }
  expect(await ugc.stop()).toBe(0);
}, 300_000);

test('a certificate of ours is shown where one is asked for, and without one it is said', async () => {
  const proxy = await proxyOf({ clientCa: authority.pem });
  const ours = authority.issue('ugc');
  const trust = `--clickhouse-tls-ca=${authority.ca}`;
  const bare = await start(proxy, trust);
  await bare.store();
  await bare.said(/it does not let us in without a client certificate/);
  expect(await bare.stop()).toBe(0);
  const shown = [`--clickhouse-tls-cert=${ours.cert}`, `--clickhouse-tls-key=${ours.key}`];
  const ugc = await start(proxy, trust, ...shown, '--clickhouse-password=any');
  await ugc.store();
  await ugc.whole();
  expect(await ugc.stop()).toBe(0);
});

test('plain HTTP where https was said, and a file that cannot be read, are said in words', async () => {
  const flags = [`--clickhouse-url=https://127.0.0.1:${new URL(server.url).port}`];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
  started.push(ugc);
  await eventually(async () =>
    /it does not speak TLS at that port/.test(await (await fetch(`${ugc.url}/healthz/ready`)).text()),
  );
  expect(await ugc.stop()).toBe(0);
  const missing = await runUgc([
    ...flags,
    '--clickhouse-tls-ca=/nowhere/ca.pem',
    `--data-dir=${temporaryFolder()}`,
    '--port=0',
  ]);
  expect(missing).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('UGC_CLICKHOUSE_TLS_CA names a file that cannot be read'),
  });
});
