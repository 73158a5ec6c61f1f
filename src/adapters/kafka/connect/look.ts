// A cluster looked at and left as it is: brokers, topics, their settings, and how far a group is. Nothing is created, no
// group is joined, no position moved.

import { PipelineError } from '../../../errors.ts';
import { sleep } from '../../../process/sleep.ts';
import { earliestOf, endOf } from '../read/positions.ts';
import { openCluster } from './cluster.ts';
import { type Cluster, type CoordinatorBroker, dropBroker, dropCluster, openCoordinator } from './driver.ts';
import { errorOfKafka, typeOfKafkaError } from './error.ts';
import type { KafkaConnection } from './options.ts';
import { kafkaTopics, type Topics } from './topics.ts';

export interface KafkaLook {
  readonly clusterId: string | null;
  /** host:port of those that are there. */
  readonly brokers: readonly string[];
  readonly topics: readonly LookedTopic[];
}

export interface LookedTopic {
  readonly topic: string;
  /** The name of the broker's refusal: `UNKNOWN_TOPIC_OR_PARTITION`, `TOPIC_AUTHORIZATION_FAILED`; null = it is there. */
  readonly refusal: string | null;
  readonly partitions: number;
  /** Partitions nobody leads. */
  readonly leaderless: number;
  /** Partitions with fewer replicas in sync than they are to have. */
  readonly underReplicated: number;
  /** Of the partition that has fewest. */
  readonly inSyncMin: number;
  readonly replicas: number;
  /** By name; null = this user may not ask. */
  readonly settings: ReadonlyMap<string, string | null> | null;
}

export interface GroupLook {
  /** Processes in it. */
  readonly members: number;
  /** Events behind its positions, by topic. */
  readonly behind: ReadonlyMap<string, number>;
  /** Records that were deleted before the group had read them, by topic. */
  readonly lost: ReadonlyMap<string, number>;
}

const settingNames = ['min.insync.replicas', 'max.message.bytes', 'retention.ms', 'retention.bytes', 'cleanup.policy'];
const defaults = { connectionTimeoutMs: 1_000, requestTimeoutMs: 3_000 };

/** Rejects with a PipelineError when no broker can be asked. */
export const lookAtKafka = (given: KafkaConnection, names: readonly string[]): Promise<KafkaLook> =>
  withCluster(given, async cluster => {
    await cluster.brokerPool.refreshMetadata([]);
    const broker = await cluster.brokerPool.findConnectedBroker();
    await cluster.brokerPool.refreshMetadata(names);
    const { clusterId, brokers, topicMetadata } = cluster.brokerPool.metadata!;
    const topics = topicMetadata.map(async ({ topic, code, partitionMetadata: partitions }): Promise<LookedTopic> => {
      const inSync = partitions.map(partition => partition.inSync ?? 0);
      return {
        topic,
        refusal: code === 0 ? null : (refusals[code] ?? `code ${code}`),
        partitions: partitions.length,
        leaderless: partitions.filter(({ leader }) => leader < 0).length,
        underReplicated: partitions.filter(({ replicas = 0 }, at) => inSync[at]! < replicas).length,
        inSyncMin: Math.min(...inSync),
        replicas: Math.max(0, ...partitions.map(({ replicas = 0 }) => replicas)),
        settings: code === 0 ? await settingsOf(broker, topic) : null,
      };
    });
    return {
      clusterId,
      brokers: brokers.map(({ host, port }) => `${host}:${port}`),
      topics: await Promise.all(topics),
    };
  });

/** Of a metadata answer. */
const refusals: Readonly<Record<number, string>> = {
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  17: 'INVALID_TOPIC_EXCEPTION',
  29: 'TOPIC_AUTHORIZATION_FAILED',
};

const topicResource = 2;

async function settingsOf(broker: CoordinatorBroker, name: string): Promise<LookedTopic['settings']> {
  try {
    const { resources } = await broker.describeConfigs({
      resources: [{ type: topicResource, name, configNames: settingNames }],
    });
    return new Map(
      resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue] as const),
      ),
    );
  } catch (error) {
    if (typeOfKafkaError(error) === undefined) throw error;
    return null;
  }
}

/** Twice, `apartMs` apart: what grows is told from what is only large. Rejects as lookAtKafka does. */
export const lookAtGroup = (
  given: KafkaConnection,
  groupId: string,
  names: readonly string[],
  apartMs: number,
): Promise<readonly [before: GroupLook, after: GroupLook]> =>
  withCluster(given, async cluster => {
    const topics = kafkaTopics(cluster, given.brokers.join(','), Number.POSITIVE_INFINITY);
    await cluster.brokerPool.refreshMetadata([]);
    const coordinator = await openCoordinator(cluster, groupId);
    try {
      const look = () => groupNow({ cluster, coordinator, topics }, groupId, names);
      const before = await look();
      await sleep(apartMs, new AbortController().signal);
      return [before, await look()];
    } finally {
      dropBroker(coordinator, new PipelineError('shutting_down'));
    }
  });

interface Looking {
  readonly cluster: Cluster;
  readonly coordinator: CoordinatorBroker;
  readonly topics: Topics;
}

async function groupNow(
  { cluster, coordinator, topics }: Looking,
  groupId: string,
  names: readonly string[],
): Promise<GroupLook> {
  const { groups } = await coordinator.describeGroups({ groupIds: [groupId] });
  const behind = new Map<string, number>();
  const lost = new Map<string, number>();
  for (const topic of names) {
    const { leaders } = await topics.load(topic);
    const { responses } = await coordinator.offsetFetch({
      groupId,
      topics: [{ topic, partitions: leaders.map((_, partition) => ({ partition })) }],
    });
    const committed = new Map(
      responses.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])),
    );
    for (const [partition, leader] of leaders.entries()) {
      if (leader < 0) continue;
      const place = { topic, partition };
      const [low, high] = await Promise.all([earliestOf(cluster, topics, place), endOf(cluster, topics, place)]);
      const at = committed.get(partition) ?? -1;
      behind.set(topic, (behind.get(topic) ?? 0) + Math.max(0, high - Math.max(at, low)));
      if (at >= 0 && at < low) lost.set(topic, (lost.get(topic) ?? 0) + low - at);
    }
  }
  return { members: groups[0]?.members.length ?? 0, behind, lost };
}

async function withCluster<T>(given: KafkaConnection, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const options = { ...defaults, ...given, requestTimeoutMs: defaults.requestTimeoutMs };
  const cluster = openCluster(options);
  try {
    return await use(cluster);
  } catch (thrown) {
    throw errorOfKafka(thrown, 'before sending', options.brokers.join(','));
  } finally {
    dropCluster(cluster, new PipelineError('shutting_down'));
  }
}
