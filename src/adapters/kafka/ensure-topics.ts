// The topics must be there before anything is written to them. Those that are missing are created, or, where this user
// may not, the command for somebody who may is in the error.

import { type Admin, Kafka, logLevel } from 'kafkajs';
import { PipelineError } from '../../errors.ts';
import { errorOfKafka, typeOfKafkaError } from './error.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from './options.ts';

const leaderTriesMax = 200;
const leaderPauseMs = 50;

export interface TopicShape {
  readonly partitions: number;
  readonly replicas: number;
  /** Whether we may create any; otherwise one that is missing is a `log_halted`. */
  readonly create?: boolean;
}

/** Resolves with the topics it created. Rejects with a PipelineError: `log_halted` names the command to run. */
export async function ensureTopics(
  given: KafkaLogOptions,
  wanted: readonly string[],
  { partitions, replicas, create = true }: TopicShape,
): Promise<readonly string[]> {
  const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs } = { ...kafkaLogDefaults, ...given };
  const address = brokers.join(',');
  const admin = new Kafka({
    brokers: [...brokers],
    clientId,
    ...(ssl && { ssl }),
    ...(sasl && { sasl }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    // Given, because kafkajs' defaults depend on NODE_ENV.
    retry: { retries: 0 },
  }).admin();
  let missing: readonly string[] = [];
  try {
    await admin.connect();
    missing = await missingOf(admin, wanted);
    if (missing.length === 0) return missing;
    if (!create) throw new PipelineError('log_halted', `${address} does not have every topic`);
    await admin.createTopics({
      topics: missing.map(topic => ({ topic, numPartitions: partitions, replicationFactor: replicas })),
      waitForLeaders: false,
    });
    await led(admin, missing);
    return missing;
  } catch (thrown) {
    const error = errorOfKafka(thrown, 'before sending', address);
    if (missing.length === 0) throw error;
    const commands = missing.map(
      topic =>
        `kafka-topics.sh --bootstrap-server ${brokers[0]} --create --if-not-exists --topic ${topic} ` +
        `--partitions ${partitions} --replication-factor ${replicas}`,
    );
    throw new PipelineError(
      error.code,
      `${error.message}\nThese topics are missing, create them:\n${commands.join('\n')}`,
      { cause: thrown },
    );
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/**
 * What is not in the list of all that this user may see is asked for by name: one question a topic, because kafkajs fails
 * the whole answer for one topic that is not there or has no leader.
 */
async function missingOf(admin: Admin, wanted: readonly string[]): Promise<readonly string[]> {
  const seen = new Set(await admin.listTopics());
  const unseen = wanted.filter(name => !seen.has(name));
  const types = await Promise.all(
    unseen.map(topic =>
      admin.fetchTopicMetadata({ topics: [topic] }).then(
        () => null,
        (error: unknown) => typeOfKafkaError(error) ?? Promise.reject(error),
      ),
    ),
  );
  return unseen.filter((topic, at) => {
    const type = types[at]!;
    if (type === null || type === 'LEADER_NOT_AVAILABLE') return false;
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return true;
    throw errorOfKafka({ type, message: type }, 'before sending', `topic ${topic}`);
  });
}

/**
 * Until every partition has a leader that knows it is one: a topic is created before the brokers have heard of it, and a
 * leader named in the metadata may still refuse (NOT_LEADER_FOR_PARTITION). The leaders alone can say offsets.
 */
async function led(admin: Admin, topics: readonly string[]): Promise<void> {
  await Promise.all(
    topics.map(async topic => {
      for (let tries = 1; ; tries++) {
        try {
          await admin.fetchTopicOffsets(topic);
          return;
        } catch (error) {
          if (tries === leaderTriesMax) throw error;
          await Bun.sleep(leaderPauseMs);
        }
      }
    }),
  );
}
