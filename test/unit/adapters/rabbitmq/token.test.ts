// The token of a stream against a queue in memory that does what a single active consumer sees: one is served at a time, what
// it has not acknowledged goes to the next, and what no queue takes is returned before it is confirmed.

import { expect, test } from 'bun:test';
import { EventEmitter } from 'node:events';
import type { Channel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { Connection } from '../../../../src/adapters/rabbitmq/connect/connection.ts';
import { type Position, takeToken } from '../../../../src/adapters/rabbitmq/read/token.ts';
import { PipelineError } from '../../../../src/errors.ts';
import { quietLogger } from '../../../support/quiet.ts';
import { until } from '../../../support/until.ts';

type Take = (message: ConsumeMessage | null) => void;

interface Consumer {
  readonly take: Take;
  readonly held: Map<number, Buffer>;
}

function queueInMemory() {
  const waiting: Buffer[] = [];
  const consumers: Consumer[] = [];
  let tags = 0;
  let isThere = true;

  function serve(): void {
    const [active] = consumers;
    if (active === undefined) return;
    for (const content of waiting.splice(0)) {
      active.held.set(++tags, content);
      active.take({ content, fields: { deliveryTag: tags } } as ConsumeMessage);
    }
  }

  /** A connection whose channel ends with `end`. */
  function connect(): { readonly connection: Connection; end(): void } {
    const over = Promise.withResolvers<PipelineError>();
    const events = new EventEmitter();
    const consumer: Consumer = { take: message => take(message), held: new Map() };
    let take: Take = () => {};
    const leave = (): void => {
      const at = consumers.indexOf(consumer);
      if (at >= 0) consumers.splice(at, 1);
      waiting.unshift(...consumer.held.values());
      consumer.held.clear();
      queueMicrotask(serve);
    };
    const channel = Object.assign(events, {
      assertQueue: async () => {},
      checkQueue: async () => {},
      consume: async (_: string, given: Take) => {
        take = given;
        consumers.push(consumer);
        queueMicrotask(serve);
      },
      publish(_: string, __: string, content: Buffer, options: object, done: (failure: unknown) => void) {
        queueMicrotask(() => {
          if (isThere) waiting.push(content);
          else events.emit('return', { content, properties: options });
          done(null);
          serve();
        });
      },
      ack: ({ fields }: ConsumeMessage) => consumer.held.delete(fields.deliveryTag),
    });
    const opened = {
      channel: channel as unknown as ConfirmChannel & Channel,
      over: over.promise,
      close: async () => leave(),
    };
    return {
      connection: { channel: async () => opened, confirmChannel: async () => opened } as unknown as Connection,
      end() {
        leave();
        over.resolve(new PipelineError('log_unavailable', 'gone'));
      },
    };
  }
  return {
    connect,
    put: (content: string) => waiting.push(Buffer.from(content)),
    held: () => [...waiting, ...consumers.flatMap(({ held }) => [...held.values()])].map(String),
    lose: () => {
      isThere = false;
    },
  };
}

const take = (connection: Connection, onWaiting = () => {}) =>
  takeToken(connection, { queue: 'token', settledMs: 30_000, logger: quietLogger, onWaiting });
const at = (next: number, log = 0): Position => ({ log, next, sha1: `of ${next}` });

test('who comes first has it, at nothing; what it stores is what the next begins with', async () => {
  const queue = queueInMemory();
  const [one, other] = [queue.connect(), queue.connect()];
  const first = await take(one.connection);
  expect(first.position).toEqual({ log: 0, next: 0, sha1: '' });
  let isWaiting = false;
  const second = take(other.connection, () => {
    isWaiting = true;
  });
  await until(() => isWaiting, 'the other waits');
  await first.store(at(7));
  await until(() => first.position.next === 7, 'it is back');
  await first.release();
  expect((await second).position).toEqual(at(7));
  await until(() => queue.held().length === 1, 'one token is left');
});

test('of two that a crash has left the further counts, and a stream made anew before any offset of an older', async () => {
  for (const [left, counts] of [
    [[at(3), at(9)], at(9)],
    [[at(9), at(3)], at(9)],
    [[at(900), at(2, 1)], at(2, 1)],
    [[at(2, 1), at(900)], at(2, 1)],
  ] as const) {
    const queue = queueInMemory();
    for (const position of left) queue.put(JSON.stringify(position));
    const token = await take(queue.connect().connection);
    await until(() => Bun.deepEquals(token.position, counts), JSON.stringify(counts));
    await until(() => queue.held().length === 1, 'one token is left');
  }
});

test('what somebody else has put there is as good as nothing', async () => {
  for (const strange of [
    '',
    '{',
    'null',
    '[]',
    '{"log":0,"next":-0.5,"sha1":""}',
    '{"log":"0","next":5,"sha1":""}',
    '\xff',
  ]) {
    const queue = queueInMemory();
    queue.put(strange);
    const token = await take(queue.connect().connection);
    expect(token.position.next).toBe(0);
    await token.store(at(1));
    await until(() => token.position.next === 1, 'it can be stored over');
  }
});

test('what no queue has taken is not stored, though it is confirmed', async () => {
  const queue = queueInMemory();
  const token = await take(queue.connect().connection);
  queue.lose();
  await expect(token.store(at(5))).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(token.position.next).toBe(0);
});

test('a holder that has lost its channel stores nothing, and is told', async () => {
  const queue = queueInMemory();
  const { connection, end } = queue.connect();
  const token = await take(connection);
  end();
  expect(await token.over).toMatchObject({ code: 'log_unavailable' });
});
