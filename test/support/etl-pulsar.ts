// Pulsar as the broker of the etl's chaos: a standalone one behind a proxy, that keeps everything; written and read by WebSocket
// as another team would.

import { positionOf } from '../../src/adapters/pulsar/read/message.ts';
import { nameOf } from '../../src/config/from.ts';
import type { EtlBroker, Value } from './etl-broker.ts';
import { type Make, networkFaults } from './faults.ts';
import { startPulsar, type TestPulsar } from './pulsar.ts';
import { pulsarTeam } from './pulsar-team.ts';
import { type Random, seeded } from './random.ts';
import { tcpProxy } from './tcp-proxy.ts';

const partitions = 2;
const sessionMs = 5_000;

export async function pulsarEtl(random: Random): Promise<EtlBroker> {
  const pulsar = await startPulsar({ settings: { webSocketSessionIdleTimeoutMillis: `${sessionMs}` } });
  const proxy = await tcpProxy({ target: Number(new URL(pulsar.url).port), random: seeded(random.seed + 1).next });
  const team = pulsarTeam(pulsar.url);
  await team.tell('POST', 'namespaces/public/default/retention', { retentionTimeInMinutes: -1, retentionSizeInMB: -1 });
  const offsetsOf = (topic: string) => new Map(Array.from({ length: partitions }, (_, at) => [`${topic}/${at}`, 0]));
  const subscriptionOf = (reading: number) => `again-${reading}`;
  return {
    ...{ name: 'pulsar', sessionMs },
    flags: [
      ...[
        '--transport=pulsar',
        `--pulsar-url=http://127.0.0.1:${proxy.port}`,
        '--pulsar-request-timeout-ms=3000',
        '--ack-budget-ms=1000',
      ],
      `--topic-partitions=${partitions}`,
    ],
    moving: [],
    faults: [
      ...serverFaults(pulsar),
      ...networkFaults({ to: '', random, hitOf: () => ({ whom: '', proxies: [proxy] }) }),
    ],
    again: (topic, reading) => [
      `--from=${[...offsetsOf(topic)].map(([place, offset]) => `${place}=${offset}`).join()}`,
      `--pulsar-subscription=${subscriptionOf(reading)}`,
    ],
    async behind(topics, { topic, reading }) {
      const again = `${subscriptionOf(reading)}-from-${nameOf({ offsets: offsetsOf(topic) })}`;
      let sum = await team.backlog(topic, again);
      for (const each of topics) sum += await team.backlog(each, 'ugc-etl');
      return sum;
    },
    async eachRecord(topics, take) {
      for (const topic of topics)
        for (let partition = 0; partition < partitions; partition++)
          await team.readAll(`${topic}-partition-${partition}`, (id, value) =>
            take(`${topic}/${partition}/${positionOf(id)}`, value),
          );
    },
    async write(topic, values: readonly Value[]) {
      await team.write(
        topic,
        values.map(value => value ?? ''),
      );
    },
    async heal() {
      proxy.heal();
      pulsar.cont();
      if (!(await pulsar.answers())) await pulsar.restart();
    },
    async close() {
      await proxy.close();
      await pulsar.stopForGood();
    },
  };
}

const serverFaults = (pulsar: TestPulsar): readonly Make[] => [
  () => ({ kind: 'Pulsar killed', begin: () => pulsar.kill(), end: () => pulsar.restart() }),
  () => ({ kind: 'Pulsar hung', begin: () => pulsar.stop(), end: () => pulsar.cont() }),
];
