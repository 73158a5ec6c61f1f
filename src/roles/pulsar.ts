// Pulsar as a transport: how this process reaches it, from the settings.

import { avroSchema } from '../../schemas/avro.ts';
import { topicOf } from '../../schemas/topic.ts';
import { ensureTopics } from '../adapters/pulsar/connect/ensure-topics.ts';
import type { PulsarOptions } from '../adapters/pulsar/connect/options.ts';
import { pulsarSource } from '../adapters/pulsar/read/source.ts';
import { pulsarLog } from '../adapters/pulsar/write/log.ts';
import type { LiveCatalogue } from '../catalogue/live.ts';
import type { Config } from '../config/config.ts';
import { nameOf } from '../config/from.ts';
import { readClientTls } from '../config/pem.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger } from '../process/telemetry.ts';
import { refuseStrange } from './strange-topics.ts';

export interface PulsarTransportOptions {
  readonly config: Config;
  readonly catalogue: Pick<LiveCatalogue, 'accepted'>;
  readonly logger: Logger;
}

/** Throws `config_invalid` when a PEM file cannot be read. */
export function pulsarTransport({ config, catalogue, logger }: PulsarTransportOptions): Transport {
  const options = pulsarOptionsOf(config);
  const { topicPartitions: partitions, topicCreate: create, pulsarSubscription, from } = config;
  const { pulsarStallTimeoutMs: stallTimeoutMs } = config;
  // One of its own: the usual one goes on where it is, and a restart goes on where this one was.
  const subscription = from === null ? pulsarSubscription : `${pulsarSubscription}-from-${nameOf(from)}`;
  /** Of a topic whose records are all of one type. */
  const schemaOf = (topic: string): string | null => {
    const types = catalogue.accepted().types.filter(type => topicOf(config.topic, type) === topic);
    return types.length === 1 ? avroSchema(types[0]!) : null;
  };
  const registered = new Map<string, string>();
  const shape = { partitions, create, subscription: pulsarSubscription, schemaOf, registered };
  return {
    name: 'pulsar',
    title: 'Pulsar',
    openLog: () => pulsarLog(options),
    // A message each: what waits in front of a live event has to be little for it to be acked within the budget.
    drainPace: { perSecondMin: 500, underWayMax: 64 },
    ensureTopics: topics => ensureTopics(options, topics, shape),
    assertKnown: topics => refuseStrange(from, topics),
    openSource(topics) {
      if (from !== null)
        logger.info({ subscription }, 'reading the log again; done when ugc_etl_lag_events says 0 of every topic');
      return pulsarSource({ ...options, subscription, from, topics, stallTimeoutMs, logger });
    },
    // UGC_FROM is of the tables' reader alone.
    openReader: (reader, topics) =>
      pulsarSource({
        ...{ ...options, topics, stallTimeoutMs, logger },
        subscription: `${pulsarSubscription}-${reader}`,
        from: null,
      }),
  };
}

export function pulsarOptionsOf(config: Config): PulsarOptions {
  const none = ['', ''] as const;
  const { ca } = readClientTls({ ca: ['UGC_PULSAR_TLS_CA', config.pulsarTlsCa], cert: none, key: none });
  return {
    url: config.pulsarUrl.replace(/\/$/, ''),
    namespace: config.pulsarNamespace,
    token: config.pulsarToken,
    ...(ca !== undefined && { ca }),
    connectTimeoutMs: config.pulsarConnectTimeoutMs,
    requestTimeoutMs: config.pulsarRequestTimeoutMs,
    frameBytesMax: config.pulsarFrameBytesMax,
  };
}
