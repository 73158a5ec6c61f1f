// The proxy that the chaos tests trust to make a network bad: each of its faults, between a client and an echo.

import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let echo: Server;
let proxy: TcpProxy;

beforeAll(async () => {
  echo = createServer(socket => {
    socket.on('data', chunk => socket.write(chunk));
    socket.on('error', () => {});
  });
  await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve));
  proxy = await tcpProxy({ target: (echo.address() as { port: number }).port, random: Math.random });
});
beforeEach(() => proxy.heal());
afterAll(async () => {
  await proxy.close();
  await new Promise(resolve => echo.close(resolve));
});

interface Client {
  readonly socket: Socket;
  /** What came back. */
  got(): string;
  /** The code of the error it ended with. */
  error(): string | undefined;
}

async function connected(): Promise<Client> {
  const socket = createConnection({ host: '127.0.0.1', port: proxy.port });
  let text = '';
  let code: string | undefined;
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  socket.on('error', error => {
    code = (error as { code?: string }).code;
  });
  await until(() => !socket.connecting, 'connected');
  return { socket, got: () => text, error: () => code };
}

test('a healed proxy passes every byte in order, large amounts and many connections', async () => {
  const text = Array.from({ length: 300_000 }, (_, at) => `${at},`).join('');
  const clients = await Promise.all([connected(), connected(), connected()]);
  for (const { socket } of clients) socket.write(text);
  for (const { got } of clients) await until(() => got().length === text.length, 'an echo');
  for (const { socket, got } of clients) {
    expect(got() === text).toBe(true);
    socket.destroy();
  }
});

test('a delay holds bytes back, both ways, and keeps their order', async () => {
  proxy.delay(40, 20);
  const { socket, got } = await connected();
  const startedAt = performance.now();
  const text = Array.from({ length: 50 }, (_, at) => `${at};`).join('');
  for (const part of text.match(/\d+;/g)!) socket.write(part);
  await until(() => got().length === text.length, 'an echo');
  expect(performance.now() - startedAt).toBeGreaterThan(75);
  expect(got()).toBe(text);
  socket.destroy();
});

test('a cut resets every connection and takes new ones', async () => {
  const old = [await connected(), await connected()];
  for (const { socket } of old) socket.write('x');
  for (const { got } of old) await until(() => got() === 'x', 'an echo');
  proxy.cut();
  for (const { error } of old) await until(() => error() === 'ECONNRESET', 'a reset');
  const fresh = await connected();
  fresh.socket.write('again');
  await until(() => fresh.got() === 'again', 'an echo');
  fresh.socket.destroy();
});

test('a hanging proxy takes connections and bytes and gives nothing, until it is healed', async () => {
  const before = await connected();
  proxy.hang();
  const during = await connected();
  const passed = proxy.passed();
  before.socket.write('one');
  during.socket.write('two');
  await Bun.sleep(150); // nothing must come, which no condition can say
  expect([before.got(), during.got(), proxy.passed()]).toEqual(['', '', passed]);
  proxy.heal();
  await until(() => before.got() === 'one' && during.got() === 'two', 'what was held');
  before.socket.destroy();
  during.socket.destroy();
});

test('a refusing proxy resets what is there and what comes', async () => {
  const before = await connected();
  proxy.refuse();
  await until(() => before.error() === 'ECONNRESET', 'a reset');
  const after = await connected();
  await until(() => after.error() === 'ECONNRESET' || after.socket.destroyed, 'an end');
  await until(() => proxy.connections() === 0, 'no connection');
});

test('a trickle passes a byte at a time', async () => {
  proxy.trickle(5);
  const { socket, got } = await connected();
  const startedAt = performance.now();
  socket.write('0123456789');
  await until(() => got() === '0123456789', 'all of it');
  expect(performance.now() - startedAt).toBeGreaterThan(45);
  socket.destroy();
});

test('when nobody is behind it, a connection is reset', async () => {
  const nobody = await tcpProxy({ target: 1, random: Math.random });
  const socket = createConnection({ host: '127.0.0.1', port: nobody.port });
  let hasEnded = false;
  socket
    .on('error', () => {})
    .on('close', () => {
      hasEnded = true;
    });
  await until(() => hasEnded, 'the end');
  await nobody.close();
});
