// The one place that looks at kafkajs' errors and at Kafka's error codes
// (https://kafka.apache.org/protocol#protocol_error_codes). What decides is whether the records may be stored:
// log_unavailable they are not, log_unknown they may be, log_halted they are not and an operator has to repair something,
// log_refused they are not and never will be.

import { type ErrorCode, PipelineError } from '../../../errors.ts';

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
export type Phase = 'before sending' | 'sent';

/** Anything kafkajs throws. */
export function errorOfKafka(thrown: unknown, phase: Phase, address: string): PipelineError {
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
  return new PipelineError(phase === 'sent' ? 'log_unknown' : 'log_unavailable', `${address}: ${message}`, {
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

/** The name of a code a broker answered a reader, and what it means there. */
export function errorOfReading(
  code: number,
  subject: string,
): { readonly name: string; readonly error: PipelineError } {
  const name = nameOfCode(code);
  return { name, error: errorForReader(name, subject) };
}

/** Anything kafkajs throws at a reader. */
export function errorOfReader(thrown: unknown, subject: string): PipelineError {
  const type = typeOfKafkaError(thrown);
  return type === topicForbidden ? errorForReader(type, subject) : errorOfKafka(thrown, 'before sending', subject);
}

const topicForbidden = 'TOPIC_AUTHORIZATION_FAILED';

function errorForReader(name: string, subject: string): PipelineError {
  const [meaning, words] = meanings[name] ?? ['log_unavailable', 'Kafka did not answer the question'];
  const said = name === topicForbidden ? 'this user may not read the topic (ACL: Read, Describe)' : words;
  return new PipelineError(meaning, `${subject}: ${said} (${name})`);
}

/** All brokers that hold a partition are away. Others of its topic are no worse for it. */
export const unled = ({ topic, partition }: { readonly topic: string; readonly partition: number }): PipelineError =>
  new PipelineError(
    'log_unavailable',
    `${topic}/${partition} has no leader now: the brokers that hold it are away; other partitions of the topic go on`,
    { isOfPart: true },
  );

/** The records of the batch may be refused for one of them: each has to be asked alone. */
export const isForOneRecord = (code: number): boolean => oneRecord.has(nameOfCode(code));

/** The broker does not take the time the records say: the edge's clock is wrong, or the topic's limits are narrow. */
export const isForTime = (code: number): boolean => nameOfCode(code) === 'INVALID_TIMESTAMP';

/** Where a partition lives has changed. */
export const isForStaleMetadata = (code: number): boolean => stale.has(nameOfCode(code));

const nameOfCode = (code: number): string => names[code] ?? `code ${code}`;

const names: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN',
  1: 'OFFSET_OUT_OF_RANGE',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_FOR_PARTITION',
  7: 'REQUEST_TIMED_OUT',
  9: 'REPLICA_NOT_AVAILABLE',
  10: 'MESSAGE_TOO_LARGE',
  14: 'GROUP_LOAD_IN_PROGRESS',
  15: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR_FOR_GROUP',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  22: 'ILLEGAL_GENERATION',
  25: 'UNKNOWN_MEMBER_ID',
  27: 'REBALANCE_IN_PROGRESS',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  44: 'POLICY_VIOLATION',
  56: 'KAFKA_STORAGE_ERROR',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  76: 'UNSUPPORTED_COMPRESSION_TYPE',
  78: 'OFFSET_NOT_AVAILABLE',
  82: 'FENCED_INSTANCE_ID',
  87: 'INVALID_RECORD',
};

const oneRecord = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);
const stale = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
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
  INVALID_TIMESTAMP: ['log_halted', 'the topic takes no record, whatever its time (message.timestamp.*.max.ms)'],
  POLICY_VIOLATION: ['log_halted', 'a policy of the cluster forbids it'],
  KAFKA_STORAGE_ERROR: ['log_unavailable', 'the disk of the broker failed'],
  // what a reader may be told
  OFFSET_OUT_OF_RANGE: ['log_unavailable', 'the offset is not in the log'],
  REPLICA_NOT_AVAILABLE: ['log_unavailable', 'the broker does not have the partition now'],
  FENCED_LEADER_EPOCH: ['log_unavailable', 'the partition has moved to another broker'],
  UNKNOWN_LEADER_EPOCH: ['log_unavailable', 'the broker does not lead the partition yet'],
  OFFSET_NOT_AVAILABLE: ['log_unavailable', 'the broker does not lead the partition yet'],
  UNSUPPORTED_COMPRESSION_TYPE: ['log_halted', 'the broker does not give out records compressed like this'],
  GROUP_LOAD_IN_PROGRESS: ['log_unavailable', 'the coordinator of the group is starting'],
  GROUP_COORDINATOR_NOT_AVAILABLE: ['log_unavailable', 'the group has no coordinator now'],
  NOT_COORDINATOR_FOR_GROUP: ['log_unavailable', 'the group has moved to another coordinator'],
  ILLEGAL_GENERATION: ['log_unavailable', 'the group has been shared out anew'],
  UNKNOWN_MEMBER_ID: ['log_unavailable', 'the group has given up on this member'],
  REBALANCE_IN_PROGRESS: ['log_unavailable', 'the group is being shared out anew'],
  FENCED_INSTANCE_ID: ['log_unavailable', 'another member has taken this one’s place'],
  INCONSISTENT_GROUP_PROTOCOL: ['log_halted', 'the group is in use by consumers of another kind'],
  INVALID_SESSION_TIMEOUT: ['log_halted', 'the session timeout is outside of what the broker allows'],
  GROUP_AUTHORIZATION_FAILED: ['log_halted', 'this user may not read as this group (ACL: Read on the group)'],
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
