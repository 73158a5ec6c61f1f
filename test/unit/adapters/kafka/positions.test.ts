// Where a partition begins, and what silence of a broker about it means: nothing that could be gone on from.

import { expect, test } from 'bun:test';
import type { Cluster, OffsetAnswers } from '../../../../src/adapters/kafka/connect/driver.ts';
import type { Topics } from '../../../../src/adapters/kafka/connect/topics.ts';
import type { Session } from '../../../../src/adapters/kafka/read/group.ts';
import { beginIn, committedOf, endOf } from '../../../../src/adapters/kafka/read/positions.ts';

const log = { topicId: 'now', clusterId: 'c' };
const place = { topic: 't', partition: 1 };

function asking(answer: OffsetAnswers, leaders: readonly number[] = [1, 1]) {
  const cluster = { brokerPool: { findBroker: async () => ({ listOffsets: async () => answer }) } };
  const topics = { known: () => ({ topic: 't', leaders, epochs: [], log }) };
  return { cluster: cluster as unknown as Cluster, topics: topics as unknown as Topics };
}
const saying = (topic: string, partition: number, offset: number, metadata: string | null = null): OffsetAnswers => ({
  responses: [{ topic, partitions: [{ partition, offset: `${offset}`, metadata }] }],
});
const sessionOf = (answer: OffsetAnswers) =>
  ({ groupId: 'g', coordinator: { offsetFetch: async () => answer } }) as unknown as Session;
const messageOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error: Error) => error.message,
  );

test('an answer of the coordinator that leaves a partition out does not mean that nothing is committed', async () => {
  for (const answer of [saying('t', 0, 7), saying('other', 1, 7), { responses: [] }])
    expect(await messageOf(committedOf(sessionOf(answer), 't', [1]))).toBe('t/1: the coordinator says no position');
  expect(await committedOf(sessionOf(saying('t', 1, -1)), 't', [1])).toEqual(new Map([[1, null]]));
  expect(await committedOf(sessionOf(saying('t', 1, 7, 'log=now@c')), 't', [1])).toEqual(
    new Map([[1, { offset: 7, log, epoch: -1 }]]),
  );
});

test('an answer of the leader that leaves a partition out, or is about another topic, is none', async () => {
  for (const answer of [saying('t', 0, 7), saying('other', 1, 7), { responses: [] }]) {
    const { cluster, topics } = asking(answer);
    expect(await messageOf(endOf(cluster, topics, place))).toBe('t/1: the leader does not say its offsets');
  }
  const { cluster, topics } = asking(saying('t', 1, 7));
  expect(await endOf(cluster, topics, place)).toBe(7);
});

test('who has no leader is not asked', async () => {
  const { cluster, topics } = asking(saying('t', 1, 7), [1, -1]);
  expect(await messageOf(endOf(cluster, topics, place))).toContain('t/1 has no leader now');
});

test('what is committed counts for its own log alone, and a starting point for none but the first', async () => {
  const earliest = 3;
  const more = { ...asking(saying('t', 1, earliest)), from: { offsets: new Map([['t/1', 3]]) } };
  const begin = (isReplaced: boolean, committed: Parameters<typeof beginIn>[2]['committed']) =>
    beginIn(more, { ...place, isReplaced }, { committed, log });
  expect(await begin(false, { offset: 50, log, epoch: -1 })).toEqual({ next: 50, isReplaced: false });
  expect(await begin(true, { offset: 50, log, epoch: -1 })).toEqual({ next: 50, isReplaced: false });
  expect(await begin(false, { offset: 50, log: null, epoch: -1 })).toEqual({ next: 50, isReplaced: false });
  expect(await begin(true, { offset: 50, log: null, epoch: -1 })).toEqual({ next: earliest, isReplaced: false });
  const old = { topicId: 'before', clusterId: 'c' };
  expect(await begin(false, { offset: 50, log: old, epoch: -1 })).toEqual({ next: earliest, isReplaced: true });
  expect(await begin(true, { offset: 50, log: old, epoch: -1 })).toEqual({ next: earliest, isReplaced: false });
  expect(await begin(true, null)).toEqual({ next: earliest, isReplaced: false });
});
