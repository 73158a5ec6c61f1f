// Where the partitions of a topic live, and which log it is: asked for when the topic is first written to, when a broker
// has failed or says that a partition has moved, and now and then. One question at a time, each for one topic. A broker
// that cannot be asked fails every question that waits, or ten topics would wait for ten timeouts.

import { PipelineError } from '../../../errors.ts';
import { type Cluster, createErrorFromCode, dropHung } from '../connect/driver.ts';
import { errorOfKafka, typeOfKafkaError } from '../connect/error.ts';
import { type LogIdentity, withIdOf } from '../connect/identity.ts';

export interface KnownTopic {
  readonly topic: string;
  /** Leader's node of each partition, -1 = none now. */
  readonly leaders: readonly number[];
  /** Of each leader; grows with each election. -1 = not told. */
  readonly epochs: readonly number[];
  readonly log: LogIdentity;
}

export interface Topics {
  /** What is known and not in doubt. `atMs`: now, if the caller knows. */
  known(topic: string, atMs?: number): KnownTopic | undefined;
  /** Asks. Concurrent askers share one question. Rejects with a PipelineError. */
  load(topic: string): Promise<KnownTopic>;
  doubt(topic: string): void;
  /** Asks without letting its caller wait, if what is known is older than this. */
  refresh(topic: string, ageMs: number): void;
  /** A broker has failed: all it leads is in doubt. */
  doubtLeader(node: number): void;
}

export function kafkaTopics(cluster: Cluster, address: string, ageMsMax: number): Topics {
  const topics = new Map<string, KnownTopic & { readonly loadedAtMs: number }>();
  const loading = new Map<string, Promise<KnownTopic>>();
  let last: Promise<unknown> = Promise.resolve();
  /** The last time no broker could be asked. */
  let unreachable: { readonly atMs: number; readonly error: PipelineError } | null = null;

  async function ask(topic: string): Promise<KnownTopic> {
    const { brokerPool } = cluster;
    try {
      await brokerPool.refreshMetadata([topic]);
    } catch (error) {
      dropHung(cluster, error);
      const known = errorOfKafka(error, 'before sending', `topic ${topic} at ${address}`);
      if (typeOfKafkaError(error) === undefined) unreachable = { atMs: performance.now(), error: known };
      throw known;
    }
    const { topicMetadata, clusterId } = brokerPool.metadata!;
    const found = topicMetadata.find(entry => entry.topic === topic);
    if (found === undefined) throw new PipelineError('log_unavailable', `${address} says nothing of topic ${topic}`);
    if (found.code !== 0)
      throw errorOfKafka(createErrorFromCode(found.code), 'before sending', `topic ${topic} at ${address}`);
    const leaders: number[] = Array(found.partitionMetadata.length).fill(-1);
    const epochs = leaders.slice();
    for (const { partitionId, leader, leaderEpoch = -1 } of found.partitionMetadata) {
      leaders[partitionId] = leader;
      epochs[partitionId] = leaderEpoch;
    }
    // What one broker does not tell, another has told: a log keeps its name.
    const log = withIdOf({ topicId: found.topicId, clusterId }, topics.get(topic)?.log);
    const known = { topic, leaders, epochs, log, loadedAtMs: performance.now() };
    topics.set(topic, known);
    return known;
  }

  function load(topic: string): Promise<KnownTopic> {
    const underWay = loading.get(topic);
    if (underWay !== undefined) return underWay;
    const wantedAtMs = performance.now();
    const loaded = last
      .then(() =>
        unreachable !== null && unreachable.atMs > wantedAtMs ? Promise.reject(unreachable.error) : ask(topic),
      )
      .finally(() => loading.delete(topic));
    last = loaded.catch(() => {});
    loading.set(topic, loaded);
    return loaded;
  }

  function refresh(topic: string, ageMs: number, atMs = performance.now()): void {
    const known = topics.get(topic);
    if (known !== undefined && atMs - known.loadedAtMs > ageMs) load(topic).catch(() => {});
  }

  return {
    known(topic, atMs) {
      // Old is good enough for now: the answer of a broker that has nothing to do with it any more says so.
      refresh(topic, ageMsMax, atMs);
      return topics.get(topic);
    },
    load,
    refresh,
    doubt: topic => void topics.delete(topic),
    doubtLeader(node) {
      for (const [topic, { leaders }] of topics) if (leaders.includes(node)) topics.delete(topic);
    },
  };
}
