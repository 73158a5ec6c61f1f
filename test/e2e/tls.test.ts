// HTTPS in the compiled binary: who gets in, what is said, and a certificate that is renewed under load.

import { afterAll, expect, test } from 'bun:test';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { authorityIn, type Pair } from '../support/certificates.ts';
import { type TlsAnswer, type TlsClientOptions, tlsClient } from '../support/tls-client.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';
import { soon, until } from '../support/until.ts';

const folder = temporaryFolder();
const authority = authorityIn(folder);
const stranger = authorityIn(folder, 'stranger');
const started: Ugc[] = [];
afterAll(() => {
  for (const ugc of started) ugc.kill('SIGKILL');
});

interface Secured extends Ugc {
  /** Puts another pair in the place of the one there is, or a part of it. */
  put(pair: Partial<Pair>): void;
  readonly admin: string;
  readonly redirect: string;
  client(more?: Partial<TlsClientOptions>): ReturnType<typeof tlsClient>;
  ready(): Promise<{ readonly status: string; readonly detail: Readonly<Record<string, string>> }>;
}

async function start(pair: Pair, flags: readonly string[] = ['--role=ingest']): Promise<Secured> {
  const at = temporaryFolder();
  const files = { cert: join(at, 'tls.crt'), key: join(at, 'tls.key') };
  const put = ({ cert, key }: Partial<Pair>): void => {
    if (cert !== undefined) copyFileSync(cert, files.cert);
    if (key !== undefined) copyFileSync(key, files.key);
  };
  put(pair);
  const given = [`--tls-cert=${files.cert}`, `--tls-key=${files.key}`, '--admin-port=0', ...flags];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: given });
  started.push(ugc);
  const said = JSON.parse(/^\{.*"message":"ready".*\}$/m.exec(ugc.output())![0]);
  return {
    ...ugc,
    put,
    admin: said.admin,
    redirect: said.redirect,
    client: more => tlsClient({ url: ugc.url, ca: authority.pem, ...more }),
    ready: async () =>
      (await (await fetch(`${said.admin}/healthz/ready`, { tls: { ca: authority.pem } })).json()) as never,
  };
}

const event = (more: object = {}) =>
  JSON.stringify({ event_type: 'custom', name: 'n', country: 'US', device: 'tv', timestamp: Date.now(), ...more });
const outcomeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch(error => error);
const read = (path: string): string => readFileSync(path, 'utf8');

test('an event comes over HTTPS, several on one connection, and is a row', async () => {
  const pair = authority.issue('front');
  const ugc = await start(pair, ['--hsts-seconds=86400']);
  expect(ugc.url).toStartWith('https://127.0.0.1:');
  const { serial, protocol, post, drop } = await ugc.client();
  expect({ serial, protocol }).toEqual({ serial: pair.serial, protocol: 'TLSv1.3' });
  for (let at = 0; at < 3; at++) expect(await post(event())).toMatchObject({ status: 200, closes: false });
  drop();
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.custom')).length === 3, { what: 'three rows' });
  const page = await fetch(ugc.url, { tls: { ca: authority.pem } });
  expect(page.headers.get('strict-transport-security')).toBe('max-age=86400');
  const refused = await fetch(`${ugc.url}/v1/events`, { method: 'POST', body: '{', tls: { ca: authority.pem } });
  expect([refused.status, refused.headers.get('strict-transport-security')]).toEqual([400, 'max-age=86400']);
  const metrics = await fetch(`${ugc.admin}/metrics`); // plain
  expect(metrics.headers.get('strict-transport-security')).toBeNull();
  const sample = new RegExp(
    `^ugc_tls_certificate_expiration_timestamp_seconds\\{serial="${pair.serial}"\\} (\\d+)$`,
    'm',
  );
  expect(Number(sample.exec(await metrics.text())?.[1]) * 1_000).toBeGreaterThan(Date.now());
  expect(await ugc.ready()).toEqual({ status: 'ready', detail: {} });
  expect(await ugc.stop()).toBe(0);
});

