// `ugc up` on the compiled binary: each role a process of its own that dies alone and comes back; all stop in order.

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEvent } from '../support/events.ts';
import { freePorts } from '../support/free-ports.ts';
import { randomOf } from '../support/random.ts';
import { binary, eventually, queryRows, runUgc, temporaryFolder } from '../support/ugc.ts';

const random = randomOf('up');

interface Line {
  readonly message: string;
  readonly 'process.pid'?: number;
  readonly role?: string;
  readonly child?: number;
  readonly roles?: readonly string[];
  readonly url?: string;
  readonly clickhouse_http?: string;
}

async function up(flags: readonly string[]) {
  const [port] = (await freePorts(1)) as [number];
  const log = join(temporaryFolder(), 'log');
  const child = Bun.spawn(
    [
      binary,
      'up',
      `--data-dir=${temporaryFolder()}`,
      `--port=${port}`,
      '--clickhouse-http-port=0',
      '--request-log=false',
      ...flags,
    ],
    {
      stdin: 'ignore',
      stdout: Bun.file(log), // which stays when it is killed, and its roles write on
      stderr: 'ignore',
      env: { PATH: process.env.PATH ?? '' },
    },
  );
  const said = (): string => readFileSync(log, 'utf8');
  const lines = (): Line[] => said().split('\n').filter(line => line.startsWith('{') && line.endsWith('}')).map(line => JSON.parse(line)); // biome-ignore format: short
  const readyOf = (role: string): Line | undefined =>
    lines().findLast(({ message, roles }) => message === 'ready' && roles?.[0] === role);
  const pidOf = (role: string): number => lines().findLast(line => line.message === `${role} is started`)!.child!;
  return { child, port, lines, readyOf, pidOf, said };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('roles are processes of their own: one that is killed comes back, the others never notice, and each event is a row', async () => {
  const { child, port, lines, readyOf, pidOf } = await up(['--role=ingest,etl']);
  await eventually(() => readyOf('ingest') && readyOf('etl'), { what: 'both are ready' });
  expect(readyOf('ingest')!.url).toBe(`http://127.0.0.1:${port}`);
  expect(readyOf('etl')!.url).toBe(`http://127.0.0.1:${port + 1}`);
  const sent: string[] = [];
  const send = async (): Promise<void> => {
    const events = Array.from({ length: 20 }, () => clientEvent(random));
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    expect(answer.status).toBe(200);
    sent.push(...events.map(({ event_id: id }) => id));
  };
  await send();
  const [ingest, etl] = [pidOf('ingest'), pidOf('etl')];
  process.kill(etl, 'SIGKILL');
  await send(); // while nobody moves anything
  await eventually(() => pidOf('etl') !== etl && readyOf('etl') !== undefined, { what: 'etl is started again' });
  await send();
  expect(pidOf('ingest')).toBe(ingest);
  expect(lines().find(({ message }) => message === 'etl has ended; it is started again')).toBeDefined();
  const rows = async () => {
    const url = readyOf('etl')?.clickhouse_http;
    return url === undefined
      ? []
      : queryRows<{ event_id: string }>(url, 'SELECT event_id FROM ugc.events').catch(() => []);
  };
  await eventually(async () => (await rows()).length === sent.length, { what: 'every event is a row' });
  expect((await rows()).map(({ event_id: id }) => id).toSorted()).toEqual(sent.toSorted());
  const pids = [pidOf('ingest'), pidOf('etl')];
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  const stops = lines().filter(({ message }) => message === 'stopped').length;
  expect(stops).toBe(2);
}, 120_000);

test('a hung role is killed in the end, and a second signal does not wait for it', async () => {
  const { child, readyOf, pidOf } = await up(['--role=ingest', '--shutdown-timeout-ms=1000']);
  await eventually(() => readyOf('ingest'), { what: 'it is ready' });
  const pid = pidOf('ingest');
  process.kill(pid, 'SIGSTOP');
  child.kill('SIGTERM');
  await Bun.sleep(200); // the operator's patience
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(1);
  expect(isAlive(pid)).toBe(false);
}, 60_000);

test('when ugc up is killed with -9 its roles stop in order by themselves, also one that is just starting', async () => {
  const { child, readyOf, pidOf, lines, port } = await up(['--role=ingest,etl']);
  await eventually(() => readyOf('ingest') && readyOf('etl'), { what: 'both are ready' });
  const events = Array.from({ length: 50 }, () => clientEvent(random));
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(events) };
  expect((await fetch(`http://127.0.0.1:${port}/v1/events`, asked)).status).toBe(200);
  const etl = pidOf('etl');
  process.kill(etl, 'SIGKILL');
  await eventually(() => pidOf('etl') !== etl, { what: 'etl is started again' });
  const pids = [pidOf('ingest'), pidOf('etl')];
  child.kill('SIGKILL');
  await child.exited;
  await eventually(() => pids.every(pid => !isAlive(pid)), { what: 'both have ended' });
  expect(lines().some(({ message, 'process.pid': pid }) => message === 'stopped' && pid === pids[0])).toBe(true);
}, 120_000);

test('wrong settings end it with 2 and the words, and nothing is left running', async () => {
  const wrong = await runUgc(['up', '--kafka-broker=x']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--kafka-broker is not a flag')]);
  const stray = await runUgc(['up', 'now']);
  expect([stray.code, stray.stderr]).toEqual([2, expect.stringContaining('see ugc help up')]);
  const high = await runUgc(['up', '--port=65535', `--data-dir=${temporaryFolder()}`]);
  expect([high.code, high.stderr]).toEqual([1, expect.stringContaining('there is no port 65536')]);
}, 60_000);
