// What a log has now: each partition of topics, from the first record that is still there to behind the last.

import { PipelineError } from '../../../errors.ts';
import type { LogSpan } from '../../../ports/source.ts';
import { openCluster } from '../connect/cluster.ts';
import { dropCluster } from '../connect/driver.ts';
import { errorOfKafka, typeOfKafkaError } from '../connect/error.ts';
import { nameOfLog } from '../connect/identity.ts';
import type { KafkaConnection } from '../connect/options.ts';
import { kafkaTopics } from '../connect/topics.ts';
import { earliestOf, endOf } from './positions.ts';

const defaults = { connectionTimeoutMs: 1_000, requestTimeoutMs: 10_000 };

/** Of those topics that are there. Rejects with a PipelineError when the brokers do not say all of it. */
export async function logSpans(given: KafkaConnection, names: readonly string[]): Promise<readonly LogSpan[]> {
  const options = { ...defaults, ...given };
  const address = options.brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, Number.POSITIVE_INFINITY);
  try {
    const spans = names.map(async topic => {
      const known = await topics.load(topic).catch((error: unknown) => {
        if (typeOfKafkaError((error as Error).cause) === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
        throw error;
      });
      if (known === null) return [];
      const log = nameOfLog(known.log) ?? '';
      return Promise.all(
        known.leaders.map(async (_, partition) => {
          const place = { topic, partition };
          const [first, next] = [await earliestOf(cluster, topics, place), await endOf(cluster, topics, place)];
          return { topic, log, partition, first, next };
        }),
      );
    });
    return (await Promise.all(spans)).flat();
  } catch (thrown) {
    throw errorOfKafka(thrown, 'before sending', address);
  } finally {
    dropCluster(cluster, new PipelineError('shutting_down'));
  }
}