test('TLS 1.2 and 1.3 are spoken, older ones are not; another process cannot share the port', async () => {
  const ugc = await start(authority.issue('front'));
  const { hostname, port } = new URL(ugc.url);
  const shake = (version: string) =>
    Bun.spawnSync(
      ['openssl', 's_client', '-connect', `${hostname}:${port}`, version, '-cipher', 'ALL:@SECLEVEL=0', '-brief'],
      { stdin: Buffer.from('') },
    );
  for (const version of ['-tls1', '-tls1_1']) {
    const { exitCode, stderr } = shake(version);
    expect({ version, exitCode, said: stderr.toString() }).toEqual({
      version,
      exitCode: 1,
      said: expect.stringContaining('alert protocol version'),
    });
  }
  for (const version of ['-tls1_2', '-tls1_3'])
    expect({ version, exitCode: shake(version).exitCode }).toEqual({ version, exitCode: 0 });
  const pair = authority.issue('second');
  const flags = ['--role=ingest', `--data-dir=${temporaryFolder()}`, `--port=${port}`];
  for (const more of [[], [`--tls-cert=${pair.cert}`, `--tls-key=${pair.key}`]])
    expect(await runUgc([...flags, ...more])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot listen on'),
    });
  expect(await ugc.stop()).toBe(0);
});

test('with an authority of clients nobody else gets in; the admin port asks for none', async () => {
  const trusted = join(temporaryFolder(), 'clients.pem');
  copyFileSync(authority.ca, trusted);
  const ugc = await start(authority.issue('front'), ['--role=ingest', `--tls-client-ca=${trusted}`]);
  const known = authority.issue('client');
  const { post, drop } = await ugc.client({ cert: read(known.cert), key: read(known.key) });
  expect((await post(event())).status).toBe(200);
  drop();
  const rogue = stranger.issue('client');
  const send = async (more: Partial<TlsClientOptions>): Promise<TlsAnswer> => {
    const client = await ugc.client(more);
    try {
      return await client.post(event());
    } finally {
      client.drop();
    }
  };
  // Over and over: a check that is now and then forgotten is none.
  for (let round = 0; round < 20; round++)
    for (const shown of [{}, { cert: read(rogue.cert), key: read(rogue.key) }])
      expect(await outcomeOf(send(shown))).toBeInstanceOf(Error);
  expect((await ugc.ready()).status).toBe('ready');
  const received = (await (await fetch(`${ugc.admin}/metrics`)).text()).match(/^ugc_events_received_total\{.*$/gm);
  expect(received).toEqual([expect.stringMatching(/outcome="accepted"\} 1$/)]);
  // Another authority in its place: who was let in by the one of before is not any more.
  copyFileSync(stranger.ca, trusted);
  await until(() => ugc.output().includes('the TLS certificate was renewed'), 'the new authority to count');
  expect((await send({ cert: read(rogue.cert), key: read(rogue.key) })).status).toBe(200);
  expect(await outcomeOf(send({ cert: read(known.cert), key: read(known.key) }))).toBeInstanceOf(Error);
  expect(await ugc.stop()).toBe(0);
});

