// RabbitMQ as a transport: how this process reaches it, from the settings.

import { hintOf } from '../../schemas/nearest.ts';
import { ensureTopics } from '../adapters/rabbitmq/connect/ensure-topics.ts';
import type { RabbitmqLogOptions } from '../adapters/rabbitmq/connect/options.ts';
import { ageMsOf, retentionOf } from '../adapters/rabbitmq/read/retention.ts';
import { rabbitmqSource } from '../adapters/rabbitmq/read/source.ts';
import { rabbitmqLog } from '../adapters/rabbitmq/write/log.ts';
import type { Config } from '../config/config.ts';
import { nameOf } from '../config/from.ts';
import { readClientTls } from '../config/pem.ts';
import { PipelineError } from '../errors.ts';
import type { Source } from '../ports/source.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface RabbitmqTransportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Throws `config_invalid` when a PEM file cannot be read. */
export function rabbitmqTransport({ config, logger, metrics }: RabbitmqTransportOptions): Transport {
  const options = rabbitmqOptionsOf(config);
  const {
    topicCreate: create,
    rabbitmqRetentionHours: retentionHours,
    rabbitmqRetentionBytes: retentionBytes,
  } = config;
  const settling = new Set<string>();
  return {
    name: 'rabbitmq',
    title: 'RabbitMQ',
    openLog: () => rabbitmqLog({ ...options, settling }),
    ensureTopics: topics => ensureTopics(options, topics, { create, retentionHours, retentionBytes, settling }),
    assertKnown: topics => refuseStrange(config, topics),
    openSource: topics => openSource(topics),
    openReader: (reader, topics) => openReader(reader, topics),
    ...(config.rabbitmqQueue === 'stream' && { keeps }),
  };

  async function keeps(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const ages = (await retentionOf(options, topics)).map(({ topic, age }) => [topic, ageMsOf(age)] as const);
    return new Map(ages.filter((each): each is [string, number] => each[1] !== null));
  }

  function openSource(topics: readonly string[]): Source {
    const { from, rabbitmqGroup, rabbitmqPrefetch: prefetch } = config;
    // A group of its own: the usual one goes on where it is, and a restart goes on where this one was.
    const group = from === null ? rabbitmqGroup : `${rabbitmqGroup}-from-${nameOf(from).replaceAll(':', '.')}`;
    if (from !== null)
      logger.info({ group }, 'reading the log again; done when ugc_etl_lag_events says 0 of every topic');
    const onReplaced = (topic: string): void => metrics.etlLogReplaced.inc({ topic });
    return rabbitmqSource({ ...options, group, topics, from, prefetch, logger, onReplaced });
  }

  /** UGC_FROM is of the tables' reader alone. */
  function openReader(reader: string, topics: readonly string[]): Source {
    const { rabbitmqGroup, rabbitmqPrefetch: prefetch } = config;
    return rabbitmqSource({ ...options, group: `${rabbitmqGroup}-${reader}`, topics, from: null, prefetch, logger });
  }
}

/** Throws `config_invalid` when --from names a topic that this process does not read: it would be passed over in silence. */
function refuseStrange({ from }: Config, topics: readonly string[]): void {
  if (from === null || 'atMs' in from) return;
  for (const place of from.offsets.keys()) {
    const [, topic = place, partition = ''] = /^(.*)\/(\d+)$/.exec(place) ?? [];
    if (!topics.includes(topic))
      throw new PipelineError(
        'config_invalid',
        `UGC_FROM (--from) names ${topic}, which is no topic of an event type${hintOf(topic, topics)}`,
      );
    if (partition !== '0')
      throw new PipelineError(
        'config_invalid',
        `UGC_FROM (--from) names ${place}: a stream of RabbitMQ has no partitions, say ${topic}/0`,
      );
  }
}

/** How this process reaches RabbitMQ. Throws `config_invalid` when a PEM file cannot be read. */
export function rabbitmqOptionsOf(config: Config): RabbitmqLogOptions {
  return {
    urls: config.rabbitmqUrl.split(','),
    kind: config.rabbitmqQueue,
    tls: readClientTls({
      ca: ['UGC_RABBITMQ_TLS_CA', config.rabbitmqTlsCa],
      cert: ['UGC_RABBITMQ_TLS_CERT', config.rabbitmqTlsCert],
      key: ['UGC_RABBITMQ_TLS_KEY', config.rabbitmqTlsKey],
    }),
    connectTimeoutMs: config.rabbitmqConnectTimeoutMs,
    requestTimeoutMs: config.rabbitmqRequestTimeoutMs,
    heartbeatSeconds: config.rabbitmqHeartbeatSeconds,
  };
}
