// How many events lie in Kafka's topics, and how many of them went by the disk.

import { kafkaClient, type TestKafka } from '../test/support/kafka.ts';
import { eventually, type Ugc } from '../test/support/ugc.ts';

export interface Stored {
  readonly inKafka: number;
  /** Answered from the disk so far. */
  readonly disk: number;
}

export async function storedIn(ugc: Ugc, kafka: TestKafka): Promise<Stored> {
  const text = await (await fetch(`${ugc.url}/metrics`)).text();
  const samples = text.matchAll(/^ugc_events_stored_total\{[^}]*stored="disk"[^}]*\} (\d+)$/gm);
  const disk = [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
  return { inKafka: await endOf(kafka), disk };
}

/** Records in all topics, once none is added any more. */
export async function endOf({ brokers }: TestKafka): Promise<number> {
  const admin = kafkaClient(brokers, 100).admin();
  await admin.connect();
  const count = async () => {
    let sum = 0;
    // A leader that is new may not know it yet, and kafkajs does not ask it twice.
    for (const topic of (await admin.listTopics()).filter(name => !name.startsWith('__')))
      for (const { high } of await eventually(() => admin.fetchTopicOffsets(topic))) sum += Number(high);
    return sum;
  };
  try {
    for (let last = await count(); ; ) {
      await Bun.sleep(300);
      const now = await count();
      if (now === last) return now;
      last = now;
    }
  } finally {
    await admin.disconnect();
  }
}
