import { expect, test } from 'bun:test';
import {
  type Call,
  type NodeQueueOptions,
  nodeQueue,
  type QueuedRecord,
} from '../../../../src/adapters/kafka/write/node-queue.ts';
import { measureRecord } from '../../../../src/adapters/kafka/write/record-batch.ts';
import { type FakeNode, fakeKafka, type SentPart } from '../../../support/kafka-driver.ts';
import { until } from '../../../support/until.ts';

const atMs = 1_795_000_000_000;

/** A queue to node 1, whatever was added to it with its outcome, and what the queue said of topics. */
function opened(more: Partial<NodeQueueOptions> = {}) {
  const kafka = fakeKafka();
  const doubted: (string | number)[] = [];
  const outcomes = new Map<string, string>();
  const queue = nodeQueue({
    cluster: kafka.cluster,
    topics: {
      known: () => undefined,
      load: () => Promise.reject(new Error('not asked here')),
      refresh: () => {},
      doubt: topic => void doubted.push(topic),
      doubtLeader: node => void doubted.push(node),
    },
    clientId: 'ugc',
    compression: 'none',
    node: 1,
    requestTimeoutMs: 60_000,
    lingerMs: 1,
    requestBytesMax: 10_000,
    requestRecordsMax: 100,
    inFlightMax: 1,
    ...more,
  });
  const call: Call = {
    settle({ value }, error) {
      if (outcomes.has(value)) throw new Error(`${value} was settled twice`);
      outcomes.set(value, error?.code ?? 'stored');
    },
  };
  const add = (values: string | readonly string[], topic = 't', partition = 0) => {
    for (const value of [values].flat()) {
      const waiting: QueuedRecord = { ...measureRecord('k', value, atMs), call, index: 0 };
      queue.add(topic, partition, waiting);
    }
  };
  const settled = (count: number) => until(() => outcomes.size === count, `${count} outcomes`);
  return { queue, add, outcomes, settled, doubted, node: kafka.node(1) };
}

/** Answers of a node that are given when a test says so. */
function held(node: FakeNode): (code?: number) => void {
  let release = Promise.withResolvers<number>();
  node.answering = () => release.promise;
  return (code = 0) => {
    const { resolve } = release;
    release = Promise.withResolvers();
    resolve(code);
  };
}

const valuesOf = (request: readonly SentPart[] | undefined): string[] =>
  (request ?? []).flatMap(({ values }) => values);
const names = (count: number, prefix = 'r'): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

test('what comes in one turn leaves in one request, a batch a partition', async () => {
  const { add, settled, outcomes, node } = opened();
  add(['a', 'b'], 't', 0);
  add('c', 't', 1);
  add('d', 'u', 0);
  await settled(4);
  expect(node.requests).toEqual([
    [
      { topic: 't', partition: 0, values: ['a', 'b'], times: [atMs, atMs] },
      { topic: 't', partition: 1, values: ['c'], times: [atMs] },
      { topic: 'u', partition: 0, values: ['d'], times: [atMs] },
    ],
  ]);
  expect(new Set(outcomes.values())).toEqual(new Set(['stored']));
});

test('what comes while a request is under way waits for its answer and goes together', async () => {
  const { add, settled, node } = opened();
  const answer = held(node);
  add('first');
  await until(() => node.open === 1, 'it is sent');
  add(names(20));
  await Bun.sleep(20); // many lingers: with one in flight at most nothing may follow
  expect(node.requests.length).toBe(1);
  answer();
  await until(() => node.requests.length === 2, 'the rest is sent');
  expect(valuesOf(node.requests[1])).toEqual(names(20));
  answer();
  await settled(21);
});

test('with room in flight a second request leaves after the linger, or at once when it is full', async () => {
  const { add, settled, node } = opened({ inFlightMax: 3, requestRecordsMax: 10, lingerMs: 5 });
  const answer = held(node);
  add('first');
  await until(() => node.open === 1, 'it is sent');
  add(names(10, 'full'));
  await until(() => node.open === 2, 'the full one is sent');
  add('late');
  await until(() => node.open === 3, 'the linger is over');
  expect(node.requests.map(request => valuesOf(request).length)).toEqual([1, 10, 1]);
  answer();
  await settled(12);
});

test('a request is bounded in records and bytes, and whoever had to stay behind is first the next time', async () => {
  const { add, settled, node } = opened({ requestRecordsMax: 5 });
  for (const [partition, name] of ['a', 'b', 'c'].entries()) add(names(4, name), 't', partition);
  await settled(12);
  expect(node.requests.map(valuesOf)).toEqual([
    ['a0', 'a1', 'a2', 'a3', 'b0'],
    ['b1', 'b2', 'b3', 'c0', 'c1'],
    ['c2', 'c3'],
  ]);

  const small = opened({ requestBytesMax: 300 });
  small.add(names(6).map(name => name.padEnd(100, '.')));
  await small.settled(6);
  expect(small.node.requests.map(request => valuesOf(request).length)).toEqual([2, 2, 2]);
});

test('a record larger than a request may be goes alone', async () => {
  const { add, settled, node } = opened({ requestBytesMax: 300 });
  const large = 'x'.repeat(5_000);
  add(['small', large, 'after']);
  await settled(3);
  expect(node.requests.map(valuesOf)).toEqual([['small'], [large], ['after']]);
});

