// Of the group `kafka`: the topics of events, and those of their settings that lose events or keep them from being taken.

import type { LookedTopic } from '../../adapters/kafka/connect/look.ts';
import type { Config } from '../../config/config.ts';
import { countOf, duration, size } from '../output.ts';
import { type Check, doubtful, good, wrong } from './check.ts';

const brokerGone = 'docs/operate/incidents/broker-gone.md';
const lagging = 'docs/operate/incidents/lag-growing.md';
/** What follows where Kafka takes nothing. */
export const waits = 'events are answered from the disk buffer meanwhile, and go to Kafka by themselves';

const isMissing = ({ refusal }: LookedTopic): boolean => refusal === 'UNKNOWN_TOPIC_OR_PARTITION';

export function topicChecks(topics: readonly LookedTopic[], config: Config): readonly Check[] {
  const missing = topics.filter(isMissing);
  const refused = topics.filter(topic => topic.refusal !== null && !isMissing(topic));
  const there = topics.filter(({ refusal }) => refusal === null);
  return [
    ...(there.length > 0 ? replicationOf(there) : []),
    ...missingOf(missing, config),
    ...refused.map(({ topic, refusal }) =>
      wrong('kafka.rights', {
        seen: `${topic}: ${refusal}`,
        follows: 'its events stay in the disk buffer',
        hint: 'give the user of UGC_KAFKA_USER the ACLs Write, Read and Describe of the topic',
        page: 'docs/operate/incidents/wrong-password.md',
      }),
    ),
    ...sizesOf(there, config),
    ...compactedOf(there),
    ...retentionOf(there),
  ];
}

function missingOf(missing: readonly LookedTopic[], { topicCreate }: Config): readonly Check[] {
  if (missing.length === 0) return [];
  const seen = `${countOf(missing.length, 'topic')} not there yet: ${shortOf(missing)}`;
  if (topicCreate) return [good('kafka.topics', `${seen}; ugc makes them`)];
  return [
    wrong('kafka.topics', {
      seen,
      follows: 'their events stay in the disk buffer',
      hint: 'create them: the log of ugc has the commands (UGC_TOPIC_CREATE=false)',
      page: 'docs/use/kafka.md',
    }),
  ];
}

const shownMax = 4;

const shortOf = (topics: readonly LookedTopic[]): string => {
  const names = topics.slice(0, shownMax).map(({ topic }) => topic);
  return topics.length > shownMax ? `${names.join(', ')} and ${topics.length - shownMax} more` : names.join(', ');
};

const numberOf = ({ settings }: LookedTopic, name: string): number | null => {
  const said = settings?.get(name);
  return said == null || !/^-?\d+$/.test(said) ? null : Number(said);
};

/** Kafka from 3.7 on counts no more than there are replicas (KAFKA-15583). */
const inSyncWanted = (topic: LookedTopic): number => numberOf(topic, 'min.insync.replicas') ?? 1;

