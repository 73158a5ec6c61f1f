// How RabbitMQ is reached, and what the log and the source can be told, with the bounds they keep.

import type { StartingPoint } from '../../../ports/transport.ts';
import type { Logger } from '../../../process/telemetry.ts';

/** What each topic is: replayed and retained, or passed on once and flushed. */
export type QueueKind = 'stream' | 'quorum';

export interface RabbitmqConnection {
  /** amqp(s)://user:password@host:port/vhost; of a cluster several, one is enough. */
  readonly urls: readonly string[];
  readonly kind: QueueKind;
  /** PEM. An absent `ca` = the authorities of the system. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly connectTimeoutMs?: number;
  /** What has no confirm after so long has an unknown outcome, and the connection is given up. */
  readonly requestTimeoutMs?: number;
  /** A side that is silent for twice as long is dead to the other. */
  readonly heartbeatSeconds?: number;
}

export interface RabbitmqLogOptions extends RabbitmqConnection {
  /** Of what is taken and has no outcome yet. Beyond it, publish answers `log_unavailable` at once. */
  readonly queueBytesMax?: number;
  /** Queues that have just been made (ensure-topics.ts): not written to yet, `log_unavailable`. */
  readonly settling?: ReadonlySet<string>;
  /** What has no outcome this long after `close` is given up: outcome unknown. */
  readonly closeMsMax?: number;
}

export interface RabbitmqSourceOptions extends RabbitmqConnection {
  /** Movers of one group share the topics. */
  readonly group: string;
  readonly topics: readonly string[];
  /** Where the group begins where it has passed nothing; null = at the earliest. Streams alone. */
  readonly from?: StartingPoint | null;
  readonly logger: Logger;
  /** A stream was deleted and made again, and is read from its start. */
  readonly onReplaced?: (topic: string) => void;
  /** Records of one quorum queue that a mover holds unacknowledged. */
  readonly prefetch?: number;
  /** Records of one stream that are read ahead of the polls. */
  readonly readAhead?: number;
  /** How often shares are compared, ends asked for, and what failed is tried again. */
  readonly tickMs?: number;
  /** A position's queue that could be consumed for so long has been written down by its node (position-queue.ts). */
  readonly settledMs?: number;
}

export const connectionDefaults = {
  connectTimeoutMs: 1_000,
  requestTimeoutMs: 10_000,
  heartbeatSeconds: 10,
} satisfies Partial<RabbitmqConnection>;

export const logDefaults = {
  ...connectionDefaults,
  queueBytesMax: 64 * 2 ** 20,
  settling: new Set<string>(),
  closeMsMax: 2_000,
} satisfies Partial<RabbitmqLogOptions>;

export const sourceDefaults = {
  ...connectionDefaults,
  prefetch: 10_000,
  readAhead: 1_000,
  tickMs: 1_000,
  // A node that hangs is noticed within two heartbeats.
  settledMs: 30_000,
} satisfies Partial<RabbitmqSourceOptions>;
