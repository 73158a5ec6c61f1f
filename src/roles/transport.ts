// The one switch between brokers.

import type { Config } from '../config/config.ts';
import { brokerOf } from '../config/transport.ts';
import { PipelineError } from '../errors.ts';
import type { BrokerName } from '../ports/log.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { kafkaTransport } from './kafka.ts';
import { rabbitmqTransport } from './rabbitmq.ts';

export interface TransportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const missing = (): Transport => {
  throw new PipelineError('config_invalid', 'this transport is not there yet (UGC_TRANSPORT)');
};

const byName: Readonly<Record<BrokerName, (options: TransportOptions) => Transport>> = {
  kafka: kafkaTransport,
  pulsar: missing,
  rabbitmq: rabbitmqTransport,
};

/** Null: the disk buffer is the log. Throws `config_invalid` when a file that is named cannot be read. */
export function transportOf(options: TransportOptions): Transport | null {
  const name = brokerOf(options.config);
  return name === null ? null : byName[name](options);
}
