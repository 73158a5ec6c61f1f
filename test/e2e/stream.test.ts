// GET /v1/stream, `ugc tap` and `ugc top` on the compiled binary: what passes is shown to who may see it, and to nobody's cost.

import { expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import { exampleClick } from '../support/events.ts';
import { readStream } from '../support/stream-reader.ts';
import { binary, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const click = (more: object = {}) => ({
  ...exampleClick,
  event_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  ...more,
});
const ingestAlone = ['--role=ingest', '--request-log=false'];

test('shows what passes: each reader what it asked for, and after a break what it missed', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ingestAlone });
  const [all, rejected, ofUser, views] = await Promise.all(
    ['?kinds=events', '?outcome=rejected', '?user=u-2&kinds=events', '?type=page_*&kinds=events'].map(query =>
      readStream(ugc.url, query),
    ),
  );
  expect(Object.fromEntries(all!.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  await ugc.post(
    click({ anonymous_id: 'u-1', properties: { password: 'hunter2' }, page_url: 'https://a.b/?token=t0p&x=1' }),
  );
  await ugc.post(click({ anonymous_id: 'u-2' }));
  await ugc.post({ event_type: 'click', element: 'hunter2', user_password: 'hunter2' });
  await ugc.post('{"event":');
  await eventually(() => all!.events().length === 4, { what: 'all four' });
  await eventually(() => rejected!.events().length === 2 && ofUser!.events().length === 1, { what: 'those asked for' });
  const [first, , wrong, unread] = all!.events();
  expect(first).toMatchObject({
    event: 'event',
    data: { outcome: 'accepted', type: 'click', user: 'u-1', stored: 'disk' },
  });
  expect(first!.data.body).toMatchObject({
    properties: { password: '(hidden)' },
    page_url: 'https://a.b/?token=(hidden)&x=1',
  });
  expect(wrong).toMatchObject({ event: 'rejected', data: { outcome: 'rejected', type: 'click', reason: 'invalid' } });
  expect(unread).toMatchObject({ event: 'rejected', data: { type: '(unknown)', reason: 'not_json', shape: null } });
  expect(JSON.stringify(all!.messages)).not.toContain('hunter2');
  expect(views!.events()).toEqual([]);
  await eventually(() => rejected!.messages.some(({ event }) => event === 'stats'), { what: 'how it is' });

  const shown = ugc
    .output()
    .split('\n')
    .filter(line => line.includes('"event.action":"stream-read"'));
  expect(shown).toHaveLength(4);
  expect(JSON.parse(shown[0]!)).toMatchObject({ 'event.dataset': 'ugc.audit', 'user.name': 'anybody' });

  all!.stop();
  await ugc.post(click({ anonymous_id: 'u-3' }));
  const again = await readStream(ugc.url, '?kinds=events', { 'last-event-id': first!.id });
  await eventually(() => again.events().length === 4, { what: 'the three after the first, and what passed meanwhile' });
  expect(again.events().map(({ data }) => data.user)).toEqual(['u-2', null, null, 'u-3']);
  const other = await readStream(ugc.url, '?kinds=events', { 'last-event-id': '00000000-7' });
  await eventually(() => other.messages.some(({ event, data }) => event === 'dropped' && data.why === 'unwatched'), {
    what: 'it is told that nothing is known of that',
  });
  expect((await fetch(`${ugc.url}/v1/stream?typ=click`)).status).toBe(400);
  expect((await fetch(`${ugc.url}/v1/stream`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(403);
  expect((await fetch(`${ugc.url}/v1/stream`, { headers: { origin: ugc.url } })).status).toBe(403);

  expect(await ugc.stop()).toBe(0);
  await Promise.all([again.over, rejected!.over, ofUser!.over]);
});

test('readers that take nothing are let down: every event is a row, memory has a bound, and they hold up no stop', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false', '--stream-readers=3'] });
  const stalled = await Promise.all(
    [1, 2].map(() =>
      Bun.connect({
        hostname: '127.0.0.1',
        port: Number(new URL(ugc.url).port),
        socket: {
          open: socket => void socket.write('GET /v1/stream?rate=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
          data: socket => void socket.pause(),
        },
      }),
    ),
  );
  const reader = await readStream(ugc.url, '?kinds=events&rate=1');
  await eventually(async () => (await fetch(`${ugc.url}/v1/stream`)).status === 503, { what: 'three are enough' });
  const events = () => Array.from({ length: 100 }, () => click({ page_url: `https://a.b/${'x'.repeat(2_000)}` }));
  let acked = 0;
  // Until what the sockets and the queues take is exceeded.
  await eventually(
    async () => {
      const response = await ugc.post(events());
      acked += ((await response.json()) as { accepted: number }).accepted;
      return acked >= 10_000;
    },
    { what: '10 000 events' },
  );
  await eventually(() => reader.messages.some(({ event, data }) => event === 'dropped' && data.why === 'rate'), {
    what: 'the one that reads is told what it does not see',
  });
  const told = /^ugc_stream_dropped_total (\d+)$/m.exec(await (await fetch(`${ugc.url}/metrics`)).text());
  // One that wanted one a second, and two of which each had room for some.
  expect(Number(told?.[1])).toBeGreaterThan(2 * acked);
  await eventually(async () => Number((await ugc.query('SELECT count() n FROM ugc.click'))[0]?.n) === acked, {
    what: 'each ack is a row',
  });
  const startedAt = performance.now();
  const exit = await ugc.stop();
  const stalledFor = performance.now() - startedAt;
  expect({ exit, isHeldUp: /stopped before everything/.test(ugc.output()) }).toEqual({ exit: 0, isHeldUp: false });
  process.stderr.write(`stopped after ${Math.round(stalledFor)} ms with ${stalled.length} stalled readers\n`);
}, 120_000);

test('asks for the scope admin where there are keys; etl alone tells how it is, and nothing else', async () => {
  const dataDir = temporaryFolder();
  const add = async (name: string, scopes: string): Promise<string> =>
    (await runUgc(['keys', 'add', name, '--kind=secret', `--scopes=${scopes}`, `--data-dir=${dataDir}`])).stdout.trim();
  const [admin, sender] = [await add('admin', 'admin'), await add('shop', 'events:write')];
  const ugc = await startUgc({ dataDir, flags: [...ingestAlone, '--auth=keys'] });
  const statusWith = async (key: string): Promise<number> =>
    (await readStream(ugc.url, '?kinds=stats', { authorization: `Bearer ${key}` })).status;
  expect((await fetch(`${ugc.url}/v1/stream?kinds=stats`)).status).toBe(401);
  expect(await statusWith(sender)).toBe(403);
  const seen = await readStream(ugc.url, '?key=shop&kinds=events', { authorization: `Bearer ${admin}` });
  const posted = await fetch(`${ugc.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sender}` },
    body: JSON.stringify(click()),
  });
  expect(posted.status).toBe(200);
  await eventually(() => seen.events()[0]?.data.source === 'shop', { what: 'the event of the shop' });
  expect(JSON.stringify(seen.messages)).not.toContain(sender);

  const refused = await runUgc(['tap', `--url=${ugc.url}`]);
  expect({ code: refused.code, hint: refused.stderr.includes('UGC_ADMIN_KEY') }).toEqual({ code: 2, hint: true });
  const top = await runUgc(['top', `--url=${ugc.url}`, '--json', '--limit=1'], { env: { UGC_ADMIN_KEY: admin } });
  expect({ code: top.code, ...JSON.parse(top.stdout) }).toMatchObject({
    code: 0,
    instances: [{ url: ugc.url, away: null, stats: { roles: ['ingest'], ready: true } }],
  });
  expect(top.stdout + top.stderr).not.toContain(admin);
  expect(await ugc.stop()).toBe(0);

  const mover = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=etl', '--auth=keys', '--admin-port=0'] });
  const adminUrl = /"admin":"([^"]+)"/.exec(mover.output())![1]!;
  const stats = await readStream(adminUrl);
  await eventually(() => stats.messages.some(({ event, data }) => event === 'stats' && String(data.roles) === 'etl'), {
    what: 'how the mover is',
  });
  expect(await mover.stop()).toBe(0);
});

