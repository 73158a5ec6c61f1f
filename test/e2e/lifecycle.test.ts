// Start, stop and share: shutdown under load, roles as processes of their own, folders taken by somebody else.

import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readInstance } from '../../src/process/instance.ts';
import { exampleClick as click } from '../support/events.ts';
import { freeze, thaw } from '../support/freeze.ts';
import { load, newLedger } from '../support/load.ts';
import { compare, drained, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { rawHttp } from '../support/raw-http.ts';
import { binary, eventually, queryRows, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

test('SIGTERM under load loses nothing and ends in time, again and again', async () => {
  const random = randomOf('SIGTERM');
  const dataDir = temporaryFolder();
  const ledger = newLedger();
  for (let round = 0; round < 5; round++) {
    const ugc = await startUgc({ dataDir, flags: ['--request-log=false', '--shutdown-timeout-ms=5000'] });
    const loading = new AbortController();
    const done = load({ url: ugc.url, random, ledger, clients: 8, signal: loading.signal });
    await eventually(() => ledger.acked.size > (round + 1) * 100, { what: 'some load' });
    const startedAt = performance.now();
    const code = await ugc.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    loading.abort();
    await done;
    expect(code).toBe(0);
    expect(ugc.output().includes('"message":"stopped"')).toBe(true);
  }
  const ugc = await startUgc({ dataDir });
  expect(await compare(ugc, ledger)).toMatchObject({ lost: [], doubled: [], foreign: [] });
  expect(await ugc.stop()).toBe(0);
});

test('a second signal ends at once', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  ugc.kill('SIGTERM');
  ugc.kill('SIGTERM');
  expect([0, 137]).toContain(await ugc.exited); // the first may already have done it
});

test('an answer in flight at SIGTERM is given', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const body = new ReadableStream({
    async start(controller) {
      const text = JSON.stringify(click);
      controller.enqueue(new TextEncoder().encode(text.slice(0, 20)));
      await eventually(() => ugc.output().includes('stopping;'), { what: 'the signal' });
      controller.enqueue(new TextEncoder().encode(text.slice(20)));
      controller.close();
    },
  });
  const answer = fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await eventually(() => metric(ugc.url, 'process_open_fds').then(() => true), { what: 'the request to be under way' });
  ugc.kill('SIGTERM');
  // Taken before the signal: stored. Otherwise refused in words. Never cut off.
  expect([200, 503]).toContain((await answer).status);
  expect(await ugc.exited).toBe(0);
});

test('ingest and etl work together over one folder, and each alone', async () => {
  const random = randomOf('roles');
  const dataDir = temporaryFolder();
  const ledger = newLedger();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest', '--request-log=false'] });
  expect(ingest.clickhouseUrl).toBe('');
  const loading = new AbortController();
  const done = load({ url: ingest.url, random, ledger, clients: 6, signal: loading.signal });
  await eventually(() => ledger.acked.size > 500, { what: 'events without an etl' });

  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  expect((await fetch(`${etl.url}/v1/events`, { method: 'POST' })).status).toBe(404);
  await eventually(() => metric(etl.url, 'ugc_etl_rows_total').then(rows => rows > 500), { what: 'rows' });
  etl.kill('SIGKILL');
  await etl.exited;
  const again = await startUgc({ dataDir, flags: ['--role=etl'] });
  const soFar = ledger.acked.size;
  await eventually(() => ledger.acked.size > soFar + 500, { what: 'more events' });
  ingest.kill('SIGKILL');
  loading.abort();
  await Promise.all([done, ingest.exited]);
  expect(await compare(again, ledger)).toMatchObject({ lost: [], doubled: [], foreign: [] });
  expect(await again.stop()).toBe(0);
});

test('a second process on the same embedded ClickHouse says so and ends with 1', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const second = await runUgc([`--data-dir=${dataDir}`, '--port=0', '--role=etl']);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain('is open in another process');
  expect((await ugc.post(click)).status).toBe(200);
  await drained(ugc);
  expect(await ugc.stop()).toBe(0);
});

test('a client that stalls in the middle of a body does not hold up the end', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--shutdown-timeout-ms=3000'] });
  const head = ['POST /v1/events HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', 'Content-Length: 500'];
  const stalled = await rawHttp(ugc.url, head, '{"eve');
  expect((await ugc.post(click)).status).toBe(200);
  const startedAt = performance.now();
  expect(await ugc.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(ugc.output().includes('"message":"stopped"')).toBe(true);
  stalled.drop();
});

test('nobody reading its output is no reason to stop', async () => {
  const folder = temporaryFolder();
  const script = `${binary} --data-dir=${folder} --port=0 --clickhouse-http-port=0 | head -c 10 >/dev/null`;
  const shell = Bun.spawn(['bash', '-c', script], { stdout: 'ignore', stderr: 'ignore' });
  const { clickhouseUrl, pid } = await eventually(() => readInstance(folder), { what: 'the instance' });
  for (let n = 0; n < 200; n++) await fetch(clickhouseUrl, { method: 'POST', body: 'SELECT 1' });
  expect(readInstance(folder)?.pid).toBe(pid);
  process.kill(pid, 'SIGTERM');
  await shell.exited;
});

