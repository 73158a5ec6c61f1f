// The log contract and the source contract on a real Pulsar.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { ensureTopics } from '../../src/adapters/pulsar/connect/ensure-topics.ts';
import type { PulsarOptions } from '../../src/adapters/pulsar/connect/options.ts';
import { searchPulsar } from '../../src/adapters/pulsar/read/search.ts';
import { pulsarSource } from '../../src/adapters/pulsar/read/source.ts';
import { pulsarLog } from '../../src/adapters/pulsar/write/log.ts';
import type { Batch, Source } from '../../src/ports/source.ts';
import { idsOf } from '../support/buffer.ts';
import { bytesMax, countOf, namesOf, nothingPaused, stamped } from '../support/kafka-source.ts';
import { startPulsar, type TestPulsar } from '../support/pulsar.ts';
import { pulsarTeam } from '../support/pulsar-team.ts';
import { quietLogger } from '../support/quiet.ts';
import { randomOf } from '../support/random.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { eventually, until } from '../support/until.ts';
import { logContract } from './log.contract.ts';
import { sourceContract } from './source.contract.ts';

let pulsar: TestPulsar;
let names = 0;
beforeAll(async () => {
  pulsar = await startPulsar();
});
afterAll(() => pulsar?.stopForGood());

const connection = (): PulsarOptions => ({
  url: pulsar.url,
  namespace: 'public/default',
  connectTimeoutMs: 20_000,
  requestTimeoutMs: 30_000,
});
const newName = (): string => `t.${process.pid}.${++names}`;
const sourceOf = (subscription: string, topics: readonly string[]): Source =>
  pulsarSource({ ...connection(), subscription, topics, logger: quietLogger, topicsAgeMsMax: 300 });

// The contract's envelopes name their topics themselves, so each test has topics of a prefix of its own.
logContract('pulsar', async () => {
  const prefix = `${newName()}.`;
  const topics = ['ugc.click', 'ugc.page_view'].map(name => prefix + name);
  await ensureTopics(connection(), topics, { partitions: 2, subscription: 'reader' });
  const log = pulsarLog(connection());
  return {
    stored: 'pulsar',
    log: {
      publish: list => log.publish(list.map(each => ({ ...each, topic: prefix + each.topic }))),
      close: () => log.close(),
    },
    async readBack() {
      const source = sourceOf('reader', topics);
      const ids: string[] = [];
      while (ids.length < 5)
        ids.push(...idsOf(await source.poll({ paused: new Set(), bytesMax: 2 ** 20 }, AbortSignal.timeout(90_000))));
      await source.close();
      return ids;
    },
    dispose: () => log.close(),
  };
});

sourceContract('Pulsar', {
  features: {
    orderedPerKey: true,
    positions: true,
    ownership: {
      not: 'what is finished is said of each record alone, and is true whoever says it: there is nothing to lose',
    },
    lag: true,
    logIdentity: { not: 'a ledger’s number is never given twice in a cluster: a topic made anew has other positions' },
  },
  open: async () => {
    const group = newName();
    const open = new Set<Source>();
    const log = pulsarLog(connection());
    return {
      topics: async (count, partitions = 1) => {
        const topics = Array.from({ length: count }, newName);
        await ensureTopics(connection(), topics, { partitions, subscription: `${group}-etl` });
        return topics;
      },
      write: async (topic, events) => {
        const outcomes = await log.publish(
          events.map(({ body, type = 'page_view', key = null }) => ({
            id: '',
            type,
            version: 1,
            topic,
            key,
            body,
            receivedAtMs: 1_795_000_000_000,
          })),
        );
        for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
      },
      open: (reader, topics) => {
        const source = sourceOf(`${group}-${reader}`, topics);
        open.add(source);
        return source;
      },
      dispose: async () => {
        await Promise.all([...open].map(source => source.close()));
        await log.close();
      },
    };
  },
});

const write = async (topic: string, names: readonly string[], url = pulsar.url): Promise<void> => {
  const log = pulsarLog({ ...connection(), url });
  const outcomes = await log.publish(
    names.map(name => ({
      ...{ id: '', type: 'page_view', version: 1, topic, key: name, body: stamped(name) },
      receivedAtMs: 1_795_000_000_000,
    })),
  );
  await log.close();
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
};
const namesTo = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

async function read(source: Source, count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  const signal = AbortSignal.timeout(90_000);
  while (countOf(batches) < count && !signal.aborted)
    batches.push(...(await source.poll({ paused: nothingPaused, bytesMax }, signal)));
  return batches;
}

