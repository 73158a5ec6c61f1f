// Kafka as a transport: how this process reaches it, from the settings.

import { controlTopic } from '../../schemas/topic.ts';
import { ensureTopics } from '../adapters/kafka/connect/ensure-topics.ts';
import { lookAtGroup, lookAtKafka } from '../adapters/kafka/connect/look.ts';
import type { KafkaLogOptions, TlsOptions } from '../adapters/kafka/connect/options.ts';
import { kafkaFlowControl } from '../adapters/kafka/read/flow-control.ts';
import { watchLeftOver } from '../adapters/kafka/read/left-over.ts';
import { logSpans } from '../adapters/kafka/read/log-spans.ts';
import { retentionOf } from '../adapters/kafka/read/retention.ts';
import { kafkaSource } from '../adapters/kafka/read/source.ts';
import { kafkaLog } from '../adapters/kafka/write/log.ts';
import { topicsFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { nameOf } from '../config/from.ts';
import { readClientTls } from '../config/pem.ts';
import { brokerOf } from '../config/transport.ts';
import type { FlowControl } from '../ports/flow-control.ts';
import type { LogSpan, Source } from '../ports/source.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { refuseStrange } from './strange-topics.ts';

export interface KafkaTransportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What is read for the tables tells of which traces it is. */
  readonly isTraced: boolean;
}

/** Throws `config_invalid` when a PEM file cannot be read. */
export function kafkaTransport(given: KafkaTransportOptions): Transport {
  const { config } = given;
  const options = kafkaOptionsOf(config);
  const { topicPartitions: partitions, topicReplication: replicas, topicCreate: create } = config;
  return {
    name: 'kafka',
    title: 'Kafka',
    openLog: () => kafkaLog(options),
    ensureTopics: topics => ensureTopics(options, topics, { partitions, replicas, create }),
    assertKnown: topics => refuseStrange(config.from, topics),
    openSource: (topics, known) => openSource({ ...given, topics, known }),
    openReader: (reader, topics) => openReader(reader, topics, given),
    openFlowControl: () => kafkaFlowControlOf(config, given.logger),
    behind: (reader, topics) => behindInKafka(config, reader, topics),
    keeps: async topics =>
      new Map(
        (await retentionOf(options, topics)).flatMap(({ topic, keepsMs }) =>
          typeof keepsMs === 'number' ? [[topic, keepsMs] as const] : [],
        ),
      ),
  };
}

interface Reading extends KafkaTransportOptions {
  readonly topics: readonly string[];
  readonly known: () => readonly string[];
}

function openSource({ config, topics, known, logger, metrics, isTraced }: Reading): Source {
  const { from, kafkaSessionTimeoutMs: sessionTimeoutMs } = config;
  const groupId = groupOf(config, null);
  if (from !== null)
    logger.info({ group: groupId }, 'reading the log again; done when ugc_etl_lag_events says 0 of every topic');
  const options = { ...kafkaOptionsOf(config), groupId };
  const onReplaced = (topic: string): void => metrics.etlLogReplaced.inc({ topic });
  const source = kafkaSource({ ...options, sessionTimeoutMs, from, topics, logger, onReplaced, isTraced });
  const leftOver = watchLeftOver({
    ...options,
    known,
    onChange: left => {
      if (left.size > 0) logger.warn({ topics: [...left.keys()] }, leftOverWords(left));
    },
  });
  return {
    ...source,
    problem: () => source.problem() ?? (leftOver.left.size === 0 ? null : leftOverWords(leftOver.left)),
    close: () => {
      leftOver.stop();
      return source.close();
    },
  };
}

/**
 * Of the mover (null), or of a reader beside it. What is read again has a group of its own: the usual one goes on where it
 * is, and a restart goes on where this one was.
 */
function groupOf({ from, kafkaGroup }: Config, reader: string | null): string {
  if (reader !== null) return `${kafkaGroup}-${reader}`;
  return from === null ? kafkaGroup : `${kafkaGroup}-from-${nameOf(from)}`;
}

/** What operators wish of flows, for all processes of these settings. */
export function kafkaFlowControlOf(config: Config, logger: Logger): FlowControl {
  const { topicReplication: replicas, topicCreate: create } = config;
  return kafkaFlowControl({
    connection: { ...kafkaOptionsOf(config), compression: 'none' },
    topic: controlTopic(config.topic),
    replicas,
    create,
    logger,
  });
}

/** What a topic that is not there holds is nothing. */
export async function behindInKafka(config: Config, reader: string | null, names: readonly string[]) {
  const options = kafkaOptionsOf(config);
  const { topics } = await lookAtKafka(options, names);
  const there = topics.filter(({ refusal }) => refusal !== 'UNKNOWN_TOPIC_OR_PARTITION').map(({ topic }) => topic);
  const [, { behind }] = await lookAtGroup(options, groupOf(config, reader), there, 0);
  return behind;
}

/** UGC_FROM is of the tables' reader alone. */
const openReader = (reader: string, topics: readonly string[], { config, logger }: KafkaTransportOptions): Source =>
  kafkaSource({
    ...kafkaOptionsOf(config),
    groupId: groupOf(config, reader),
    sessionTimeoutMs: config.kafkaSessionTimeoutMs,
    topics,
    logger,
  });

const leftOverWords = (left: ReadonlyMap<string, number>): string =>
  `events wait that nobody reads, of an earlier UGC_TOPIC, UGC_LEDGER or UGC_REJECTIONS_SECONDS: ${[...left]
    .map(([topic, events]) => `${events} in ${topic}`)
    .join(', ')}; they become rows by another ugc --role=etl with the earlier setting`;

/** What the log has now of every topic of these settings, and of `also`; null where it is not Kafka. */
export function spansOfLog(config: Config, also: readonly string[]): Promise<readonly LogSpan[]> | null {
  if (brokerOf(config) !== 'kafka') return null;
  return logSpans(kafkaOptionsOf(config), [...new Set([...topicsFor(config), ...also])]);
}

/** How this process reaches Kafka. Rejects with `config_invalid` when a PEM file cannot be read. */
export function kafkaOptionsOf(config: Config): KafkaLogOptions {
  const { kafkaSasl, kafkaUser: username, kafkaPassword: password } = config;
  return {
    brokers: config.kafkaBrokers.split(','),
    clientId: config.kafkaClientId,
    compression: config.kafkaCompression,
    connectionTimeoutMs: config.kafkaConnectTimeoutMs,
    requestTimeoutMs: config.kafkaRequestTimeoutMs,
    ...(config.kafkaTls && { ssl: tlsOf(config) }),
    ...(kafkaSasl !== 'none' && { sasl: { mechanism: kafkaSasl, username, password } as KafkaLogOptions['sasl'] & {} }),
  };
}

const tlsOf = ({ kafkaTlsCa, kafkaTlsCert, kafkaTlsKey }: Config): TlsOptions =>
  readClientTls({
    ca: ['UGC_KAFKA_TLS_CA', kafkaTlsCa],
    cert: ['UGC_KAFKA_TLS_CERT', kafkaTlsCert],
    key: ['UGC_KAFKA_TLS_KEY', kafkaTlsKey],
  });
