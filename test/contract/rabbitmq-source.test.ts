// RabbitMQ as the log a mover reads: the contract over both kinds of queue, and what a stream may do to a position.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { Channel, ChannelModel, ConfirmChannel, Message } from 'amqplib';
import * as topicsOf from '../../src/adapters/rabbitmq/connect/ensure-topics.ts';
import { lookAtRabbitmq } from '../../src/adapters/rabbitmq/connect/look.ts';
import type { QueueKind, RabbitmqSourceOptions } from '../../src/adapters/rabbitmq/connect/options.ts';
import { type RabbitmqSource, rabbitmqSource } from '../../src/adapters/rabbitmq/read/source.ts';
import { tokenQueueOf } from '../../src/adapters/rabbitmq/read/stream.ts';
import type { Batch } from '../../src/ports/source.ts';
import { cutAtFirst } from '../support/cut-at.ts';
import { bytesMax, countOf, linesOf, namesOf, nothingPaused, stamped } from '../support/kafka-source.ts';
import { quietLogger } from '../support/quiet.ts';
import { isWithoutRabbitmq, rabbitmqClient, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { eventually, until } from '../support/until.ts';
import { type SourceFeatures, sourceContract, type Written } from './source.contract.ts';

let rabbitmq: TestRabbitmq;
/** Nobody kills the node just after. */
const ensureTopics: typeof topicsOf.ensureTopics = (options, wanted, shape) =>
  topicsOf.ensureTopics(options, wanted, { settleMs: 0, ...shape });
let client: ChannelModel;
let channel: ConfirmChannel;
let names = 0;
const newName = (): string => `s.${process.pid}.${++names}`;
const opened = new Set<RabbitmqSource>();

function openSource(
  kind: QueueKind,
  group: string,
  topics: readonly string[],
  more: Partial<RabbitmqSourceOptions> = {},
) {
  const source = rabbitmqSource({
    ...{ urls: [rabbitmq.url], kind, group, topics, logger: quietLogger, tickMs: 100 },
    ...more,
  });
  opened.add(source);
  return source;
}

async function newTopics(kind: QueueKind, count: number): Promise<string[]> {
  const topics = Array.from({ length: count }, newName);
  await ensureTopics({ urls: [rabbitmq.url], kind }, topics);
  return topics;
}

/** A queue that a server has not brought up yet takes nothing, and says so by a return alone. */
async function write(topic: string, events: readonly Written[]): Promise<void> {
  let left = events.map(({ body }) => body);
  const taken = async (): Promise<boolean> => {
    const returned: string[] = [];
    const keep = ({ content }: Message): void => void returned.push(content.toString());
    channel.on('return', keep);
    for (const body of left) channel.publish('', topic, Buffer.from(body), { persistent: true, mandatory: true });
    await channel.waitForConfirms();
    channel.off('return', keep);
    left = returned;
    return left.length === 0;
  };
  await eventually(taken, { pauseMs: 500, what: `${topic} takes what is written` });
}

async function connectClient(): Promise<void> {
  client = await rabbitmqClient(rabbitmq.url);
  channel = await client.createConfirmChannel();
  channel.on('error', () => {});
}

async function closeAll(): Promise<void> {
  await Promise.all([...opened].map(source => source.close()));
  opened.clear();
}

async function read(source: RabbitmqSource, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  const signal = AbortSignal.timeout(60_000);
  while (countOf(batches) < count) {
    batches.push(...(await source.poll({ paused: nothingPaused, bytesMax }, signal)));
    if (signal.aborted) throw new Error(`${countOf(batches)} of ${count} records came; ${source.problem()}`);
  }
  return batches;
}

const named = (prefix: string, count: number): Written[] =>
  Array.from({ length: count }, (_, at) => ({ body: stamped(`${prefix}${at}`) }));

const features: Readonly<Record<QueueKind, SourceFeatures>> = {
  stream: {
    orderedPerKey: true,
    positions: { not: 'AMQP does not tell a stream from one that was made anew, and counts from 0, under its name' },
    ownership: true,
    shareOf: 'topics',
    lag: true,
    logIdentity: { not: 'AMQP tells none; a position names the bytes of the record it stands behind' },
  },
  quorum: {
    orderedPerKey: true,
    positions: { not: 'a delivery tag is of one channel' },
    ownership: { not: 'a queue is shared by records, not by parts' },
    lag: true,
    logIdentity: { not: 'without positions there is nothing to be of it' },
    severalReaders: { not: 'a quorum queue passes each record on once' },
  },
};

describe.skipIf(isWithoutRabbitmq('own'))('RabbitMQ, read', () => {
  beforeAll(async () => {
    rabbitmq = await startRabbitmq('own');
    await connectClient();
  });
  afterEach(closeAll);
  afterAll(async () => {
    await client?.close().catch(() => {});
    await rabbitmq?.stopForGood();
  });

  for (const kind of ['stream', 'quorum'] as const)
    sourceContract(`a ${kind} queue of RabbitMQ`, {
      features: features[kind],
      open: async () => {
        const group = newName();
        return {
          topics: count => newTopics(kind, count),
          write,
          open: (reader, topics) => openSource(kind, `${group}-${reader}`, topics),
          dispose: closeAll,
        };
      },
    });

  test('a stream made anew under its name is read from its start, though it is shorter than what was passed', async () => {
    const [topic] = (await newTopics('stream', 1)) as [string];
    await write(topic, named('old', 20));
    const group = newName();
    const first = openSource('stream', group, [topic]);
    for (const { ack } of await read(first, 20)) await first.commit(ack);
    await first.close();
    await channel.deleteQueue(topic);
    await ensureTopics({ urls: [rabbitmq.url], kind: 'stream' }, [topic]);
    await write(topic, named('new', 3));
    const replaced: string[] = [];
    const second = openSource('stream', group, [topic], { onReplaced: each => replaced.push(each) });
    const batches = await read(second, 3);
    expect(namesOf(batches)).toEqual(['new0', 'new1', 'new2']);
    expect(replaced).toEqual([topic]);
    for (const { ack } of batches) await second.commit(ack);
    await second.close();
    await write(topic, named('later', 1));
    expect(namesOf(await read(openSource('stream', group, [topic]), 1))).toEqual(['later0']);
  });

  for (const kind of ['stream', 'quorum'] as const) {
    test(`what others wrote to a ${kind} queue comes byte for byte: lines without a stamp, lines in one, nothing`, async () => {
      const [topic] = (await newTopics(kind, 1)) as [string];
      await write(topic, [{ body: '{"a":1}' }, { body: '{"a":1,\n"b":2}\n' }, { body: '' }, ...named('e', 1)]);
      const batches = await read(openSource(kind, newName(), [topic]), 4);
      const seen = batches.map(({ type, form, ndjson }) => [type, form, Buffer.from(ndjson).toString()] as const);
      expect(seen.slice(0, 3)).toEqual([
        [null, undefined, '{"a":1}\n'],
        [null, 'raw', '{"a":1,\n"b":2}\n'],
        [null, undefined, '\n'],
      ]);
      expect(batches.slice(3).flatMap(linesOf)).toHaveLength(1);
    });
  }

  test('of two movers that share streams the one that is killed is followed by the other, from what was committed', async () => {
    const topics = await newTopics('stream', 4);
    const group = newName();
    const [one, other] = [openSource('stream', group, topics), openSource('stream', group, topics)];
    const had = async (source: RabbitmqSource) => {
      await source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(50));
      return source.lag().size;
    };
    await until(async () => (await had(one)) === 2 && (await had(other)) === 2, 'each has two');
    for (const topic of topics) await write(topic, named(`${topic}-`, 2));
    await one.close();
    await until(() => other.lag().size === 4, 'one has all');
    expect(new Set(namesOf(await read(other, 8))).size).toBe(8);
  });

  test('read again from a time or from an offset, in a group of its own', async () => {
    const [topic] = (await newTopics('stream', 1)) as [string];
    await write(topic, named('e', 5));
    const at = openSource('stream', newName(), [topic], { from: { offsets: new Map([[`${topic}/0`, 3]]) } });
    expect(namesOf(await read(at, 2))).toEqual(['e3', 'e4']);
    const since = openSource('stream', newName(), [topic], { from: { atMs: Date.now() - 3_600_000 } });
    expect(namesOf(await read(since, 5))).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
  });

  describe('a connection that ends as a channel is closed, which nobody answers any more', () => {
    /** The method frame Channel.Close, behind its channel and size. */
    const channelClose = Buffer.from([0, 20, 0, 40]);
    const throughCut = async <T>(use: (urls: readonly string[]) => Promise<T>): Promise<T> => {
      const relay = await cutAtFirst(rabbitmq.port, channelClose);
      const done = await use([`amqp://guest:guest@127.0.0.1:${relay.port}`]);
      expect(relay.cuts()).toBe(1);
      await relay.close();
      return done;
    };

    test('is followed by another, on which the stream is read', async () => {
      const [topic, group] = [...(await newTopics('stream', 1)), newName()] as [string, string];
      await write(topic, named('e', 2));
      const first = openSource('stream', group, [topic]);
      await read(first, 2);
      await first.close();
      // Whether the queue of the position is there is asked on a channel of its own, the first that is closed.
      await throughCut(async urls => {
        const second = openSource('stream', group, [topic], { urls });
        expect(namesOf(await read(second, 2))).toEqual(['e0', 'e1']);
        await second.close();
      });
    });

    test('is told by who looks for queues', async () => {
      const topics = await newTopics('stream', 2);
      for (const asked of [ensureTopics, lookAtRabbitmq] as const)
        await throughCut(async urls => {
          const said = await asked({ urls, kind: 'stream' }, topics).catch((error: unknown) => error);
          expect(said).toMatchObject({ code: 'log_unavailable' });
        });
    });
  });

  async function settledTopic(): Promise<string> {
    const topic = newName();
    await topicsOf.ensureTopics({ urls: [rabbitmq.url], kind: 'stream' }, [topic]);
    return topic;
  }

  async function isThere(ask: (asking: Channel) => PromiseLike<unknown>): Promise<boolean> {
    const asking = await client.createChannel();
    asking.on('error', () => {}); // it is not there yet
    return Promise.resolve(ask(asking)).then(
      () => true,
      () => false,
    );
  }

  describe('a node that is killed just after the queue of a position was made comes back to one that is read', () => {
    async function killedAfter(group: string, topic: string): Promise<RabbitmqSource> {
      const source = openSource('stream', group, [topic]);
      const queue = tokenQueueOf(group, topic);
      await until(() => isThere(asking => asking.checkQueue(queue)), 'the queue of its position');
      await rabbitmq.kill();
      return source;
    }

    async function isReadBy(source: RabbitmqSource, topic: string): Promise<void> {
      await connectClient();
      await write(topic, named('e', 2));
      expect(namesOf(await read(source, 2))).toEqual(['e0', 'e1']);
    }

    test('by who made it', async () => {
      const topic = await settledTopic();
      const source = await killedAfter(newName(), topic);
      await rabbitmq.restart();
      await isReadBy(source, topic);
    });

    test('by another, as who made it was killed with it', async () => {
      const topic = await settledTopic();
      const group = newName();
      const source = await killedAfter(group, topic);
      await source.close();
      await rabbitmq.restart();
      await isReadBy(openSource('stream', group, [topic]), topic);
    });

    test('and is marked once it has settled, anew where it was made anew', async () => {
      const topic = await settledTopic();
      const group = newName();
      const queue = tokenQueueOf(group, topic);
      const isMarked = () => isThere(asking => asking.checkExchange(queue));
      const hasted = openSource('stream', group, [topic], { settledMs: 0 });
      await until(isMarked, 'the mark');
      await hasted.close();
      await (await client.createChannel()).deleteQueue(queue);
      await isReadBy(openSource('stream', group, [topic]), topic);
      expect(await isMarked()).toBe(false);
    });
  });

  test('a settled queue of a position whose nodes are away is waited for, and says how far it came', async () => {
    const topic = await settledTopic();
    const group = newName();
    const queue = tokenQueueOf(group, topic);
    await write(topic, named('e', 4));
    const first = openSource('stream', group, [topic], { settledMs: 0 });
    await until(() => isThere(asking => asking.checkExchange(queue)), 'the mark');
    const [batch] = await read(first, 4);
    await first.commit(batch!.ack);
    await first.close();
    // It is silent as one without a leader is.
    expect(await rabbitmq.control('eval', `sys:suspend('%2F_${queue}').`)).toContain('ok');
    const next = openSource('stream', group, [topic]);
    await until(() => /has no leader/.test(next.problem() ?? ''), 'it says so');
    expect(await rabbitmq.control('eval', `sys:resume('%2F_${queue}').`)).toContain('ok');
    await write(topic, named('f', 2));
    expect(namesOf(await read(next, 2))).toEqual(['f0', 'f1']);
  });
});