test('renewed under load, again and again: no request fails, new connections see the new one, every ack is a row', async () => {
  const first = authority.issue('first');
  const ugc = await start(first, []);
  /** In the order they came into use. */
  const serials = [first.serial];
  const failures: unknown[] = [];
  /** The place of the newest that was said to be in use. */
  let newest = 0;
  /** Places of those that were shown after a newer one was said to be in use. */
  const late: number[] = [];
  let [acked, closed, isOver] = [0, 0, false];

  /** Keeps its connection until told to close it, or opens one for every request. */
  async function client(keeps: boolean): Promise<void> {
    while (!isOver) {
      const expected = newest;
      const connection = await ugc.client();
      const shown = serials.indexOf(connection.serial);
      if (shown < expected) late.push(shown);
      for (let goesOn = true; goesOn; ) {
        const { status, closes } = await connection.post(event());
        if (status !== 200) throw new Error(`answered ${status}`);
        acked++;
        if (closes) closed++;
        goesOn = keeps && !closes && !isOver;
      }
      connection.drop();
    }
  }
  const clients = [true, true, true, true, false, false, false, false].map(keeps =>
    client(keeps).catch(error => failures.push(error)),
  );
  const idle = await ugc.client();
  expect((await idle.post(event())).closes).toBe(false);
  for (let round = 0; round < 5; round++) {
    const before = acked;
    const next = authority.issue(`round-${round}`);
    serials.push(next.serial);
    ugc.put({ cert: next.cert });
    ugc.put({ key: next.key });
    const said = `"serial":"${next.serial}"`;
    await until(() => ugc.output().includes(said), `round ${round} to be in use`);
    newest++;
    await until(() => acked > before + 200 || failures.length > 0, 'more to be acked');
  }
  // Of long ago: it is still answered, and told that this was the last.
  if (failures.length === 0) expect(await idle.post(event())).toMatchObject({ status: 200 });
  isOver = true;
  await soon(Promise.all(clients), 'every client to end');
  expect({ failures, late }).toEqual({ failures: [], late: [] });
  expect(closed).toBeGreaterThan(4); // those that keep theirs were moved
  expect(ugc.output()).not.toContain('does not count');
  const rows = async () => (await ugc.query<{ n: number }>('SELECT count() AS n FROM ugc.custom'))[0]!.n;
  await eventually(async () => (await rows()) === acked + 2, { what: 'a row of each acked event' });
  expect(await ugc.stop()).toBe(0);
}, 300_000);

test('half a pair changes nothing and is said; the rest of it is enough; the end of a certificate is said before', async () => {
  const [first, next] = [authority.issue('first', { days: 5 }), authority.issue('next')];
  const ugc = await start(first, ['--role=ingest', '--admin-tls']);
  expect((await ugc.ready()).detail.tls).toMatch(/expires in 4 days/);
  expect(ugc.output()).toContain('the TLS certificate expires in');
  ugc.put({ cert: next.cert });
  await eventually(async () => (await ugc.ready()).detail.tls?.includes('is not that of the first certificate'), {
    what: 'readiness to say so',
  });
  const serialNow = async (url = ugc.url): Promise<string> => {
    const { serial, drop } = await ugc.client({ url });
    drop();
    return serial;
  };
  expect(await serialNow()).toBe(first.serial);
  ugc.put({ key: next.key });
  await eventually(async () => (await serialNow()) === next.serial, { what: 'the new one to be shown' });
  expect(await serialNow(ugc.admin)).toBe(next.serial);
  expect(await ugc.ready()).toEqual({ status: 'ready', detail: {} });
  expect(await ugc.stop()).toBe(0);
});

test('an expired certificate is shown, as no event is better lost, and is said', async () => {
  const ugc = await start(authority.issue('past', { days: -1 }));
  expect(await ugc.ready()).toMatchObject({ status: 'ready', detail: { tls: expect.stringContaining('expired at') } });
  expect(String(await outcomeOf(ugc.client()))).toContain('expired');
  const response = await fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    body: event(),
    tls: { rejectUnauthorized: false },
  });
  expect(response.status).toBe(200);
  expect(await ugc.stop()).toBe(0);
});

test('a start on files that do not fit ends with what to do', async () => {
  const [one, two] = [authority.issue('one'), authority.issue('two')];
  const flags = ['--role=ingest', '--port=0', `--data-dir=${temporaryFolder()}`];
  const refused = (cert: string, key: string) => runUgc([...flags, `--tls-cert=${cert}`, `--tls-key=${key}`]);
  expect(await refused(one.cert, two.key)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not that of the first certificate'),
  });
  expect(await refused(join(folder, 'none.pem'), one.key)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('UGC_TLS_CERT names a file that cannot be read'),
  });
});

