// How Kafka is reached, and what the log and the source can be told, with the bounds they keep.

import type { SASLOptions } from 'kafkajs';
import type { StartingPoint } from '../../../ports/transport.ts';
import type { Logger } from '../../../process/telemetry.ts';
import type { Compression } from '../write/record-batch.ts';

export interface TlsOptions {
  /** PEM. Without it the system's authorities count. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized?: boolean;
}

/** How a cluster is reached, for writing and for reading. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl?: TlsOptions;
  readonly sasl?: SASLOptions;
  readonly connectionTimeoutMs?: number;
  /** From sending a request until it is given up, its outcome unknown. */
  readonly requestTimeoutMs?: number;
}

export interface KafkaLogOptions extends KafkaConnection {
  /** Of each batch, on this thread. Brokers and topics must allow it; readers need the codec. */
  readonly compression?: Compression;
  /** How long a record waits for company while a request to its broker is under way. */
  readonly lingerMs?: number;
  /** Of one request. Below a topic's max.message.bytes (1 MiB by default), as all of it may be one batch. */
  readonly requestBytesMax?: number;
  readonly requestRecordsMax?: number;
  /** Requests under way to one broker. */
  readonly inFlightMax?: number;
  /** Of what is taken and has no outcome yet. Beyond it, publish answers `log_unavailable` at once. */
  readonly queueBytesMax?: number;
  /** What has no outcome this long after `close` is given up: outcome unknown. */
  readonly closeMsMax?: number;
  /** After this long the partitions of a topic are asked for again. */
  readonly metadataAgeMsMax?: number;
}

export const kafkaLogDefaults = {
  compression: 'none',
  connectionTimeoutMs: 1_000,
  requestTimeoutMs: 2_000,
  lingerMs: 2,
  requestBytesMax: 900_000,
  requestRecordsMax: 5_000,
  inFlightMax: 4,
  queueBytesMax: 64 * 2 ** 20,
  closeMsMax: 2_000,
  metadataAgeMsMax: 30_000,
} satisfies Partial<KafkaLogOptions>;

export interface KafkaSourceOptions extends KafkaConnection {
  readonly groupId: string;
  /** What does not exist yet is read from its beginning once it does. */
  readonly topics: readonly string[];
  /** Where the group begins where it has committed nothing; null = at the earliest. */
  readonly from?: StartingPoint | null;
  readonly logger: Logger;
  /** Batches tell of which traces their records are. */
  readonly isTraced?: boolean;
  /** A topic was deleted and made again, and is read from the start of what it is now. */
  readonly onReplaced?: (topic: string) => void;
  /**
   * A process that is silent for this long loses its partitions. Within the broker's group.min|max.session.timeout.ms.
   */
  readonly sessionTimeoutMs?: number;
  /** How long a broker waits for a first byte. Below requestTimeoutMs. */
  readonly fetchWaitMs?: number;
  /** Of one answer. */
  readonly fetchBytesMax?: number;
  /** Of one partition in an answer, and read ahead of the polls. */
  readonly partitionBytesMax?: number;
  /** Read ahead of the polls altogether, what is paused not counted. */
  readonly readAheadBytesMax?: number;
  /** How often topics are looked at for new partitions, and for whether they exist. */
  readonly topicsAgeMsMax?: number;
}

export const kafkaSourceDefaults = {
  connectionTimeoutMs: 1_000,
  requestTimeoutMs: 10_000,
  sessionTimeoutMs: 30_000,
  fetchWaitMs: 250,
  fetchBytesMax: 4 * 2 ** 20,
  partitionBytesMax: 2 ** 20,
  readAheadBytesMax: 16 * 2 ** 20,
  topicsAgeMsMax: 3_000,
} satisfies Partial<KafkaSourceOptions>;
