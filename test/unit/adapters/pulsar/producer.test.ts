// A producer against a server that is no Pulsar and answers as a test likes: what counts as an ack, and what becomes of the rest.

import { afterEach, expect, test } from 'bun:test';
import type { Admin } from '../../../../src/adapters/pulsar/connect/admin.ts';
import { pulsarDefaults } from '../../../../src/adapters/pulsar/connect/options.ts';
import { pulsarLog } from '../../../../src/adapters/pulsar/write/log.ts';
import { pulsarProducer } from '../../../../src/adapters/pulsar/write/producer.ts';
import type { PipelineError } from '../../../../src/errors.ts';
import type { Envelope, Log } from '../../../../src/ports/log.ts';
import { envelope } from '../../../support/buffer.ts';
import { until } from '../../../support/until.ts';

type Frame = Readonly<Record<string, unknown>>;

interface Fake {
  readonly log: Log;
  readonly frames: Frame[];
  connections(): number;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** `answer` of each message; undefined = none. `subscriptions` of every topic; null = there is no topic. */
function fake(
  answer: (frame: Frame, close: () => void) => unknown,
  { subscriptions = ['etl'] as string[] | null, requestTimeoutMs = 20_000, frameBytesMax = 2 ** 20 } = {},
): Fake {
  const frames: Frame[] = [];
  let connections = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, serving) {
      if (request.headers.get('upgrade') === 'websocket' && serving.upgrade(request)) return;
      return subscriptions === null ? new Response('{}', { status: 404 }) : Response.json(subscriptions);
    },
    websocket: {
      open() {
        connections++;
      },
      message(socket, text) {
        const frame = JSON.parse(String(text)) as Frame;
        frames.push(frame);
        const said = answer(frame, () => socket.terminate());
        if (said !== undefined) socket.send(JSON.stringify(said));
      },
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const log = pulsarLog({ url, namespace: 'a/b', requestTimeoutMs, frameBytesMax });
  ends.push(
    () => server.stop(true),
    () => log.close(),
  );
  return { log, frames, connections: () => connections };
}

const ok = ({ context }: Frame) => ({ result: 'ok', messageId: 'CAE=', context });
const codesOf = async (log: Log, list: readonly Envelope[]): Promise<string[]> =>
  (await log.publish(list)).map(outcome => (outcome.ok ? outcome.stored : outcome.error.code));

test('a record is its bytes, its key, and what others may want to know without reading it', async () => {
  const { log, frames } = fake(ok);
  const one = { ...envelope('ключ "\n'), version: 3 };
  expect(await codesOf(log, [one, { ...envelope('b'), key: null }])).toEqual(['pulsar', 'pulsar']);
  expect(frames[0]).toMatchObject({
    key: one.key!,
    properties: { event_type: 'click', schema_version: '3', received_at_ms: '1795000000000' },
  });
  expect(Buffer.from(String(frames[0]!.payload), 'base64').toString()).toBe(one.body);
  expect(frames[1]).not.toHaveProperty('key');
  expect(frames[1]!.properties).not.toHaveProperty('schema_version');
});

test('ok without a message id is no ack, and each refusal means what it says', async () => {
  const said: Record<string, object> = {
    a: { result: 'ok' },
    b: { result: 'ok', messageId: '' },
    c: { result: 'send-error:3', errorMsg: 'Producer send queue is full' },
    d: { result: 'send-error:3', errorMsg: 'message size 9 exceeds the maximum' },
    e: { result: 'send-error:3', errorMsg: 'Topic was terminated' },
    f: { result: 'send-error:3', errorMsg: 'Timeout' },
  };
  const { log } = fake(frame => {
    const { event_id: id } = JSON.parse(Buffer.from(String(frame.payload), 'base64').toString());
    return { ...said[id], context: frame.context };
  });
  expect(
    await codesOf(
      log,
      Object.keys(said).map(id => envelope(id)),
    ),
  ).toEqual([...['log_unknown', 'log_unknown', 'log_unavailable', 'log_refused', 'log_halted', 'log_unknown']]);
});

test('what was sent on a connection that ends is unknown, and the next goes by another one', async () => {
  let isCutting = true;
  const { log, connections } = fake((frame, close) => (isCutting ? close() : ok(frame)));
  expect(await codesOf(log, [envelope('a')])).toEqual(['log_unknown']);
  isCutting = false;
  expect(await codesOf(log, [envelope('b')])).toEqual(['pulsar']);
  expect(connections()).toBe(2);
});

test('a server that does not answer is given up in time, and with it what waits behind', async () => {
  const { log, frames } = fake(() => undefined, { requestTimeoutMs: 300 });
  const codes = await codesOf(
    log,
    Array.from({ length: 600 }, (_, at) => envelope(`e${at}`)),
  );
  expect(frames.length).toBe(500); // half of what the server's queue holds
  expect(codes.filter(code => code === 'log_unknown').length).toBe(500);
  expect(codes.filter(code => code === 'log_unavailable').length).toBe(100);
});

test('an opening that was given up opens no connection beside the next one', async () => {
  let connections = 0;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, serving) => (serving.upgrade(request) ? undefined : new Response('', { status: 404 })),
    websocket: {
      open: () => void connections++,
      message: (socket, text) => void socket.send(JSON.stringify(ok(JSON.parse(String(text))))),
    },
  });
  ends.push(() => server.stop(true));
  const asked: PromiseWithResolvers<readonly string[]>[] = [];
  const admin = {
    subscriptions() {
      asked.push(Promise.withResolvers());
      return asked.at(-1)!.promise;
    },
  } as unknown as Admin;
  const url = `http://127.0.0.1:${server.port}`;
  const producer = pulsarProducer({ ...pulsarDefaults, url, namespace: 'a/b', requestTimeoutMs: 500 }, admin, 't');
  ends.push(() => producer.close());
  const added = (id: string) =>
    new Promise<PipelineError | null>(settle => producer.add({ envelope: envelope(id), settle }));
  expect((await added('a'))?.code).toBe('log_unavailable');
  const second = added('b');
  await until(() => asked.length === 2, 'the second question');
  for (const { resolve } of asked) resolve(['etl']);
  expect(await second).toBeNull();
  expect(connections).toBe(1);
});