test('the plain port sends readers on and refuses events', async () => {
  const ugc = await start(authority.issue('front'), ['--role=ingest', '--http-redirect-port=0', '--hsts-seconds=60']);
  const ask = (path: string, init: RequestInit = {}) => fetch(ugc.redirect + path, { redirect: 'manual', ...init });
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask('/v1/events?a=1&b=%2F', { method });
    expect([answer.status, answer.headers.get('location')]).toEqual([308, `${ugc.url}/v1/events?a=1&b=%2F`]);
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  }
  expect((await fetch(`${ugc.redirect}/healthz/live`, { tls: { ca: authority.pem } })).url).toBe(
    `${ugc.url}/healthz/live`,
  );
  const port = new URL(ugc.url).port;
  const named = await ask('/', { headers: { host: 'events.example:80' } });
  expect(named.headers.get('location')).toBe(`https://events.example:${port}/`);
  for (const host of ['a b', 'a/../b', 'user@evil.example', '"><script>'])
    expect((await ask('/', { headers: { host } })).status).toBe(400);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await ask('/v1/events', { method, body: event() });
    expect([answer.status, ((await answer.json()) as { type: string }).type]).toEqual([
      403,
      'urn:ugc:problem:tls-required',
    ]);
  }
  expect((await ask('/v1/events', { method: 'POST', body: 'x'.repeat(3_000_000) })).status).toBe(403);
  expect(await ugc.stop()).toBe(0);
  const given = await start(authority.issue('front'), [
    '--role=ingest',
    '--http-redirect-port=0',
    '--http-redirect-to=https://events.example',
  ]);
  const sent = await fetch(`${given.redirect}/a`, { redirect: 'manual' });
  expect(sent.headers.get('location')).toBe('https://events.example/a');
  expect(await given.stop()).toBe(0);
});

/** Says that to the port; resolves when the server has closed it. */
function say(url: string, bytes: string | Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connectPlain(Number(port), hostname, () => socket.write(bytes));
  socket.on('error', () => {}).resume();
  return new Promise(resolve => socket.on('close', () => resolve()));
}

test('what is no handshake, or never ends one, is cut and hurts nobody', async () => {
  const ugc = await start(authority.issue('front'), ['--role=ingest', '--connections-max=60']);
  const halfHello = new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
  const cut = [
    say(ugc.url, `POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-length: ${event().length}\r\n\r\n${event()}`),
    say(ugc.url, '\u0000\u0001garbage'.repeat(1_000)),
    say(ugc.url, new Uint8Array([0x15, 3, 3, 0, 2, 2, 80])),
  ];
  await soon(Promise.all(cut), 'what is no TLS to be closed');
  const silent = Array.from({ length: 100 }, (_, at) => say(ugc.url, at % 2 === 0 ? halfHello : ''));
  await eventually(async () => (await ugc.ready()).detail.connections !== undefined, { what: 'them to be counted' });
  await soon(Promise.all(silent), 'handshakes that never end to be cut');
  await eventually(async () => (await ugc.ready()).detail.connections === undefined, { what: 'room again' });
  const { post, drop } = await ugc.client();
  expect((await post(event())).status).toBe(200);
  drop();
  expect(await ugc.stop()).toBe(0);
}, 300_000);

test('hops that are plain are said at the start, those on this machine are not', async () => {
  const quiet = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest'] });
  expect(quiet.output()).not.toContain('in plain');
  expect(await quiet.stop()).toBe(0);
  const flags = ['--role=ingest', '--host=0.0.0.0', '--auth=none', '--kafka-brokers=kafka.invalid:9092'];
  const open = await startUgc({ dataDir: temporaryFolder(), flags });
  expect(open.output()).toMatch(/"warn".*UGC_TLS_CERT and UGC_TLS_KEY/);
  expect(open.output()).toMatch(/"warn".*\(kafka\.invalid:9092\): set UGC_KAFKA_TLS=true/);
  await open.stop();
});
