// A cluster of kafkajs as we use it (driver.ts): it logs nothing, tries nothing again, creates nothing, and asks for
// metadata with our own request.

import type { SASLOptions } from 'kafkajs';
import { PipelineError } from '../../../errors.ts';
import { type HostPort, parseHostPort } from '../../../process/address.ts';
import type { Cluster } from './driver.ts';
import { askMetadata } from './metadata.ts';
import type { TlsOptions } from './options.ts';

export interface ClusterOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly ssl?: TlsOptions;
  readonly sasl?: SASLOptions;
}

const ClusterOfKafkajs = require('kafkajs/src/cluster') as new (options: object) => Cluster;
const { createLogger, LEVELS } = require('kafkajs/src/loggers') as {
  createLogger(options: { level: number; logCreator: () => () => void }): unknown;
  readonly LEVELS: { readonly NOTHING: number };
};
const createSocketFactory = require('kafkajs/src/network/socketFactory') as () => unknown;

export function openCluster(options: ClusterOptions): Cluster {
  const cluster = new ClusterOfKafkajs({
    // It would log each error it also throws.
    logger: createLogger({ level: LEVELS.NOTHING, logCreator: () => () => {} }),
    socketFactory: createSocketFactory(),
    brokers: [...options.brokers],
    clientId: options.clientId,
    ssl: options.ssl,
    sasl: options.sasl,
    connectionTimeout: options.connectionTimeoutMs,
    authenticationTimeout: options.requestTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: Number.MAX_SAFE_INTEGER,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    retry: { retries: 0 },
  });
  const { brokerPool } = cluster;
  const { createBroker } = brokerPool;
  // kafkajs cuts an address at its first colon.
  const { connectionPoolBuilder } = brokerPool;
  const { build } = connectionPoolBuilder;
  const seeds = options.brokers.map(seedOf);
  let turn = 0;
  connectionPoolBuilder.build = (place = seeds[turn++ % seeds.length]!) => build(place);
  // Whom refreshMetadata asks, and what it keeps as metadata.
  brokerPool.createBroker = given => {
    const broker = createBroker(given);
    return Object.assign(broker, { metadata: (topics: readonly string[]) => askMetadata(broker, topics) });
  };
  return cluster;
}

function seedOf(text: string): HostPort {
  const read = parseHostPort(text);
  if (read === null) throw new PipelineError('config_invalid', `"${text}" is no host:port of a broker`);
  return read;
}
