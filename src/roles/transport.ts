// The one switch between brokers.

import type { LiveCatalogue } from '../catalogue/live.ts';
import type { Config } from '../config/config.ts';
import { brokerOf } from '../config/transport.ts';
import type { BrokerName } from '../ports/log.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { kafkaTransport } from './kafka.ts';
import { pulsarTransport } from './pulsar.ts';
import { rabbitmqTransport } from './rabbitmq.ts';

export interface TransportOptions {
  readonly config: Config;
  readonly catalogue: Pick<LiveCatalogue, 'accepted'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whoever reads tells of which traces records are. */
  readonly isTraced: boolean;
}

const byName: Readonly<Record<BrokerName, (options: TransportOptions) => Transport>> = {
  kafka: kafkaTransport,
  pulsar: pulsarTransport,
  rabbitmq: rabbitmqTransport,
};

/** Null: the disk buffer is the log. Throws `config_invalid` when a file that is named cannot be read. */
export function transportOf(options: TransportOptions): Transport | null {
  const name = brokerOf(options.config);
  return name === null ? null : byName[name](options);
}
