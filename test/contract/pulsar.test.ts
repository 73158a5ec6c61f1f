// The log contract and the source contract on a real Pulsar.

import { afterAll, beforeAll } from 'bun:test';
import { ensureTopics } from '../../src/adapters/pulsar/connect/ensure-topics.ts';
import type { PulsarOptions } from '../../src/adapters/pulsar/connect/options.ts';
import { pulsarSource } from '../../src/adapters/pulsar/read/source.ts';
import { pulsarLog } from '../../src/adapters/pulsar/write/log.ts';
import type { Source } from '../../src/ports/source.ts';
import { idsOf } from '../support/buffer.ts';
import { startPulsar, type TestPulsar } from '../support/pulsar.ts';
import { quietLogger } from '../support/quiet.ts';
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