test('a batch refused for one of its records is sent again in halves until each has an answer of its own', async () => {
  const { add, settled, outcomes, node } = opened({ requestRecordsMax: 1_000 });
  const bad = new Set(['r5', 'r60']);
  node.answering = ({ values }) => (values.some(value => bad.has(value)) ? 10 : 0);
  add(names(64));
  await settled(64);
  for (const [name, outcome] of outcomes)
    expect([name, outcome]).toEqual([name, bad.has(name) ? 'log_refused' : 'stored']);
  // Two records among 64 cost two searches, not 64 requests.
  expect(node.requests.length).toBeLessThanOrEqual(1 + 2 * 2 * 6);
});

test('each partition has its own outcome, and one that has moved is doubted', async () => {
  const { add, settled, outcomes, doubted, node } = opened();
  const codes: Record<string, number> = { stored: 0, moved: 6, forbidden: 29, late: 7 };
  node.answering = ({ topic }) => codes[topic]!;
  for (const topic of Object.keys(codes)) add(topic, topic);
  await settled(4);
  expect(Object.fromEntries(outcomes)).toEqual({
    stored: 'stored',
    moved: 'log_unavailable',
    forbidden: 'log_halted',
    late: 'log_unknown',
  });
  expect(doubted).toEqual(['moved']);
});

test('a connection that ends leaves what was sent unknown, and what waited certainly not sent', async () => {
  const { add, settled, outcomes, doubted, node } = opened();
  held(node);
  add(['sent 1', 'sent 2']);
  await until(() => node.open === 1, 'it is sent');
  add(['waits 1', 'waits 2'], 't', 1);
  node.cut(new Error('Closed connection'));
  await settled(4);
  expect(Object.fromEntries(outcomes)).toEqual({
    'sent 1': 'log_unknown',
    'sent 2': 'log_unknown',
    'waits 1': 'log_unavailable',
    'waits 2': 'log_unavailable',
  });
  expect(node.isDropped).toBe(true);
  expect(doubted).toEqual([1]);
});

test('halves that wait go down with the connection as not sent', async () => {
  const { add, settled, outcomes, node } = opened();
  let isFirst = true;
  node.answering = () => {
    if (!isFirst) return new Promise(() => {});
    isFirst = false;
    return 10;
  };
  add(['a', 'b']);
  await until(() => node.requests.length === 2, 'a half is sent');
  node.cut(new Error('Closed connection'));
  await settled(2);
  expect(Object.fromEntries(outcomes)).toEqual({ a: 'log_unknown', b: 'log_unavailable' });
});

test('a broker that cannot be connected to has certainly nothing, and is used when it comes', async () => {
  const { add, settled, outcomes, node } = opened();
  node.refuses = new Error('connect ECONNREFUSED');
  add(names(3));
  await settled(3);
  expect([...outcomes.values()]).toEqual(Array(3).fill('log_unavailable'));
  node.refuses = null;
  add('after');
  await settled(4);
  expect(outcomes.get('after')).toBe('stored');
});

test('a buffer is used again only after its answer', async () => {
  const { add, settled, outcomes, node } = opened({ inFlightMax: 4 });
  const answer = held(node);
  for (let round = 0; round < 4; round++) {
    add(`round ${round} ${'.'.repeat(200 - round * 50)}`);
    await until(() => node.open === round + 1, 'it is sent');
  }
  answer();
  await settled(4);
  expect(node.requests.map(request => valuesOf(request)[0]?.slice(0, 7))).toEqual(names(4, 'round '));
  expect([...outcomes.values()]).toEqual(Array(4).fill('stored'));
});

test('in a hurry nothing waits for company', async () => {
  const { queue, add, settled, node } = opened({ inFlightMax: 2, lingerMs: 3_600_000 });
  const answer = held(node);
  add('first');
  await until(() => node.open === 1, 'it is sent');
  add('second');
  queue.hurry();
  await until(() => node.open === 2, 'both are sent');
  answer();
  await settled(2);
});

test('a time that the broker does not take costs an event nothing: it goes again without one', async () => {
  const { add, node, outcomes, settled } = opened();
  let refusals = 0;
  node.answering = ({ times }) => {
    if (times.every(time => time < 0)) return 0;
    refusals++;
    return 32;
  };
  add(names(5));
  await settled(5);
  expect([...outcomes.values()]).toEqual(Array(5).fill('stored'));
  expect(refusals).toBe(1);
  expect(node.requests.map(valuesOf)).toEqual([names(5), names(5)]);
});

test('a topic that takes no time whatever halts, and refuses no event for good', async () => {
  const { add, node, outcomes, settled } = opened();
  node.answering = () => 32;
  add(names(3));
  await settled(3);
  expect([...outcomes.values()]).toEqual(Array(3).fill('log_halted'));
  expect(node.requests.length).toBe(2);
});

test('an answer that leaves a partition out says nothing of its records: they may be stored', async () => {
  const { add, node, outcomes, settled } = opened();
  node.answering = ({ partition }) => (partition === 1 ? null : 0);
  add('told');
  add('left-out', 't', 1);
  await settled(2);
  expect(Object.fromEntries(outcomes)).toEqual({ told: 'stored', 'left-out': 'log_unknown' });
});