test('answers may come in any order, late, twice and for nobody', async () => {
  const held: Frame[] = [];
  let socketAnswer: ((frames: Frame[]) => void) | null = null;
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, serving) => (serving.upgrade(request) ? undefined : Response.json(['etl'])),
    websocket: {
      message(socket, text) {
        held.push(JSON.parse(String(text)));
        socketAnswer = frames => {
          for (const frame of frames) socket.send(JSON.stringify(ok(frame)));
        };
      },
    },
  });
  const log = pulsarLog({ url: `http://127.0.0.1:${server.port}`, namespace: 'a/b' });
  const published = log.publish([envelope('a'), envelope('b'), envelope('c')]);
  await until(() => held.length === 3, 'three messages');
  socketAnswer!([{ context: '99' }, held[2]!, held[2]!, held[0]!, held[1]!]);
  expect((await published).map(({ ok: isOk }) => isOk)).toEqual([true, true, true]);
  await log.close();
  await server.stop(true);
});

test('a topic that is not there, or that keeps nothing, is not written to', async () => {
  for (const subscriptions of [null, []]) {
    const { log, frames } = fake(ok, { subscriptions });
    expect(await codesOf(log, [envelope('a')])).toEqual(['log_halted']);
    expect(frames).toEqual([]);
  }
});

test('what is longer than a frame may be is refused for good, and ends nobody’s connection', async () => {
  const { log, connections } = fake(ok, { frameBytesMax: 70_000 });
  expect(await codesOf(log, [envelope('a'), envelope('b', 'click', 'x'.repeat(60_000)), envelope('c')])).toEqual([
    ...['pulsar', 'log_refused', 'pulsar'],
  ]);
  expect(connections()).toBe(1);
});