function replicationOf(topics: readonly LookedTopic[]): readonly Check[] {
  const id = 'kafka.replication';
  const unled = topics.filter(({ leaderless }) => leaderless > 0);
  if (unled.length > 0)
    return [
      wrong(id, {
        seen: `nobody leads ${countOf(
          unled.reduce((sum, { leaderless }) => sum + leaderless, 0),
          'partition',
        )} of ${shortOf(unled)}: every broker that holds them is away`,
        follows: waits,
        hint: 'bring those brokers back',
        page: brokerGone,
      }),
    ];
  const tooFew = topics.filter(topic => topic.inSyncMin < Math.min(inSyncWanted(topic), topic.replicas));
  if (tooFew.length > 0)
    return [
      wrong(id, {
        seen: `too few replicas are in sync of ${shortOf(tooFew)}: fewer than min.insync.replicas`,
        follows: `Kafka takes nothing for them; ${waits}`,
        hint: 'bring the missing brokers back; lowering min.insync.replicas gives up what it is for',
        page: brokerGone,
      }),
    ];
  const never = topics.filter(topic => topic.replicas < inSyncWanted(topic));
  const [one] = never;
  if (one !== undefined)
    return [
      doubtful(id, {
        seen: `${shortOf(never)}: min.insync.replicas is ${inSyncWanted(one)}, and there ${one.replicas === 1 ? 'is 1 replica' : `are ${one.replicas} replicas`}`,
        follows: 'the first broker that is away stops every write to Kafka; Kafka before 3.7 takes nothing at all',
        hint: 'three replicas with min.insync.replicas=2: kafka-reassign-partitions.sh makes more of them',
        page: brokerGone,
      }),
    ];
  const under = topics.filter(({ underReplicated }) => underReplicated > 0);
  if (under.length > 0)
    return [
      doubtful(id, {
        seen: `a broker is missing or behind: ${countOf(under.length, 'topic')} with replicas that are not in sync (${shortOf(under)})`,
        follows: 'all goes on; the next broker that fails may stop it',
        hint: 'bring the missing broker back; its replicas catch up by themselves',
        page: brokerGone,
      }),
    ];
  const least = Math.min(...topics.map(({ replicas }) => replicas));
  const margins = topics.map(topic => topic.replicas - inSyncWanted(topic));
  if (least === 1)
    return [
      doubtful(id, {
        seen: 'topics have one replica',
        follows: 'what Kafka has acked is gone with that broker’s disk',
        hint: 'in production: three replicas, min.insync.replicas=2 (UGC_TOPIC_REPLICATION)',
        page: brokerGone,
      }),
    ];
  if (Math.min(...margins) <= 0)
    return [
      doubtful(id, {
        seen: 'min.insync.replicas is as large as the number of replicas',
        follows: 'the first broker that is away stops every write to Kafka',
        hint: 'three replicas with min.insync.replicas=2',
        page: brokerGone,
      }),
    ];
  return [good(id, `${countOf(topics.length, 'topic')}, every replica in sync, ${least} of each`)];
}

function sizesOf(topics: readonly LookedTopic[], { eventBytesMax }: Config): readonly Check[] {
  // A record is the event and the edge's own fields, in a batch.
  const wanted = eventBytesMax + 4_096;
  const small = topics.filter(topic => (numberOf(topic, 'max.message.bytes') ?? Number.POSITIVE_INFINITY) < wanted);
  if (small.length === 0) return [];
  return [
    doubtful('kafka.sizes', {
      seen: `${shortOf(small)}: max.message.bytes is less than events may have (${size(eventBytesMax)}, UGC_EVENT_BYTES_MAX)`,
      follows: 'a large event is refused by Kafka and set aside in the buffer’s quarantine',
      hint: `raise max.message.bytes to ${wanted}, or lower UGC_EVENT_BYTES_MAX`,
      page: 'docs/operate/buffer.md',
    }),
  ];
}

function compactedOf(topics: readonly LookedTopic[]): readonly Check[] {
  const compacted = topics.filter(({ settings }) => /compact/.test(settings?.get('cleanup.policy') ?? ''));
  if (compacted.length === 0) return [];
  return [
    wrong('kafka.compacted', {
      seen: `${shortOf(compacted)}: cleanup.policy is compact`,
      follows:
        'of the events of one user Kafka keeps the last; those before it are lost where etl has not read them yet',
      hint: 'set cleanup.policy=delete for the topics of events',
      page: lagging,
    }),
  ];
}

/** A weekend. */
const keptMsMin = 72 * 3_600_000;

/** A partition fills it within an hour at 300 KB a second. */
const keptBytesMin = 2 ** 30;

function retentionOf(topics: readonly LookedTopic[]): readonly Check[] {
  const keepsBelow = (name: string, min: number) =>
    topics.flatMap(topic => {
      const kept = numberOf(topic, name);
      return kept !== null && kept >= 0 && kept < min ? [{ topic, kept }] : [];
    });
  const told = (
    short: ReturnType<typeof keepsBelow>,
    name: string,
    words: (kept: number) => string,
  ): readonly Check[] =>
    short.length === 0
      ? []
      : [
          doubtful('kafka.retention', {
            seen: `${shortOf(short.map(({ topic }) => topic))}: ${words(Math.min(...short.map(({ kept }) => kept)))} (${name})`,
            follows: 'what etl has not read by then is lost',
            hint: `raise ${name} to more than comes while ClickHouse may be away`,
            page: lagging,
          }),
        ];
  return [
    ...told(keepsBelow('retention.ms', keptMsMin), 'retention.ms', kept => `records are kept for ${duration(kept)}`),
    ...told(keepsBelow('retention.bytes', keptBytesMin), 'retention.bytes', kept => `a partition keeps ${size(kept)}`),
  ];
}
