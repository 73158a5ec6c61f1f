// The group `kafka`: brokers, login, topics (kafka-topics.ts), and how far the group of the etl role is.

import { type KafkaLook, lookAtGroup, lookAtKafka } from '../../adapters/kafka/connect/look.ts';
import type { KafkaConnection } from '../../adapters/kafka/connect/options.ts';
import { topicsOf } from '../../catalogue/topics.ts';
import { catalogueFor } from '../../catalogue/type-folder.ts';
import type { Config } from '../../config/config.ts';
import { brokerOf } from '../../config/transport.ts';
import { PipelineError } from '../../errors.ts';
import { countOf } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';
import { topicChecks, waits } from './kafka-topics.ts';

const down = 'docs/operate/incidents/kafka-down.md';
const lagging = 'docs/operate/incidents/lag-growing.md';

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
    return [brokersOf(look), ...topicChecks(look.topics, config)];
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return [unreached(error)];
  }
}

function unreached({ message }: PipelineError): Check {
  if (/refused the user or password/.test(message))
    return wrong('kafka.login', {
      seen: message,
      follows: waits,
      hint: 'set UGC_KAFKA_USER and UGC_KAFKA_PASSWORD as the brokers have them, then start ugc again',
      page: 'docs/operate/incidents/wrong-password.md',
    });
  if (/TLS does not work/.test(message))
    return wrong('kafka.tls', {
      seen: message,
      follows: waits,
      hint: 'renew the brokers’ certificate, or name its authority in UGC_KAFKA_TLS_CA',
      page: 'docs/operate/incidents/certificate-expired.md',
    });
  return wrong('kafka.reach', {
    seen: message,
    follows: waits,
    hint: 'start the brokers, or set UGC_KAFKA_BROKERS right; watch the room left in the group buffer',
    page: down,
  });
}

const brokersOf = ({ brokers, clusterId }: KafkaLook): Check =>
  good('kafka.reach', `${countOf(brokers.length, 'broker')} of cluster ${clusterId ?? '?'}: ${brokers.join(', ')}`);

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
