// The Kafka source among others: partitions handed over by closing, killing and stopping, and a broker that dies.

import { afterEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Batch } from '../../src/ports/source.ts';
import { freeze, thaw } from '../support/freeze.ts';
import { kafkaClient, makeTopics } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { bytesMax, commitAll, namesOf, nothingPaused, read, readFor, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/ugc.ts';

const own = kafkaInTest();
const { sources, newName, newTopic, committed } = own;

const children = new Set<Child>();
afterEach(async () => {
  for (const { kill } of children) await kill();
  children.clear();
});

/** To each partition in turn. */
const send = (topic: string, partitions: number, names: readonly string[]) =>
  own.producer.send({
    topic,
    messages: names.map((name, at) => ({ value: stamped(name), partition: at % partitions })),
  });
const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => prefix + at);

interface Child {
  readonly polled: Set<string>;
  readonly commits: () => number;
  commit(): void;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
}

function startChild(groupId: string, topic: string, mode: 'commits' | 'waits'): Child {
  const script = join(import.meta.dir, '../support/kafka-source-child.ts');
  const child = Bun.spawn([process.execPath, script, own.kafka.brokers.join(','), groupId, topic, mode], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const polled = new Set<string>();
  let commits = 0;
  void (async () => {
    let rest = '';
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith('polled ')) polled.add(line.slice(7));
        if (line === 'committed') commits++;
      }
    }
  })();
  const started: Child = {
    polled,
    commits: () => commits,
    commit() {
      child.stdin.write('commit\n');
      child.stdin.flush();
    },
    freeze: () => freeze(child),
    thaw: () => thaw(child),
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
  children.add(started);
  return started;
}

test('connect#4009, #4010: two share the partitions; what one has not committed the other reads again when it closes', async () => {
  const [topic, group] = [await newTopic(4), newName()];
  // Whoever did not leave would be missed only after this.
  const session = { sessionTimeoutMs: 120_000 };
  const one = sources.open(group, [topic], session);
  await send(topic, 4, names(4, 'a'));
  await commitAll(one, await read(one, 4));
  const other = sources.open(group, [topic], session);
  // Until each has a share, one record a partition is sent again and again, and read by whom it is given to.
  let rounds = 0;
  await eventually(async () => {
    const round = `round ${++rounds} `;
    await send(topic, 4, names(4, round));
    const [mine, theirs]: [Batch[], Batch[]] = [[], []];
    const left = () => names(4, round).filter(name => !namesOf([...mine, ...theirs]).includes(name));
    while (left().length > 0)
      await Promise.all(
        [
          { source: one, got: mine },
          { source: other, got: theirs },
        ].map(async ({ source, got }) => {
          const batches = await readFor(source, 100);
          await commitAll(source, batches);
          got.push(...batches);
        }),
      );
    const shares = [mine, theirs].map(batches => [...new Set(batches.map(({ partition }) => partition))]);
    return shares.every(({ length }) => length === 2) && new Set(shares.flat()).size === 4;
  });
  await send(topic, 4, names(4, 'b'));
  const unfinished = namesOf(await read(other, 2));
  await other.close();
  const taken = namesOf(await read(one, 4, { msMax: 60_000 }));
  expect(taken.toSorted()).toEqual(names(4, 'b'));
  expect(taken).toEqual(expect.arrayContaining(unfinished));
});

test('a killed one is replaced after its session, and every record is seen', async () => {
  const [topic, group] = [await newTopic(2), newName()];
  const child = startChild(group, topic, 'waits');
  await send(topic, 2, names(10, 'a'));
  await eventually(() => child.polled.size === 10);
  const source = sources.open(group, [topic]);
  await child.kill();
  expect(namesOf(await read(source, 10)).toSorted()).toEqual(names(10, 'a').toSorted());
});

test('kafkajs#1046, kafka-connect#24: one that was stopped beyond its session commits nothing over the new owner', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const child = startChild(group, topic, 'waits');
  await send(topic, 1, names(10, 'a'));
  await eventually(() => child.polled.size === 10);
  child.freeze();
  const source = sources.open(group, [topic]);
  const again = await read(source, 10);
  expect(namesOf(again)).toEqual(names(10, 'a'));
  await send(topic, 1, names(5, 'b'));
  await commitAll(source, [...again, ...(await read(source, 5))]);
  expect(await committed(group, topic)).toEqual([15]);
  // It wakes with ten records polled and commits them at once, before it can have heard of anything.
  child.commit();
  child.thaw();
  await eventually(() => child.commits() === 1);
  expect(await committed(group, topic)).toEqual([15]);
  // And it is a member again, from where the group is now.
  await source.close();
  await send(topic, 1, ['c0']);
  await eventually(() => child.polled.has('c0'));
  child.commit();
  await eventually(async () => (await committed(group, topic))[0] === 16);
});

test('a partition kept through a rebalance is read on: nothing twice, commits of before still count', async () => {
  const [topic, group] = [await newTopic(2), newName()];
  const one = sources.open(group, [topic]);
  await send(topic, 2, names(10, 'a'));
  const before = await read(one, 10);
  const other = sources.open(group, [topic]);
  const theirs = await read(other, 5); // the partition that has moved, from its committed position
  const moved = theirs[0]!.partition;
  await commitAll(one, before);
  const stays = moved === 0 ? [-1, 5] : [5, -1];
  await eventually(async () => Bun.deepEquals(await committed(group, topic), stays));
  expect(await readFor(one, 500)).toEqual([]);
  await commitAll(other, theirs);
  expect(await committed(group, topic)).toEqual([5, 5]);
});

