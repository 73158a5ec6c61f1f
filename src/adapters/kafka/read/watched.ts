// The topics a reader wants, looked at now and then: whether they exist, how many partitions they have, and whether
// each is still the log it was. A topic that was deleted and made again is another log: offsets of the old one mean
// nothing in it.
// - the topic's id decides, where brokers tell one; where they do not, the cluster's id, and that the topic was away
// - a broker that lags behind the others may tell of a log that is gone: what was left is not gone back to

import type { PipelineError } from '../../../errors.ts';
import type { Logger } from '../../../process/telemetry.ts';
import type { Troubles } from '../../../process/troubles.ts';
import { errorOfReader, typeOfKafkaError } from '../connect/error.ts';
import { isSameLog, type LogIdentity, markOf } from '../connect/identity.ts';
import type { KnownTopic, Topics } from '../connect/topics.ts';

export interface WatchedOptions {
  readonly address: string;
  readonly topics: Topics;
  readonly troubles: Troubles;
  readonly logger: Logger;
  /** The topic is another log than before. */
  readonly onReplaced: (topic: string) => void;
}

export interface Watched {
  /** Asks: how many partitions a topic has now, 0 when it does not exist, undefined when it cannot be known. */
  look(topic: string): Promise<number | undefined>;
  /** Asks for each. As it is, or where no broker can be asked now, as it was. */
  count(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** As they were when last looked at. */
  counts(): ReadonlyMap<string, number>;
}

/** What a topic was when it was last looked at. */
interface Seen {
  readonly log: LogIdentity;
  /** Topic ids of the same cluster that were this topic before. */
  readonly gone: ReadonlySet<string>;
}

export function watchedTopics({ address, topics, troubles, logger, onReplaced }: WatchedOptions): Watched {
  const counts = new Map<string, number>();
  const missing = new Set<string>();
  const seen = new Map<string, Seen>();

  async function look(topic: string): Promise<number | undefined> {
    try {
      const known = await topics.load(topic);
      if (!recognize(known)) return undefined;
      troubles.clear('topics');
      troubles.clear(`topic ${topic}`);
      if (missing.delete(topic)) logger.info({ topic }, 'a topic that was missing is there now');
      return known.leaders.length;
    } catch (error) {
      const type = typeOfKafkaError(error);
      if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
        if (!missing.has(topic)) logger.warn({ topic }, 'a topic to be read does not exist; waiting for it');
        missing.add(topic);
        return 0;
      }
      const known: PipelineError = errorOfReader(error, type === undefined ? address : `topic ${topic}`);
      troubles.tell(type === undefined ? 'topics' : `topic ${topic}`, known);
      return undefined;
    }
  }

  /** False when this is news of a log that is gone. */
  function recognize({ topic, log }: KnownTopic): boolean {
    const before = seen.get(topic);
    if (before === undefined) {
      seen.set(topic, { log, gone: new Set() });
      return true;
    }
    const isSameCluster = before.log.clusterId === log.clusterId;
    if (isSameCluster && log.topicId !== null && before.gone.has(log.topicId)) {
      topics.doubt(topic);
      return false;
    }
    // Where no ids are told, nothing but its absence tells that a topic is not the one it was.
    const isUnnamed = log.topicId === null && before.log.topicId === null;
    if (isSameLog(before.log, log) && !(isUnnamed && missing.has(topic))) {
      if (log.topicId !== null) seen.set(topic, { ...before, log });
      return true;
    }
    const left = before.log.topicId === null ? [] : [before.log.topicId];
    seen.set(topic, { log, gone: new Set(isSameCluster ? [...before.gone, ...left] : []) });
    logger.warn(
      { topic, log_is: markOf(log), log_was: markOf(before.log) },
      'the topic was deleted and made again: it is another log now, and is read from its start',
    );
    onReplaced(topic);
    return true;
  }

  return {
    look,
    async count(names) {
      for (const topic of names) {
        const count = await look(topic);
        if (count !== undefined) counts.set(topic, count);
      }
      return new Map(counts);
    },
    counts: () => counts,
  };
}
