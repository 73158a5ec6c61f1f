// How long topics keep their records, asked of the brokers: what is deleted elsewhere lies there as long.

import { PipelineError } from '../../../errors.ts';
import { openCluster } from '../connect/cluster.ts';
import { type CoordinatorBroker, dropCluster } from '../connect/driver.ts';
import { errorOfKafka, typeOfKafkaError } from '../connect/error.ts';
import type { KafkaConnection } from '../connect/options.ts';

export interface TopicRetention {
  readonly topic: string;
  /** `unlimited`, or null: the brokers do not say, because the topic is not there or this user may not ask. */
  readonly keepsMs: number | 'unlimited' | null;
}

const defaults = { connectionTimeoutMs: 1_000, requestTimeoutMs: 10_000 };

/** Rejects with a PipelineError when no broker can be asked. Each topic apart: one that is missing fails a whole question. */
export async function retentionOf(
  given: KafkaConnection,
  topics: readonly string[],
): Promise<readonly TopicRetention[]> {
  const options = { ...defaults, ...given };
  const cluster = openCluster(options);
  try {
    await cluster.brokerPool.refreshMetadata([]);
    const broker = await cluster.brokerPool.findConnectedBroker();
    return await Promise.all(topics.map(async topic => ({ topic, keepsMs: await keepsOf(broker, topic) })));
  } catch (thrown) {
    throw errorOfKafka(thrown, 'before sending', options.brokers.join(','));
  } finally {
    dropCluster(cluster, new PipelineError('shutting_down'));
  }
}

async function keepsOf(broker: CoordinatorBroker, name: string): Promise<TopicRetention['keepsMs']> {
  try {
    const { resources } = await broker.describeConfigs({
      resources: [{ type: topicResource, name, configNames: ['retention.ms', 'cleanup.policy'] }],
    });
    const entries = resources.flatMap(({ configEntries }) => configEntries);
    const values = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    return keptMsOf(values.get('retention.ms'), values.get('cleanup.policy'));
  } catch (error) {
    if (typeOfKafkaError(error) === undefined) throw error;
    return null;
  }
}

const topicResource = 2;

/** A topic that is only compacted keeps the last record of each key for ever. */
function keptMsOf(
  retentionMs: string | null | undefined,
  policy: string | null | undefined,
): TopicRetention['keepsMs'] {
  if (policy != null && !policy.includes('delete')) return 'unlimited';
  if (retentionMs == null || !/^-?\d+$/.test(retentionMs)) return null;
  return Number(retentionMs) < 0 ? 'unlimited' : Number(retentionMs);
}
