// The source contract on a real Kafka.

import { kafkaInTest } from '../support/kafka-in-test.ts';
import { sourceContract } from './source.contract.ts';

const own = kafkaInTest();

sourceContract('Kafka', {
  features: { orderedPerKey: true, positions: true, ownership: true, lag: true, logIdentity: true },
  open: async () => {
    const group = own.newName();
    return {
      topics: async (count, partitions = 1) => {
        const topics: string[] = [];
        for (let at = 0; at < count; at++) topics.push(await own.newTopic(partitions));
        return topics;
      },
      write: async (topic, events) => {
        const messages = events.map(({ body, key = null, partition }) => ({
          value: body,
          key,
          ...(key === null && { partition: partition ?? 0 }),
        }));
        await own.producer.send({ topic, messages });
      },
      open: (reader, topics) => own.sources.open(`${group}-${reader}`, topics),
      dispose: () => own.sources.closeAll(),
    };
  },
});
