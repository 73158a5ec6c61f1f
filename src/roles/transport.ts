// The one switch between brokers.

import type { Config } from '../config/config.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { kafkaTransport } from './kafka.ts';

export interface TransportOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Null: the disk buffer is the log. Throws `config_invalid` when a file that is named cannot be read. */
export const transportOf = (options: TransportOptions): Transport | null =>
  options.config.kafkaBrokers === '' ? null : kafkaTransport(options);
