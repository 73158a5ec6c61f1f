// What systemd hears of the compiled binary (sd_notify): when it is ready, that it is alive, when it stops.

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

const receiver = `
import socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + name[1:] if name.startswith('@') else name)
print('listening', flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;

/** What comes to the socket, word for word. */
async function heardAt(socket: string) {
  const child = Bun.spawn(['python3', '-c', receiver, socket], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  let text = '';
  void (async () => {
    for await (const chunk of child.stdout) text += new TextDecoder().decode(chunk);
  })();
  await eventually(() => text.includes('listening'), { what: 'the receiver listens' });
  return { heard: () => text.trim().split('\n').slice(1), end: () => child.kill() };
}

const flags = ['--role=ingest', '--request-log=false'];

test.each([
  ['a path', () => join(temporaryFolder(), 'notify')],
  ['a name of no file', () => `@ugc-${crypto.randomUUID()}`],
])('by %s it is told in their order, and takes events when it says so', async (_, socketOf) => {
  const socket = socketOf();
  const { heard, end } = await heardAt(socket);
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags,
    env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' },
  });
  await eventually(() => heard()[0] === 'READY=1', { what: 'it is ready' });
  expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
  await eventually(() => heard().filter(word => word === 'WATCHDOG=1').length >= 3, { what: 'it is alive' });
  expect(await ugc.stop()).toBe(0);
  await eventually(() => heard().at(-1) === 'STOPPING=1', { what: 'it stops' });
  end();
});

test.each([
  ['nobody there', join(temporaryFolder(), 'nobody')],
  ['no socket', 'vsock:2:1234'],
  ['too long', `/${'x'.repeat(200)}`],
])('%s is no trouble', async (_, socket) => {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags,
    env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000' },
  });
  expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
  expect(await ugc.stop()).toBe(0);
});
