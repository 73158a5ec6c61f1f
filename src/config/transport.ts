// Which log the events go through: the one that is said, else Kafka where its brokers are named, else the disk buffer.

import type { BrokerName } from '../ports/log.ts';
import { choice } from './kinds.ts';

export const transportSettings = {
  transport: choice({
    of: ['auto', 'disk', 'kafka', 'pulsar', 'rabbitmq'],
    default: 'auto',
    help: 'The log that events go through; auto = kafka where UGC_KAFKA_BROKERS is set, else disk',
  }),
};

export interface SaidTransport {
  readonly transport: 'auto' | 'disk' | BrokerName;
  readonly kafkaBrokers: string;
}

/** Null: the disk buffer is the log. */
export function brokerOf({ transport, kafkaBrokers }: SaidTransport): BrokerName | null {
  if (transport === 'auto') return kafkaBrokers === '' ? null : 'kafka';
  return transport === 'disk' ? null : transport;
}
