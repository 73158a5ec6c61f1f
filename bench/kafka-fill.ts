// Film events in Kafka as an edge would have written them, without an edge.

import { ensureTopics } from '../src/adapters/kafka/connect/ensure-topics.ts';
import { kafkaLog } from '../src/adapters/kafka/write/log.ts';
import type { TestKafka } from '../test/support/kafka.ts';
import { type Filled, fill, filledTopics } from './fill.ts';

export async function fillKafka({ brokers }: TestKafka, events: number): Promise<Filled> {
  const topic = `bench-${crypto.randomUUID()}.{event_type}`;
  const connection = { brokers, clientId: 'bench', requestTimeoutMs: 60_000 };
  await ensureTopics(connection, filledTopics(topic), { partitions: 6, replicas: 1 });
  return fill({ log: kafkaLog(connection), topic, events });
}