test('a full disk under its output is no reason to stop', async () => {
  const folder = temporaryFolder();
  const command = `exec ${binary} --data-dir=${folder} --port=0 --clickhouse-http-port=0 > /dev/full`;
  const shell = Bun.spawn(['bash', '-c', command], { stdout: 'ignore', stderr: 'ignore' });
  const { clickhouseUrl } = await eventually(() => readInstance(folder), { what: 'the instance' });
  for (let n = 0; n < 50; n++) {
    const response = await fetch(clickhouseUrl, { method: 'POST', body: `SELECT ${n}` });
    expect((await response.text()).trim()).toBe(String(n));
  }
  shell.kill('SIGTERM');
  expect(await shell.exited).toBe(0);
});

test('of one id several times in a body the first counts', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const event_id = Bun.randomUUIDv7();
  const events = ['first', 'second', 'third'].map(element => ({ ...click, event_id, element }));
  const response = await ugc.post(events);
  expect({ status: response.status, answer: await response.json() }).toMatchObject({
    status: 200,
    answer: { accepted: 3 },
  });
  await drained(ugc);
  expect(await ugc.query('SELECT element FROM ugc.click')).toEqual([{ element: 'first' }]);
  expect(await ugc.stop()).toBe(0);
});

test('a ClickHouse server that is killed and comes back holds every event once', async () => {
  const random = randomOf('server');
  const serverDir = temporaryFolder();
  const server = (port: string) =>
    startUgc({ dataDir: serverDir, flags: ['--role=etl', '--clickhouse-http-readonly=false', port] });
  const first = await server('--clickhouse-http-port=0');
  const port = `--clickhouse-http-port=${new URL(first.clickhouseUrl).port}`;
  const ledger = newLedger();
  const flags = [
    `--clickhouse-url=${first.clickhouseUrl}`,
    '--clickhouse-database=remote',
    '--clickhouse-timeout-ms=2000',
    '--request-log=false',
  ];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
  expect(ugc.clickhouseUrl).toBe('');
  const loading = new AbortController();
  const done = load({ url: ugc.url, random, ledger, clients: 4, signal: loading.signal });
  await eventually(() => metric(ugc.url, 'ugc_etl_rows_total').then(rows => rows > 200), {
    what: 'rows on the server',
  });
  first.kill('SIGKILL');
  await first.exited;
  const before = ledger.acked.size;
  await eventually(() => ledger.acked.size > before + 500, { what: 'events taken without ClickHouse' });
  const second = await server(port);
  await eventually(() => metric(ugc.url, 'ugc_etl_rows_total').then(rows => rows > before + 500), {
    what: 'rows again',
  });
  const repeats = () => ugc.output().split('is repeated under its token').length;
  const soFar = repeats();
  freeze(second);
  const stopped = ledger.acked.size;
  await eventually(() => ledger.acked.size > stopped + 500, { what: 'events taken while ClickHouse hangs' });
  await eventually(() => repeats() > soFar, { what: 'an insert whose outcome is unknown' });
  thaw(second);
  loading.abort();
  await done;
  expect([...ledger.failures.keys()]).toEqual([]);
  const remote = {
    ...ugc,
    query: (sql: string) => queryRows(second.clickhouseUrl, sql.replaceAll('ugc.', 'remote.')),
  } as Ugc;
  expect(await compare(remote, ledger)).toMatchObject({ lost: [], doubled: [], foreign: [] });
  expect(await ugc.stop()).toBe(0);
  expect(await second.stop()).toBe(0);
});

test('a port that is taken is said in words, with exit code 1', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const { port } = new URL(ugc.url);
  const second = await runUgc([`--data-dir=${temporaryFolder()}`, `--port=${port}`, '--clickhouse-http-port=-1']);
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`) });
  const third = await runUgc([`--data-dir=${temporaryFolder()}`, '--port=0', `--clickhouse-http-port=${port}`]);
  expect(third).toMatchObject({ code: 1, stderr: expect.stringContaining('UGC_CLICKHOUSE_HTTP_PORT') });
  expect(await ugc.stop()).toBe(0);
});

test('nothing of the folder it is started in is read', async () => {
  const folder = temporaryFolder();
  await Bun.write(join(folder, '.env'), 'UGC_NO_SUCH_SETTING=1\nUGC_PORT=1');
  await Bun.write(join(folder, 'bunfig.toml'), 'preload = ["./gone.ts"]');
  const { code, stdout } = await runUgc(['--version'], { cwd: folder });
  expect({ code, stdout: stdout.split(' ')[0] }).toEqual({ code: 0, stdout: 'ugc' });
  expect((await runUgc(['help', 'config'], { cwd: folder })).code).toBe(0);
});

test('the folder of the binary may lie anywhere, its engine beside it', () => {
  expect(existsSync(join(import.meta.dir, '../../dist/lib/libchdb.so'))).toBe(true);
});