test('a session outlives a mover that does not poll for longer than it', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const source = sources.open(group, [topic]);
  await send(topic, 1, names(3, 'a'));
  const batches = await read(source, 3);
  await Bun.sleep(7_500); // the time that passes is what is tested
  await commitAll(source, batches);
  expect(await committed(group, topic)).toEqual([3]);
});

test('a broker killed in the middle and started again: reading and committing go on by themselves', async () => {
  const [topic, group] = [await newTopic(2), newName()];
  // The membership outlives the broker's absence: nothing is read again.
  const source = sources.open(group, [topic], { sessionTimeoutMs: 120_000 });
  await send(topic, 2, names(10, 'a'));
  const before = await read(source, 10);
  await own.kafka.kill();
  const waiting = source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(90_000));
  await eventually(() => source.problem() !== null);
  const committing = commitAll(source, before);
  await own.kafka.restart();
  await eventually(() => send(topic, 2, names(10, 'b')));
  const polled = [...(await waiting)];
  while (new Set(namesOf(polled)).size < 10) polled.push(...(await read(source, 1)));
  expect(new Set(namesOf(polled))).toEqual(new Set(names(10, 'b')));
  await committing;
  await commitAll(source, polled);
  // Sending may have been repeated.
  await eventually(async () => (await committed(group, topic)).every(offset => offset >= 10));
  await eventually(() => source.problem() === null);
});

test('a broker that hangs is said to, closing beside it is bounded, and reading goes on when it answers again', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const [source, other] = [sources.open(group, [topic]), sources.open(newName(), [topic])];
  await send(topic, 1, ['a']);
  await Promise.all([read(source, 1), read(other, 1)]);
  own.kafka.stop();
  try {
    await eventually(() => source.problem());
    const closingAt = performance.now();
    await other.close();
    expect(performance.now() - closingAt).toBeLessThan(30_000); // it hangs for as long as this waits
  } finally {
    own.kafka.cont();
  }
  await eventually(() => send(topic, 1, ['b']));
  // It may have lost its session meanwhile, and then begins with what it had not committed.
  await eventually(async () => namesOf(await read(source, 1)).includes('b'));
  await eventually(() => source.problem() === null);
});

test('without a broker at the start it waits, says so, and begins by itself', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  await send(topic, 1, ['a']);
  await own.kafka.kill();
  const source = sources.open(group, [topic]);
  expect(await source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(1_500))).toEqual([]);
  await eventually(() => source.problem()?.includes(own.kafka.brokers[0]!));
  await own.kafka.restart();
  expect(namesOf(await read(source, 1))).toEqual(['a']);
  await eventually(() => source.problem() === null);
});

test('partitions of a topic that grows are read, whichever member of the group wants it', async () => {
  const [one, other, group] = [await newTopic(1), await newTopic(2), newName()];
  // The first to come leads the group, and wants nothing of the topic that grows.
  const leader = sources.open(group, [one]);
  await send(one, 1, ['a0']);
  await commitAll(leader, await read(leader, 1));
  const member = sources.open(group, [other]);
  await send(other, 2, names(4, 'b'));
  await commitAll(member, await read(member, 4));
  await own.admin.createPartitions({ topicPartitions: [{ topic: other, count: 6 }] });
  const producer = kafkaClient(own.kafka.brokers, 10).producer(); // one that has not heard of fewer
  await producer.connect();
  await eventually(async () => (await own.admin.fetchTopicOffsets(other)).length === 6);
  const messages = names(12, 'c').map((name, at) => ({ value: stamped(name), partition: at % 6 }));
  await producer.send({ topic: other, messages });
  await producer.disconnect();
  expect(namesOf(await read(member, 12)).toSorted()).toEqual(names(12, 'c').toSorted());
  // And the leader has lost nothing by it.
  await send(one, 1, ['a1']);
  expect(namesOf(await read(leader, 1))).toEqual(['a1']);
});

test('a topic that comes later is read, whichever member of the group wants it', async () => {
  const [one, later, group] = [await newTopic(1), newName(), newName()];
  const leader = sources.open(group, [one]);
  await send(one, 1, ['a0']);
  await commitAll(leader, await read(leader, 1));
  const member = sources.open(group, [later]);
  await eventually(async () => (await own.admin.describeGroups([group])).groups[0]!.members.length === 2);
  await makeTopics(own.admin, { topic: later, numPartitions: 3 });
  await send(later, 3, names(6, 'b'));
  expect(namesOf(await read(member, 6)).toSorted()).toEqual(names(6, 'b').toSorted());
});

test('a member that waits for one that has died says so until its session is over', async () => {
  const [topic, group] = [await newTopic(1), newName()];
  const child = startChild(group, topic, 'waits');
  await send(topic, 1, names(3, 'a'));
  await eventually(() => child.polled.size === 3);
  await child.kill();
  const source = sources.open(group, [topic]);
  const reading = read(source, 3);
  await eventually(() => source.problem()?.includes('a member that has died'), { what: 'it says what it waits for' });
  expect(source.lag()).toEqual(new Map()); // not known, rather than 0
  expect(namesOf(await reading)).toEqual(names(3, 'a'));
  await eventually(() => source.problem() === null);
});
