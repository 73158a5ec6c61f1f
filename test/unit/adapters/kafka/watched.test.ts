import { expect, test } from 'bun:test';
import type { LogIdentity } from '../../../../src/adapters/kafka/connect/identity.ts';
import { isSameLog, markOf, readMark, withIdOf } from '../../../../src/adapters/kafka/connect/identity.ts';
import type { KnownTopic } from '../../../../src/adapters/kafka/connect/topics.ts';
import { watchedTopics } from '../../../../src/adapters/kafka/read/watched.ts';
import { troublesOf } from '../../../../src/process/troubles.ts';
import { quietLogger } from '../../../support/quiet.ts';

const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

const one: LogIdentity = { topicId: 'one', clusterId: 'c' };
const other: LogIdentity = { topicId: 'other', clusterId: 'c' };
const gone = 'gone';

/** What is made of a topic that is each of these in turn: how often it was replaced, and how it was counted at last. */
async function seeing(logs: readonly (LogIdentity | typeof gone)[]) {
  let replaced = 0;
  let now: LogIdentity | typeof gone = gone;
  const watched = watchedTopics({
    address: 'fake:9092',
    topics: {
      known: () => undefined,
      doubt: () => {},
      refresh: () => {},
      doubtLeader: () => {},
      load: async (topic): Promise<KnownTopic> => {
        if (now === gone) throw createErrorFromCode(3);
        return { topic, leaders: [1, 1], epochs: [0, 0], log: now };
      },
    },
    troubles: troublesOf({ name: 'kafka', title: 'Kafka', logger: quietLogger }),
    logger: quietLogger,
    onReplaced: () => void replaced++,
  });
  let counted: number | undefined;
  for (const log of logs) {
    now = log;
    counted = await watched.look('t');
  }
  return { replaced, counted };
}

test('a topic with another id is another log, and with the same id the same, away in between or not', async () => {
  expect(await seeing([one, one, other])).toEqual({ replaced: 1, counted: 2 });
  expect(await seeing([one, gone, other])).toEqual({ replaced: 1, counted: 2 });
  expect(await seeing([one, gone, one])).toEqual({ replaced: 0, counted: 2 });
  expect(await seeing([gone, one])).toEqual({ replaced: 0, counted: 2 });
});

test('a broker that lags behind and still tells of the log that is gone is not believed', async () => {
  expect(await seeing([one, other, one])).toEqual({ replaced: 1, counted: undefined });
  expect(await seeing([one, other, one, other])).toEqual({ replaced: 1, counted: 2 });
});

test('another cluster is another log, and so is the first one when it is back', async () => {
  const elsewhere = { topicId: 'elsewhere', clusterId: 'd' };
  expect(await seeing([one, elsewhere])).toEqual({ replaced: 1, counted: 2 });
  expect(await seeing([one, elsewhere, one])).toEqual({ replaced: 2, counted: 2 });
});

test('where brokers tell no ids, the cluster and having been away tell', async () => {
  const unnamed = { topicId: null, clusterId: 'c' };
  expect(await seeing([unnamed, unnamed])).toEqual({ replaced: 0, counted: 2 });
  expect(await seeing([unnamed, gone, unnamed])).toEqual({ replaced: 1, counted: 2 });
  expect(await seeing([unnamed, { topicId: null, clusterId: 'd' }])).toEqual({ replaced: 1, counted: 2 });
});

test('an upgrade of the brokers, some of which tell ids and some not yet, replaces nothing', async () => {
  const unnamed = { topicId: null, clusterId: 'c' };
  expect(await seeing([unnamed, one, unnamed, one])).toEqual({ replaced: 0, counted: 2 });
  expect(await seeing([one, unnamed, other])).toEqual({ replaced: 1, counted: 2 });
});

test('a mark says of which log a position is, and what is no mark says nothing', () => {
  for (const log of [one, { topicId: null, clusterId: 'c' }, { topicId: 'dC6_-3vIQqK7z', clusterId: null }]) {
    expect(readMark(markOf(log))).toEqual({ log, epoch: -1 });
    expect(readMark(markOf(log, 12))).toEqual({ log, epoch: 12 });
  }
  for (const text of ['', 'log=', 'consumer-7', 'log=a b@c']) expect(readMark(text)).toBeNull();
  expect(isSameLog({ topicId: null, clusterId: null }, one)).toBe(true);
});

test('a log keeps its name when a broker tells no id: the one that was told of it stands', () => {
  const unnamed = { topicId: null, clusterId: one.clusterId };
  expect(withIdOf(unnamed, one)).toEqual(one);
  expect(withIdOf(unnamed, { topicId: 'x', clusterId: 'another' })).toEqual(unnamed);
  expect(withIdOf(other, one)).toEqual(other);
  expect(withIdOf(unnamed, null)).toEqual(unnamed);
});