test('ugc tap writes events to stdout and the rest to stderr, comes back, and ends quietly', async () => {
  const dataDir = temporaryFolder();
  let ugc = await startUgc({ dataDir, flags: ingestAlone });
  const { port } = new URL(ugc.url);
  const spawn = (command: readonly string[]) =>
    Bun.spawn([...command], { stdout: 'pipe', stderr: 'pipe', env: { PATH: process.env.PATH ?? '' } });
  const readers = async (): Promise<number> =>
    Number(/^ugc_stream_readers (\d+)$/m.exec(await (await fetch(`${ugc.url}/metrics`)).text())?.[1]);

  const tap = spawn([binary, 'tap', `--url=${ugc.url}`, '--format=json', '--type=click', '--limit=2']);
  const head = spawn(['sh', '-c', `'${binary}' tap --url=${ugc.url} | head -1`]);
  await eventually(async () => (await readers()) === 2, { what: 'both watch' });
  await ugc.post(click({ anonymous_id: 'u-1' }));
  // A pipe that is closed is noticed when something is written to it.
  await eventually(
    async () => {
      await ugc.post({ event_type: 'click', anonymous_id: 'u-0' });
      return head.exitCode !== null;
    },
    { what: 'tap | head ends', pauseMs: 200 },
  );
  expect([await head.exited, await new Response(head.stderr).text()]).toEqual([0, '']);
  expect(await new Response(head.stdout).text()).toMatch(/accepted +disk +click .*u-1.*\n$/);
  await tap.exited;
  const lines = (await new Response(tap.stdout).text()).trim().split('\n');
  expect(lines.map(line => JSON.parse(line).outcome)).toEqual(['accepted', 'rejected']);

  const lasting = spawn([binary, 'tap', `--url=${ugc.url}`, '--format=logfmt', '--outcome=accepted']);
  await eventually(async () => (await readers()) === 1, { what: 'it watches' });
  expect(await ugc.stop()).toBe(0);
  ugc = await startUgc({ dataDir, flags: [...ingestAlone, `--port=${port}`] });
  await eventually(async () => (await readers()) === 1, { what: 'it watches again' });
  await ugc.post(click({ anonymous_id: 'u-2', page_url: 'https://a.b/?q=a b' }));
  const reader = lasting.stdout.getReader();
  const seen = new TextDecoder().decode((await reader.read()).value);
  expect(seen).toMatch(/outcome=accepted type=click .*user=u-2.*body\.page_url="https:\/\/a\.b\/\?q=a b"/);
  lasting.kill('SIGINT');
  expect(await lasting.exited).toBe(0);
  const said = await new Response(lasting.stderr).text();
  expect(said).toContain('it is tried again');
  expect(said).not.toContain('stack');
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('ugc top: lines in a pipe, on a terminal a screen that is given back; an instance that is away is shown and comes back', async () => {
  const dataDir = temporaryFolder();
  let ugc = await startUgc({ dataDir, flags: ingestAlone });
  const { port } = new URL(ugc.url);
  const piped = await runUgc(['top', `--url=${ugc.url}`, '--limit=1']);
  expect({ code: piped.code, stderr: piped.stderr }).toEqual({ code: 0, stderr: '' });
  expect(piped.stdout).toMatch(/^ugc top {3}1 instance {3}/);
  expect(piped.stdout).not.toContain('\u001b');

  let seen = '';
  const top = Bun.spawn([binary, 'top', `--url=${ugc.url}`], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color' },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_, bytes) => {
        seen += Buffer.from(bytes).toString();
      },
    },
  });
  const frames = (): string[] => seen.split('\u001b[?2026h').slice(1).map(stripVTControlCharacters);
  await eventually(() => frames().some(frame => frame.includes('buffer 0 events')), { what: 'the first frame' });
  await ugc.post(click());
  await eventually(() => frames().at(-1)?.includes('click'), { what: 'the type is there' });
  expect(frames().every(frame => frame.split(/[\r\n]+/).every(line => line.length <= 80))).toBe(true);
  expect(await ugc.stop()).toBe(0);
  await eventually(() => frames().at(-1)?.includes('1 away'), { what: 'it is away' });
  ugc = await startUgc({ dataDir, flags: [...ingestAlone, `--port=${port}`] });
  await eventually(() => /1 instance {3}/.test(frames().at(-1) ?? ''), { what: 'it is back' });
  top.terminal!.write('q');
  expect(await top.exited).toBe(0);
  expect(seen.startsWith('\u001b[?1049h')).toBe(true);
  expect(seen.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  expect(await ugc.stop()).toBe(0);
}, 60_000);
