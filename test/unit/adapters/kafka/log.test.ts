// What the log says of itself without a broker: nobody listens on the port it is given. With one: test/contract/kafka.test.ts.

import { expect, test } from 'bun:test';
import { createServer, type Server, type Socket } from 'node:net';
import type { KafkaLogOptions } from '../../../../src/adapters/kafka/connect/options.ts';
import { kafkaLog } from '../../../../src/adapters/kafka/write/log.ts';
import type { Log } from '../../../../src/ports/log.ts';
import { envelope, envelopes } from '../../../support/buffer.ts';
import { until } from '../../../support/until.ts';

async function listening(onConnection: (socket: Socket) => void): Promise<{ server: Server; address: string }> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  return { server, address: `127.0.0.1:${(server.address() as { port: number }).port}` };
}

/** An address at which nobody listens any more. */
async function nowhere(): Promise<string> {
  const { server, address } = await listening(() => {});
  await new Promise(resolve => server.close(resolve));
  return address;
}

const logTo = (address: string, more: Partial<KafkaLogOptions> = {}): Log =>
  kafkaLog({ brokers: [address], clientId: 'ugc', requestTimeoutMs: 200, connectionTimeoutMs: 200, ...more });
const codes = (outcomes: Awaited<ReturnType<Log['publish']>>): string[] =>
  outcomes.map(outcome => (outcome.ok ? outcome.stored : outcome.error.code));
const messages = (outcomes: Awaited<ReturnType<Log['publish']>>): string[] =>
  outcomes.map(outcome => (outcome.ok ? '' : outcome.error.message));

test('nothing published has no outcomes', async () => {
  const log = logTo(await nowhere());
  expect(await log.publish([])).toEqual([]);
  await log.close();
});

test('where nobody listens nothing was sent: every envelope has that outcome, with the address, and soon', async () => {
  const address = await nowhere();
  const log = logTo(address);
  const outcomes = await log.publish([...envelopes(3), ...envelopes(2, 'page_view')]);
  expect(codes(outcomes)).toEqual(Array(5).fill('log_unavailable'));
  for (const message of messages(outcomes)) expect(message).toContain(address);
  await log.close();
});

test('who accepts and says nothing is given up after the timeout, with nothing sent', async () => {
  const sockets = new Set<Socket>();
  const { server, address } = await listening(socket => void sockets.add(socket));
  const log = logTo(address);
  expect(codes(await log.publish(envelopes(2)))).toEqual(['log_unavailable', 'log_unavailable']);
  await log.close();
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => server.close(resolve));
});

test('the queue is bounded: what is over it is refused at once, and there is room again once it has emptied', async () => {
  const sockets = new Set<Socket>();
  const { server, address } = await listening(socket => void sockets.add(socket));
  const log = logTo(address, { queueBytesMax: 200 });
  const first = log.publish([envelope('first')]);
  expect(codes(await log.publish([envelope('x'.repeat(300))]))).toEqual(['log_unavailable']);
  expect(messages(await log.publish([envelope('x'.repeat(300))]))[0]).toContain('bytes already wait for Kafka');
  await until(() => sockets.size > 0, 'it hears from somebody');
  await first;
  // Larger than the whole queue, but alone.
  expect(messages(await log.publish([envelope('x'.repeat(300))]))[0]).not.toContain('already wait');
  await log.close();
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => server.close(resolve));
});

test('after close nothing is taken, what was published before has its outcome, and close may be said twice', async () => {
  const log = logTo(await nowhere());
  const before = log.publish([envelope('before')]);
  const closed = log.close();
  expect(codes(await log.publish([envelope('after')]))).toEqual(['shutting_down']);
  expect(codes(await before)).toEqual(['log_unavailable']);
  await closed;
  await log.close();
});

test('an IPv6 address in brackets is connected to', async () => {
  const sockets = new Set<Socket>();
  const server = createServer(socket => void sockets.add(socket)).listen(0, '::1');
  await new Promise(resolve => server.once('listening', resolve));
  const log = logTo(`[::1]:${(server.address() as { port: number }).port}`);
  const published = log.publish(envelopes(1));
  await until(() => sockets.size > 0, 'it hears from somebody');
  expect(codes(await published)).toEqual(['log_unavailable']); // it says nothing
  await log.close();
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => server.close(resolve));
});