test('two share a topic’s partitions; what one has not finished the other reads when it is gone', async () => {
  const [topic, group] = [newName(), newName()];
  await ensureTopics(connection(), [topic], { partitions: 4, subscription: group });
  const one = sourceOf(group, [topic]);
  await write(topic, namesTo(40, 'a'));
  const first = await read(one, 40);
  const [kept, left] = [first.slice(0, 1), first.slice(1)];
  for (const { ack } of kept) await one.commit(ack);
  const two = sourceOf(group, [topic]);
  await one.close();
  // The names alone: batches are cut anew.
  const again = await read(two, countOf(left));
  expect(namesOf(again).toSorted()).toEqual(namesOf(left).toSorted());
  // One that has lost its partitions and finishes late says what is true: those are rows.
  for (const { ack } of again) await two.commit(ack);
  await eventually(async () => ((await two.lag!()).get(topic) ?? 1) === 0, { what: 'no lag' });
  await two.close();
});

test('a consumer that does nothing with its partition loses it, also one that nobody is behind', async () => {
  const [topic, group] = [newName(), newName()];
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: group });
  await write(topic, namesTo(20, 'z'));
  // As a process that hangs: it is given records and says nothing. Its name comes first, so Pulsar prefers it to its like.
  const query = 'subscriptionType=Failover&pullMode=true&priorityLevel=2147483647&consumerName=0';
  const path = `consumer/persistent/public/default/${topic}-partition-0/${group}?${query}`;
  const hung = new WebSocket(`${pulsar.url.replace('http', 'ws')}/ws/v2/${path}`);
  await until(() => hung.readyState === WebSocket.OPEN, 'the one that hangs');
  const source = pulsarSource({
    ...{ ...connection(), subscription: group, topics: [topic], logger: quietLogger },
    stallTimeoutMs: 1_000,
  });
  const batches = await read(source, 20);
  expect(namesOf(batches)).toEqual(namesTo(20, 'z'));
  for (const { ack } of batches) await source.commit(ack);
  await eventually(async () => (await source.lag()).get(topic) === 0, { what: 'no lag' });
  expect(hung.readyState).toBe(WebSocket.OPEN);
  hung.terminate();
  await source.close();
});

test('a connection that is cut, and one that goes silent, cost no record', async () => {
  const [topic, group] = [newName(), newName()];
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: group });
  const random = randomOf('pulsar reconnects');
  const proxy = await tcpProxy({ target: Number(new URL(pulsar.url).port), random: random.next });
  const source = pulsarSource({
    ...connection(),
    url: `http://127.0.0.1:${proxy.port}`,
    requestTimeoutMs: 2_000,
    subscription: group,
    topics: [topic],
    logger: quietLogger,
  });
  const all: Batch[] = [];
  for (const [round, fault] of (['cut', 'hang', 'refuse', 'cut'] as const).entries()) {
    await write(topic, namesTo(20, `${round}-`));
    // An acknowledgement that was under way when the connection ended is lost: its record comes again.
    while (namesOf(all).filter(name => name.startsWith(`${round}-`)).length < 20) all.push(...(await read(source, 1)));
    proxy[fault]();
    // What is finished meanwhile waits for the connection.
    await source.commit(all.at(round * 2)!.ack);
    if (fault !== 'cut') await until(() => source.problem?.() !== null, `trouble by ${fault}`);
    proxy.heal();
  }
  const wanted = [0, 1, 2, 3].flatMap(round => namesTo(20, `${round}-`));
  expect([...new Set(namesOf(all))].toSorted()).toEqual(wanted.toSorted());
  await source.commit(all.at(-1)!.ack);
  const atRest = async (): Promise<boolean> => {
    for (const { ack } of await source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(100)))
      await source.commit(ack);
    return (await source.lag!()).get(topic) === 0;
  };
  await eventually(atRest, { what: 'no lag' });
  await source.close();
  await proxy.close();
});

test('a schema that does not fit the one there is refused in words, and the topic is made all the same', async () => {
  const [topic, other] = [newName(), newName()];
  const schemaOf = (kind: string) => () =>
    JSON.stringify({
      type: 'record',
      name: 'x',
      fields: [{ name: 'a', type: kind, default: kind === 'string' ? '' : 0 }],
    });
  const shape = { partitions: 1, subscription: 's' };
  expect(await ensureTopics(connection(), [topic], { ...shape, schemaOf: schemaOf('string') })).toEqual([topic]);
  expect(await ensureTopics(connection(), [topic], { ...shape, schemaOf: schemaOf('string') })).toEqual([]);
  await write(topic, ['a']);
  const refused = ensureTopics(connection(), [topic, other], { ...shape, schemaOf: schemaOf('long') });
  await expect(refused).rejects.toThrow(new RegExp(`not compatible.*${topic}`));
  expect(await ensureTopics(connection(), [other], shape)).toEqual([]);
  await write(topic, ['b']);
});

