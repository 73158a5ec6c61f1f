// The topics must be there before anything is written to them. Those that are missing are created, or, where this user
// may not, the command for an operator who may is in the error.

import { PipelineError } from '../../../errors.ts';
import { earliestOf } from '../read/positions.ts';
import { openCluster } from './cluster.ts';
import { type Cluster, dropCluster } from './driver.ts';
import { errorOfKafka, typeOfKafkaError } from './error.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from './options.ts';
import { kafkaTopics, type Topics } from './topics.ts';

const leaderTriesMax = 200;
const leaderPauseMs = 50;

export interface TopicShape {
  readonly partitions: number;
  readonly replicas: number;
  /** Whether we may create any; otherwise one that is missing is a `log_halted`. */
  readonly create?: boolean;
  /** Of each key its last record is kept for ever, and no other for long. */
  readonly isCompacted?: boolean;
}

/** Resolves with the topics it created. Rejects with a PipelineError: `log_halted` names the command to run. */
export async function ensureTopics(
  given: KafkaLogOptions,
  wanted: readonly string[],
  { partitions, replicas, create = true, isCompacted = false }: TopicShape,
): Promise<readonly string[]> {
  const options = { ...kafkaLogDefaults, ...given };
  const { brokers } = options;
  const address = brokers.join(',');
  const cluster = openCluster(options);
  const topics = kafkaTopics(cluster, address, Number.POSITIVE_INFINITY);
  let missing: readonly string[] = [];
  try {
    missing = await missingOf(topics, wanted);
    if (missing.length === 0) return missing;
    if (!create) throw new PipelineError('log_halted', `${address} does not have every topic`);
    await createAll(cluster, missing, { partitions, replicas, isCompacted });
    await led(cluster, topics, missing);
    return missing;
  } catch (thrown) {
    const error = errorOfKafka(thrown, 'before sending', address);
    if (missing.length === 0) throw error;
    const commands = missing.map(
      topic =>
        `kafka-topics.sh --bootstrap-server ${brokers[0]} --create --if-not-exists --topic ${topic} ` +
        `--partitions ${partitions} --replication-factor ${replicas}${isCompacted ? ' --config cleanup.policy=compact' : ''}`,
    );
    throw new PipelineError(
      error.code,
      `${error.message}\nThese topics are missing, create them:\n${commands.join('\n')}`,
      { cause: thrown },
    );
  } finally {
    dropCluster(cluster, new PipelineError('shutting_down'));
  }
}

/** Each is asked for by name: the list of all topics leaves out what this user may not see. */
async function missingOf(topics: Topics, wanted: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const topic of wanted)
    await topics.load(topic).catch(error => {
      const type = typeOfKafkaError(error);
      if (type === 'UNKNOWN_TOPIC_OR_PARTITION') missing.push(topic);
      else if (type !== 'LEADER_NOT_AVAILABLE') throw error; // else it is there, a moment old
    });
  return missing;
}

/** Not through kafkajs' admin, which asks for every topic there is, and fails when one partition of one has no leader. */
async function createAll({ brokerPool }: Cluster, missing: readonly string[], shape: TopicShape): Promise<void> {
  await brokerPool.refreshMetadata([]);
  const controller = await brokerPool.findBroker({ nodeId: brokerPool.metadata!.controllerId });
  const topics = missing.map(topic => ({
    topic,
    numPartitions: shape.partitions,
    replicationFactor: shape.replicas,
    ...(shape.isCompacted === true && { configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }),
  }));
  try {
    await controller.createTopics({ topics });
  } catch (thrown) {
    const { errors = [thrown] } = thrown as { readonly errors?: readonly unknown[] };
    const others = errors.filter(error => (error as { type?: string }).type !== 'TOPIC_ALREADY_EXISTS');
    if (others.length > 0) throw others[0];
  }
}

/**
 * Until every partition has a leader that knows it is one: a topic is created before the brokers have heard of it, and a
 * leader named in the metadata may still refuse (NOT_LEADER_FOR_PARTITION). The leaders alone can say offsets.
 */
async function led(cluster: Cluster, topics: Topics, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async topic => {
      for (let tries = 1; ; tries++) {
        try {
          const { leaders } = await topics.load(topic);
          if (leaders.length === 0) throw new Error(`topic ${topic} has no partitions yet`);
          await Promise.all(leaders.map((_, partition) => earliestOf(cluster, topics, { topic, partition })));
          return;
        } catch (error) {
          if (tries === leaderTriesMax) throw error;
          await Bun.sleep(leaderPauseMs);
        }
      }
    }),
  );
}
