// The one place that looks at kafkajs' errors and at Kafka's error codes
// (https://kafka.apache.org/protocol#protocol_error_codes). What decides is whether the records may be stored:
// log_unavailable they are not, log_unknown they may be, log_halted they are not and somebody has to repair something,
// log_refused they are not and never will be.

import { type ErrorCode, PipelineError } from '../../errors.ts';

interface DriverError {
  readonly name?: string;
  readonly message?: string;
  /** The name of the protocol's code. */
  readonly type?: string;
  readonly cause?: unknown;
  readonly originalError?: unknown;
  /** Of several topics. */
  readonly errors?: readonly unknown[];
}

/** What was asked when it failed: nothing was sent yet, or records were. */
export type Asked = 'before sending' | 'sent';

/** Anything kafkajs throws. */
export function errorOfKafka(thrown: unknown, asked: Asked, address: string): PipelineError {
  if (thrown instanceof PipelineError) return thrown;
  const chain = causesOf(thrown);
  const typed = typeOfKafkaError(thrown);
  const root = chain.at(-1);
  const message = root?.message ?? String(thrown);
  if (typed !== undefined && typed !== 'SASL_AUTHENTICATION_FAILED' && typed !== 'REQUEST_TIMED_OUT')
    return new PipelineError(meanings[typed]![0], `${address}: ${meanings[typed]![1]} (${typed})`, { cause: thrown });
  if (chain.some(({ name }) => name?.startsWith('KafkaJSSASL')) || typed === 'SASL_AUTHENTICATION_FAILED')
    return new PipelineError('log_halted', `${address} refused the user or password: ${message}`, { cause: thrown });
  if (/certificate|self.signed|tls|ssl/i.test(message))
    return new PipelineError('log_halted', `${address}: TLS does not work: ${message}`, { cause: thrown });
  return new PipelineError(asked === 'sent' ? 'log_unknown' : 'log_unavailable', `${address}: ${message}`, {
    cause: thrown,
  });
}

/** The name of the protocol's code in something kafkajs threw, if it is one known here. */
export const typeOfKafkaError = (thrown: unknown): string | undefined =>
  causesOf(thrown).find(({ type }) => type !== undefined && type in meanings)?.type;

/** The code a broker answered for one partition of a produce request; 0 is none of its business. */
export function errorOfCode(code: number, topic: string): PipelineError {
  const name = nameOfCode(code);
  const [meaning, words] = meanings[name] ?? ['log_unavailable', 'Kafka did not take the records'];
  return new PipelineError(meaning, `topic ${topic}: ${words} (${name})`);
}

/** The records of the batch may be refused for one of them: each has to be asked alone. */
export const isForOneRecord = (code: number): boolean => oneRecord.has(nameOfCode(code));

/** Where a partition lives has changed. */
export const isForStaleMetadata = (code: number): boolean => stale.has(nameOfCode(code));

const nameOfCode = (code: number): string => names[code] ?? `code ${code}`;

const names: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_FOR_PARTITION',
  7: 'REQUEST_TIMED_OUT',
  10: 'MESSAGE_TOO_LARGE',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  44: 'POLICY_VIOLATION',
  56: 'KAFKA_STORAGE_ERROR',
  87: 'INVALID_RECORD',
};

const oneRecord = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_TIMESTAMP', 'INVALID_RECORD']);
const stale = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'KAFKA_STORAGE_ERROR',
]);

const meanings: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  UNKNOWN: ['log_unknown', 'the broker failed'],
  CORRUPT_MESSAGE: ['log_unavailable', 'the bytes arrived damaged'],
  UNKNOWN_TOPIC_OR_PARTITION: ['log_halted', 'there is no such topic'],
  LEADER_NOT_AVAILABLE: ['log_unavailable', 'the partition has no leader now'],
  NOT_LEADER_FOR_PARTITION: ['log_unavailable', 'the partition has moved to another broker'],
  REQUEST_TIMED_OUT: ['log_unknown', 'the replicas did not answer in time'],
  MESSAGE_TOO_LARGE: ['log_refused', 'the event is larger than the topic allows (max.message.bytes)'],
  INVALID_TOPIC_EXCEPTION: ['log_halted', 'this is no name for a topic'],
  RECORD_LIST_TOO_LARGE: ['log_refused', 'the event is larger than a segment of the topic (segment.bytes)'],
  NOT_ENOUGH_REPLICAS: ['log_unavailable', 'too few replicas are in sync (min.insync.replicas)'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: ['log_unknown', 'written, but on too few replicas (min.insync.replicas)'],
  TOPIC_AUTHORIZATION_FAILED: ['log_halted', 'this user may not write to the topic (ACL: Write, Describe)'],
  CLUSTER_AUTHORIZATION_FAILED: ['log_halted', 'this user may not do that in the cluster'],
  SASL_AUTHENTICATION_FAILED: ['log_halted', 'the user or password is wrong'],
  INVALID_PARTITIONS: ['log_halted', 'the number of partitions is wrong'],
  INVALID_REPLICATION_FACTOR: ['log_halted', 'there are fewer brokers than replicas wanted'],
  INVALID_TIMESTAMP: ['log_refused', 'the time of the event is outside of what the topic takes'],
  POLICY_VIOLATION: ['log_halted', 'a policy of the cluster forbids it'],
  KAFKA_STORAGE_ERROR: ['log_unavailable', 'the disk of the broker failed'],
  INVALID_RECORD: ['log_refused', 'the topic does not take such a record (a compacted topic wants keys)'],
};

function causesOf(thrown: unknown): readonly DriverError[] {
  const chain: DriverError[] = [];
  for (let error = thrown as DriverError | undefined; error && chain.length < 10; ) {
    chain.push(error);
    error = (error.errors?.[0] ?? error.cause ?? error.originalError) as DriverError | undefined;
  }
  return chain;
}