test('a subscription that only some partitions have, as its broker died meanwhile, is made on the others', async () => {
  const topic = newName();
  const ask = async (method: string, path: string, body?: string): Promise<Response> => {
    const url = `${pulsar.url}/admin/v2/persistent/public/default/${topic}${path}`;
    return fetch(url, { method, headers: { 'content-type': 'application/json' }, ...(body && { body }) });
  };
  expect((await ask('PUT', '/partitions', '3')).ok).toBe(true);
  expect((await ask('PUT', '-partition-0/subscription/s', '{"ledgerId":-1,"entryId":-1}')).ok).toBe(true);
  const missing = ensureTopics(connection(), [topic], { partitions: 3, subscription: 's', create: false });
  await expect(missing).rejects.toThrow(/create-subscription .* --subscription s /);
  expect(await ensureTopics(connection(), [topic], { partitions: 3, subscription: 's' })).toEqual([]);
  for (const partition of [0, 1, 2])
    expect(await (await ask('GET', `-partition-${partition}/subscriptions`)).json()).toEqual(['s']);
});

test('a subscription that is new is in front of what is there from its first moment on: its broker may die in the next', async () => {
  const topic = newName();
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: 'first' });
  await write(topic, namesTo(50, 'e'));
  const team = pulsarTeam(pulsar.url);
  for (let at = 0; at < 10; at++) {
    const subscription = `late-${at}`;
    const source = sourceOf(subscription, [topic]);
    const first = () =>
      team.backlog(topic, subscription).then(backlog => backlog !== Number.POSITIVE_INFINITY && { backlog });
    expect(await eventually(first, { pauseMs: 1, what: 'the subscription' })).toEqual({ backlog: 50 });
    await source.close();
  }
});

test('where consumers may make no subscription the admin API makes it', async () => {
  const namespace = 'public/strict';
  const team = pulsarTeam(pulsar.url);
  await team.tell('PUT', `namespaces/${namespace}`, {});
  await team.tell('POST', `namespaces/${namespace}/autoSubscriptionCreation`, { allowAutoSubscriptionCreation: false });
  const topic = newName();
  const strict = { ...connection(), namespace };
  await ensureTopics(strict, [topic], { partitions: 2, subscription: 'etl' });
  for (const partition of [0, 1])
    expect(await team.ask(`persistent/${namespace}/${topic}-partition-${partition}/subscriptions`)).toEqual(['etl']);
});

test('a Pulsar that was away while its topics were looked at is no trouble once it is back', async () => {
  const random = randomOf('pulsar away');
  const [topic, group] = [newName(), newName()];
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: group });
  const proxy = await tcpProxy({ target: Number(new URL(pulsar.url).port), random: random.next });
  const source = pulsarSource({
    ...{ ...connection(), url: `http://127.0.0.1:${proxy.port}`, requestTimeoutMs: 1_000 },
    ...{ subscription: group, topics: [topic], logger: quietLogger, topicsAgeMsMax: 50 },
  });
  await write(topic, ['a']);
  for (const { ack } of await read(source, 1)) await source.commit(ack);
  proxy.refuse();
  await eventually(() => /(^|; )Pulsar at /.test(source.problem() ?? ''), { what: 'topics that cannot be looked at' });
  proxy.heal();
  await eventually(() => source.problem() === null, { what: 'all is well again' });
  await source.close();
  await proxy.close();
});

test('reading again begins at a position, and goes on there after a restart', async () => {
  const [topic, group] = [newName(), newName()];
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: group });
  await write(topic, namesTo(10, 'e'));
  const usual = sourceOf(group, [topic]);
  const first = (await read(usual, 10))[0]!.first!;
  await usual.close();
  const again = () =>
    pulsarSource({
      ...{ ...connection(), subscription: `${group}-again`, topics: [topic], logger: quietLogger },
      from: { offsets: new Map([[`${topic}/0`, first + 4]]) },
    });
  const source = again();
  const batches = await read(source, 6);
  expect(namesOf(batches)).toEqual(['e4', 'e5', 'e6', 'e7', 'e8', 'e9']);
  for (const { ack } of batches) await source.commit(ack);
  await source.close();
  await write(topic, ['later']);
  const restarted = again();
  expect(namesOf(await read(restarted, 1))).toEqual(['later']);
  await restarted.close();
});

test('an event is looked for up to the last record there is, also where that lies with others in one entry', async () => {
  const topic = newName();
  await ensureTopics(connection(), [topic], { partitions: 1, subscription: 's' });
  const body = stamped('a');
  const team = pulsarTeam(pulsar.url);
  await team.write(topic, [body]);
  expect(new Set(await team.write(topic, ['b', 'c', 'd'], { isBatching: true })).size).toBe(3);
  const id = JSON.parse(body).event_id as string;
  const found = await searchPulsar({ ...connection(), requestTimeoutMs: 5_000, id, topics: [topic], sinceMs: null });
  expect(found).toMatchObject([{ topic, partition: 0, body }]);
});
