// What .ci/patches changes in kafkajs, shown on the library as published and as installed. On a real connection:
// test/contract/kafka.test.ts.

import { expect, test } from 'bun:test';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { kafkajsAsPublished, timersSetIn } from '../../../support/kafkajs-as-published.ts';
import { until } from '../../../support/until.ts';

const installed = dirname(require.resolve('kafkajs/package.json'));
const published = kafkajsAsPublished();

interface RequestQueue {
  push(request: object): void;
  fulfillRequest(answer: object): void;
  destroy(): void;
}

/** A queue that has had one request and its answer, and has nothing to do. */
function idleQueue(kafkajs: string): RequestQueue {
  const Queue = require(join(kafkajs, 'src/network/requestQueue')) as new (options: object) => RequestQueue;
  const queue = new Queue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    clientId: 'test',
    broker: 'test',
    logger: { debug() {}, error() {}, warn() {} },
  });
  const entry = { apiKey: 0, apiName: 'Produce', apiVersion: 7, correlationId: 1, resolve() {}, reject() {} };
  queue.push({ entry, expectResponse: true, requestTimeout: null, sendRequest() {} });
  queue.fulfillRequest({ correlationId: 1, payload: {}, size: 0 });
  return queue;
}

test('an idle queue sets no timer; as published it sets them for ever', async () => {
  const theirs = idleQueue(published);
  // How many there are in a given time is for the machine to say.
  await until(async () => (await timersSetIn(300)) > 5, 'timers of the library as published');
  theirs.destroy();
  const ours = idleQueue(installed);
  expect(await timersSetIn(300)).toBe(0);
  ours.destroy();
});

interface Connecting {
  readonly socket: Socket | null;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

function connectionTo(kafkajs: string, port: number): Connecting {
  const Connection = require(join(kafkajs, 'src/network/connection')) as new (options: object) => Connecting;
  const socketFactory = (require(join(kafkajs, 'src/network/socketFactory')) as () => unknown)();
  const quiet = { debug() {}, error() {}, warn() {} };
  const logger = { ...quiet, namespace: () => quiet };
  const times = { connectionTimeout: 5_000, requestTimeout: 5_000 };
  return new Connection({ host: '127.0.0.1', port, logger, socketFactory, ...times });
}

async function listening(onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  return { port, close: () => new Promise(resolve => server.close(resolve)) };
}

/** Sockets that are made when so many ask for a connection at once. */
async function socketsOf(kafkajs: string, askers: number): Promise<number> {
  const sockets = new Set<Socket>();
  const { port, close } = await listening(socket => void sockets.add(socket));
  const connection = connectionTo(kafkajs, port);
  await Promise.all(Array.from({ length: askers }, () => connection.connect()));
  await until(() => sockets.size > 0, 'the server has heard of it');
  await Bun.sleep(50); // for those that must not come
  await connection.disconnect();
  for (const socket of sockets) socket.destroy();
  await close();
  return sockets.size;
}

test('one socket is made for however many ask at once; as published each makes one', async () => {
  expect(await socketsOf(published, 12)).toBe(12);
  expect(await socketsOf(installed, 12)).toBe(1);
});

test('what never connected and is ended again and again gathers no listeners; as published one each time', async () => {
  const { port, close } = await listening(() => {});
  await close();
  const listeners: Record<string, number> = {};
  for (const [name, kafkajs] of Object.entries({ published, installed })) {
    const connection = connectionTo(kafkajs, port);
    const connecting = connection.connect().catch(() => {});
    const { socket } = connection;
    await connecting;
    for (let times = 0; times < 8; times++) await connection.disconnect();
    listeners[name] = socket!.listenerCount('connect');
  }
  expect(listeners.published).toBeGreaterThan(8);
  expect(listeners.installed).toBeLessThan(5); // those of making and ending it, once
});
