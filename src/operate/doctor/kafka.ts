// The group `kafka`: brokers, login, topics and their settings, and how far the group of the etl role is.

import { type KafkaLook, type LookedTopic, lookAtGroup, lookAtKafka } from '../../adapters/kafka/connect/look.ts';
import type { KafkaConnection } from '../../adapters/kafka/connect/options.ts';
import { topicsOf } from '../../catalogue/topics.ts';
import { catalogueFor } from '../../catalogue/type-folder.ts';
import type { Config } from '../../config/config.ts';
import { brokerOf } from '../../config/transport.ts';
import { PipelineError } from '../../errors.ts';
import { countOf, duration, size } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';

const down = 'docs/operate/incidents/kafka-down.md';
const brokerGone = 'docs/operate/incidents/broker-gone.md';
const lagging = 'docs/operate/incidents/lag-growing.md';
const waitMs = 'events are answered from the disk buffer meanwhile, and go to Kafka by themselves';

export const kafkaGroup =
  (kafkaOf: (config: Config) => KafkaConnection): GroupOf =>
  ({ config, isBeforeStart }) => {
    if (brokerOf(config) !== 'kafka') return null;
    return {
      name: 'kafka',
      probes: [
        { id: 'kafka.reach', hint: 'see UGC_KAFKA_BROKERS', page: down, look: () => lookedAt(config, kafkaOf(config)) },
        ...(isBeforeStart
          ? []
          : [
              {
                id: 'kafka.lag',
                hint: 'see whether ugc --role=etl runs',
                page: lagging,
                look: () => lagOf(config, kafkaOf(config)),
              },
            ]),
      ],
    };
  };

async function lookedAt(config: Config, connection: KafkaConnection): Promise<readonly Check[]> {
  const { written } = topicsOf(config, catalogueFor(config));
  try {
    const look = await lookAtKafka(connection, written);
    return [brokersOf(look), ...topicChecks(look, config)];
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return [unreached(error)];
  }
}

function unreached({ message }: PipelineError): Check {
  if (/refused the user or password/.test(message))
    return wrong('kafka.login', {
      seen: message,
      follows: waitMs,
      hint: 'set UGC_KAFKA_USER and UGC_KAFKA_PASSWORD as the brokers have them, then start ugc again',
      page: 'docs/operate/incidents/wrong-password.md',
    });
  if (/TLS does not work/.test(message))
    return wrong('kafka.tls', {
      seen: message,
      follows: waitMs,
      hint: 'renew the brokers’ certificate, or name its authority in UGC_KAFKA_TLS_CA',
      page: 'docs/operate/incidents/certificate-expired.md',
    });
  return wrong('kafka.reach', {
    seen: message,
    follows: waitMs,
    hint: 'start the brokers, or set UGC_KAFKA_BROKERS right; watch the room left in the group buffer',
    page: down,
  });
}

const brokersOf = ({ brokers, clusterId }: KafkaLook): Check =>
  good('kafka.reach', `${countOf(brokers.length, 'broker')} of cluster ${clusterId ?? '?'}: ${brokers.join(', ')}`);

const isMissing = ({ refusal }: LookedTopic): boolean => refusal === 'UNKNOWN_TOPIC_OR_PARTITION';

function topicChecks({ topics }: KafkaLook, config: Config): readonly Check[] {
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
        follows: waitMs,
        hint: 'bring those brokers back',
        page: brokerGone,
      }),
    ];
  const tooFew = topics.filter(topic => topic.inSyncMin < (numberOf(topic, 'min.insync.replicas') ?? 1));
  if (tooFew.length > 0)
    return [
      wrong(id, {
        seen: `too few replicas are in sync of ${shortOf(tooFew)}: fewer than min.insync.replicas`,
        follows: `Kafka takes nothing for them; ${waitMs}`,
        hint: 'bring the missing brokers back; lowering min.insync.replicas gives up what it is for',
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
  const margins = topics.map(topic => topic.replicas - (numberOf(topic, 'min.insync.replicas') ?? 1));
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

/** A weekend. */
const keptMsMin = 72 * 3_600_000;

function retentionOf(topics: readonly LookedTopic[]): readonly Check[] {
  const short = topics.filter(topic => {
    const kept = numberOf(topic, 'retention.ms');
    return kept !== null && kept >= 0 && kept < keptMsMin;
  });
  if (short.length === 0) return [];
  const least = Math.min(...short.map(topic => numberOf(topic, 'retention.ms') ?? 0));
  return [
    doubtful('kafka.retention', {
      seen: `${shortOf(short)}: records are kept for ${duration(least)}`,
      follows: 'what etl has not read by then is lost',
      hint: 'raise retention.ms to longer than ClickHouse may be away',
      page: lagging,
    }),
  ];
}

const apartMs = 1_500;

async function lagOf(config: Config, connection: KafkaConnection): Promise<readonly Check[]> {
  const { read } = topicsOf(config, catalogueFor(config));
  let looked: Awaited<ReturnType<typeof lookAtGroup>>;
  try {
    const { topics } = await lookAtKafka(connection, read);
    const there = topics.filter(({ refusal }) => refusal === null).map(({ topic }) => topic);
    looked = await lookAtGroup(connection, config.kafkaGroup, there, apartMs);
  } catch (error) {
    if (error instanceof PipelineError && error.retry === 'backoff') return []; // the probe before has said so
    if (error instanceof PipelineError && /refused the user|TLS does not work/.test(error.message)) return [];
    throw error;
  }
  const [before, after] = looked;
  const lost = [...after.lost].map(([topic, events]) => `${events} of ${topic}`);
  const checks: Check[] = [lagCheck(sum(before.behind), sum(after.behind), after.members, config.kafkaGroup)];
  if (lost.length > 0)
    checks.push(
      wrong('kafka.lost', {
        seen: `Kafka has deleted records that etl had not read: ${lost.join(', ')}`,
        follows: 'they never become rows, unless the cold archive has them',
        hint: 'raise retention.ms, bring etl back, then see ugc reconcile and ugc archive restore',
        page: lagging,
      }),
    );
  return checks;
}

const sum = (numbers: ReadonlyMap<string, number>): number => [...numbers.values()].reduce((all, one) => all + one, 0);

function lagCheck(before: number, after: number, members: number, group: string): Check {
  const id = 'kafka.lag';
  const seen = `${countOf(after, 'event')} in Kafka are not rows yet`;
  if (members === 0)
    return (after > 0 ? wrong : doubtful)('kafka.group', {
      seen: `no process reads as group ${group}; ${seen}`,
      follows: 'nothing becomes a row',
      hint: 'start ugc --role=etl, or look at the log of the one that runs',
      page: lagging,
    });
  if (after > before && after > lagMin)
    return doubtful(id, {
      seen: `the lag grows: ${seen}, ${after - before} more than ${apartMs} ms before`,
      follows: 'rows come later and later; none is lost before Kafka deletes it',
      hint: 'see the group clickhouse; else start more ugc --role=etl, up to one for each partition',
      page: lagging,
    });
  return good(id, `${seen}; ${members === 1 ? '1 process reads' : `${members} processes read`} as group ${group}`);
}

/** Fewer are on their way. */
const lagMin = 10_000;
