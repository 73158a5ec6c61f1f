// RabbitMQ as the log the edge writes to: the contract, and what its server may say.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { connect } from 'amqplib';
import * as topicsOf from '../../src/adapters/rabbitmq/connect/ensure-topics.ts';
import type { QueueKind, RabbitmqLogOptions } from '../../src/adapters/rabbitmq/connect/options.ts';
import { rabbitmqLog } from '../../src/adapters/rabbitmq/write/log.ts';
import type { Envelope, Outcome } from '../../src/ports/log.ts';
import { envelope, envelopes, idOf } from '../support/buffer.ts';
import { isWithoutRabbitmq, rabbitmqClient, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { logContract } from './log.contract.ts';

let rabbitmq: TestRabbitmq;
/** Nobody kills the node just after. */
const ensureTopics: typeof topicsOf.ensureTopics = (options, wanted, shape) =>
  topicsOf.ensureTopics(options, wanted, { settleMs: 0, ...shape });
let topics = 0;
const newTopic = (): string => `t.${process.pid}.${++topics}`;
const optionsOf = (kind: QueueKind, more: Partial<RabbitmqLogOptions> = {}): RabbitmqLogOptions => ({
  urls: [rabbitmq.url],
  kind,
  ...more,
});
const on = (topic: string, list: readonly Envelope[]): Envelope[] => list.map(each => ({ ...each, topic }));
const codes = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map(outcome => (outcome.ok ? outcome.stored : outcome.error.code));

/** Bodies of a queue of either kind, by a plain consumer. */
async function readQueue(topic: string, count: number, kind: QueueKind = 'stream'): Promise<string[]> {
  const model = await rabbitmqClient(rabbitmq.url);
  const channel = await model.createChannel();
  await channel.prefetch(1_000);
  const bodies: string[] = [];
  const take = (message: { content: Buffer } | null): void => void bodies.push(message!.content.toString());
  await channel.consume(topic, take, kind === 'stream' ? { arguments: { 'x-stream-offset': 'first' } } : {});
  await until(() => bodies.length >= count, `${count} records of ${topic}`);
  await model.close();
  return bodies;
}

describe.skipIf(isWithoutRabbitmq('own'))('RabbitMQ, written to', () => {
  beforeAll(async () => {
    rabbitmq = await startRabbitmq('own');
  });
  afterAll(() => rabbitmq?.stopForGood());

  for (const kind of ['stream', 'quorum'] as const) {
    logContract(`a ${kind} queue of RabbitMQ`, async () => {
      const prefix = `${newTopic()}.`;
      const names = ['ugc.click', 'ugc.page_view'].map(name => prefix + name);
      await ensureTopics(optionsOf(kind), names);
      const log = rabbitmqLog(optionsOf(kind));
      return {
        log: {
          publish: list => log.publish(list.map(each => ({ ...each, topic: prefix + each.topic }))),
          close: () => log.close(),
        },
        stored: 'rabbitmq',
        readBack: async () =>
          [...(await readQueue(names[0]!, 3, kind)), ...(await readQueue(names[1]!, 2, kind))].map(idOf),
        dispose: () => log.close(),
      };
    });

    test(`a thousand at once are each confirmed by a ${kind} queue, and lie there byte for byte`, async () => {
      const topic = newTopic();
      await ensureTopics(optionsOf(kind), [topic]);
      const log = rabbitmqLog(optionsOf(kind));
      const written = on(topic, [...envelopes(999), envelope('big', 'click', 'ы'.repeat(400_000))]);
      const outcomes = await Promise.all(written.map(each => log.publish([each])));
      expect(new Set(codes(outcomes.flat()))).toEqual(new Set(['rabbitmq']));
      expect((await readQueue(topic, 1_000, kind)).toSorted()).toEqual(written.map(({ body }) => body).toSorted());
      await log.close();
    });
  }

  test('a record that no queue takes is not stored, and those beside it are', async () => {
    const topic = newTopic();
    await ensureTopics(optionsOf('stream'), [topic]);
    const log = rabbitmqLog(optionsOf('stream'));
    const list = [...on(topic, envelopes(2)), envelope('e0'), ...on(topic, [envelope('e3')])];
    expect(codes(await log.publish(list))).toEqual(['rabbitmq', 'rabbitmq', 'log_halted', 'rabbitmq']);
    await log.close();
  });

  test('queues are made once, kept as they are, and refused when they are of another kind or may not be made', async () => {
    const [one, other] = [newTopic(), newTopic()];
    const shape = { retentionHours: 168, retentionBytes: 2 ** 30 };
    expect(await ensureTopics(optionsOf('stream'), [one], shape)).toEqual([one]);
    expect(await ensureTopics(optionsOf('stream'), [one], { ...shape, retentionHours: 24 })).toEqual([]);
    await expect(ensureTopics(optionsOf('quorum'), [one])).rejects.toMatchObject({ code: 'log_halted' });
    const quorum = newTopic();
    const plain = newTopic();
    const model = await rabbitmqClient(rabbitmq.url);
    const channel = await model.createChannel();
    await channel.assertQueue(plain, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await model.close();
    expect(await ensureTopics(optionsOf('quorum'), [quorum, plain])).toEqual([quorum]);
    expect(await ensureTopics(optionsOf('quorum'), [quorum, plain])).toEqual([]);
    await expect(ensureTopics(optionsOf('stream'), [quorum])).rejects.toMatchObject({ code: 'log_halted' });
    const refused = ensureTopics(optionsOf('stream'), [one, other], { ...shape, create: false });
    await expect(refused).rejects.toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining(`rabbitmqadmin declare queue name=${other} durable=true`),
    });
  });

  test('a queue that has just been made is not written to until it has settled, others are', async () => {
    const [old, made] = [newTopic(), newTopic()];
    await ensureTopics(optionsOf('stream'), [old]);
    const settling = new Set<string>();
    const log = rabbitmqLog(optionsOf('stream', { settling }));
    const making = ensureTopics(optionsOf('stream'), [old, made], { settling, settleMs: 500 });
    await until(() => settling.has(made), 'it is made');
    expect(codes(await log.publish([...on(made, envelopes(1)), ...on(old, envelopes(1))]))).toEqual([
      'log_unavailable',
      'rabbitmq',
    ]);
    expect(await making).toEqual([made]);
    expect(codes(await log.publish(on(made, envelopes(1))))).toEqual(['rabbitmq']);
    await log.close();
  });

  test('a wrong password and a wrong vhost need an operator, nobody there does not', async () => {
    const at = (path: string) => rabbitmqLog(optionsOf('stream', { urls: [path] }));
    const { port } = rabbitmq;
    for (const [url, code] of [
      [`amqp://guest:wrong@127.0.0.1:${port}`, 'log_halted'],
      [`amqp://guest:guest@127.0.0.1:${port}/nowhere`, 'log_halted'],
      ['amqp://guest:guest@127.0.0.1:1', 'log_unavailable'],
    ] as const) {
      const log = at(url);
      expect([url, ...codes(await log.publish([envelope('a')]))]).toEqual([url, code]);
      await log.close();
    }
  });

  test('of several nodes one that answers is enough', async () => {
    const topic = newTopic();
    const options = optionsOf('stream', { urls: ['amqp://127.0.0.1:1', rabbitmq.url] });
    await ensureTopics(options, [topic]);
    const log = rabbitmqLog(options);
    expect(codes(await log.publish(on(topic, envelopes(1))))).toEqual(['rabbitmq']);
    await log.close();
  });

  test('a server that hangs leaves an unknown outcome, and is written to again once it answers', async () => {
    const topic = newTopic();
    await ensureTopics(optionsOf('quorum'), [topic]);
    const log = rabbitmqLog(optionsOf('quorum', { requestTimeoutMs: 2_000 }));
    expect(codes(await log.publish(on(topic, envelopes(1))))).toEqual(['rabbitmq']);
    rabbitmq.stop();
    try {
      expect(codes(await log.publish(on(topic, envelopes(2))))).toEqual(['log_unknown', 'log_unknown']);
      expect(codes(await log.publish(on(topic, envelopes(1))))).toEqual(['log_unavailable']);
    } finally {
      rabbitmq.cont();
    }
    await until(async () => codes(await log.publish(on(topic, envelopes(1))))[0] === 'rabbitmq', 'it is taken again');
    await log.close();
  });

  test('a connection that is cut leaves what was under way unknown, and nothing waits', async () => {
    const topic = newTopic();
    const proxy = await tcpProxy({ target: rabbitmq.port, random: Math.random });
    const options = optionsOf('stream', { urls: [`amqp://guest:guest@127.0.0.1:${proxy.port}`] });
    await ensureTopics(options, [topic]);
    const log = rabbitmqLog(options);
    expect(codes(await log.publish(on(topic, envelopes(1))))).toEqual(['rabbitmq']);
    proxy.hang();
    const answer = log.publish(on(topic, envelopes(3)));
    proxy.cut();
    expect(codes(await answer)).toEqual(Array(3).fill('log_unknown'));
    proxy.heal();
    await until(async () => codes(await log.publish(on(topic, envelopes(1))))[0] === 'rabbitmq', 'it is taken again');
    await log.close();
    await proxy.close();
  });

  test('a node that goes as it lets us in, in time or too late, is away, and nothing else', async () => {
    let waitMs = 0;
    const openOk = Buffer.from([0, 10, 0, 41]);
    const server = createServer(client => {
      const node = connectTcp(rabbitmq.port, '127.0.0.1');
      client.pipe(node);
      node.on('data', (data: Buffer) => {
        if (data.includes(openOk)) setTimeout(() => client.end(data), waitMs);
        else client.write(data);
      });
      for (const socket of [client, node]) socket.on('error', () => {});
      client.on('close', () => node.destroy());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const urls = [`amqp://guest:guest@127.0.0.1:${port}`];
    const log = rabbitmqLog(optionsOf('stream', { urls, connectTimeoutMs: 100 }));
    for (let round = 0; round < 20; round++) {
      waitMs = (round % 2) * 150;
      const [said] = codes(await log.publish([envelope(`${round}`)]));
      expect(['log_unavailable', 'log_unknown']).toContain(said!);
    }
    await Bun.sleep(waitMs); // the last of them comes after its answer
    await log.close();
    server.close();
  });

  test('an alarm of memory is told in the server’s words, and over when it is', async () => {
    const topic = newTopic();
    await ensureTopics(optionsOf('stream'), [topic]);
    const log = rabbitmqLog(optionsOf('stream', { requestTimeoutMs: 1_000 }));
    await rabbitmq.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    let said = '';
    await until(async () => {
      const [outcome] = await log.publish(on(topic, envelopes(1)));
      if (outcome?.ok === false) said = outcome.error.message;
      return /memory/.test(said);
    }, 'the alarm is told');
    await rabbitmq.control('set_vm_memory_high_watermark', '0.6');
    await until(async () => codes(await log.publish(on(topic, envelopes(1))))[0] === 'rabbitmq', 'it is taken again');
    await log.close();
  });

  test('what amqplib is told of itself holds: a channel that the server ends says why', async () => {
    const model = await connect(rabbitmq.url);
    const channel = await model.createChannel();
    channel.on('error', () => {});
    const thrown = await channel.checkQueue('nowhere').then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ code: 404 });
    await model.close();
  });
});
