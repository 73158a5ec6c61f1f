import { describe, expect, test } from 'bun:test';
import {
  errorOfCode,
  errorOfKafka,
  errorOfReading,
  isForOneRecord,
  isForStaleMetadata,
  type Phase,
  typeOfKafkaError,
} from '../../../../src/adapters/kafka/connect/error.ts';
import { type ErrorCode, PipelineError } from '../../../../src/errors.ts';

type ErrorName =
  | `KafkaJS${'Aggregate' | 'Connection' | 'ConnectionClosed' | 'CreateTopic' | 'RequestTimeout' | 'SASLAuthentication'}Error`
  | 'KafkaJSBrokerNotFound'
  | 'KafkaJSNumberOfRetriesExceeded';
// Their published types lack half of the classes and what they take.
const {
  KafkaJSAggregateError,
  KafkaJSBrokerNotFound,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSCreateTopicError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
} = require('kafkajs/src/errors') as Record<ErrorName, new (...given: readonly unknown[]) => Error>;
const { createErrorFromCode, errorCodes } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error;
  readonly errorCodes: readonly { readonly type: string; readonly code: number }[];
};

/** What a produce answer's code means: may the records be stored, is it worth trying again, what else follows. */
const codes: readonly (readonly [number, string, ErrorCode, ('stale' | 'one record')?])[] = [
  [-1, 'UNKNOWN', 'log_unknown'],
  [2, 'CORRUPT_MESSAGE', 'log_unavailable'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'log_halted', 'stale'],
  [5, 'LEADER_NOT_AVAILABLE', 'log_unavailable', 'stale'],
  [6, 'NOT_LEADER_FOR_PARTITION', 'log_unavailable', 'stale'],
  [7, 'REQUEST_TIMED_OUT', 'log_unknown'],
  [10, 'MESSAGE_TOO_LARGE', 'log_refused', 'one record'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'log_halted'],
  [18, 'RECORD_LIST_TOO_LARGE', 'log_refused', 'one record'],
  [19, 'NOT_ENOUGH_REPLICAS', 'log_unavailable'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'log_unknown'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'log_halted'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'log_halted'],
  [32, 'INVALID_TIMESTAMP', 'log_halted'],
  [44, 'POLICY_VIOLATION', 'log_halted'],
  [56, 'KAFKA_STORAGE_ERROR', 'log_unavailable', 'stale'],
  [87, 'INVALID_RECORD', 'log_refused', 'one record'],
];

describe('the code of a partition in a produce answer', () => {
  for (const [code, name, meaning, more] of codes)
    test(`${code} ${name} is ${meaning}`, () => {
      const error = errorOfCode(code, 'ugc.click');
      expect(error.code).toBe(meaning);
      expect(error.message).toStartWith('topic ugc.click: ');
      expect(error.message).toEndWith(`(${name})`);
      expect(isForStaleMetadata(code)).toBe(more === 'stale');
      expect(isForOneRecord(code)).toBe(more === 'one record');
    });

  test('has the name the protocol gives it', () => {
    for (const [code, name] of codes.filter(([code]) => code !== 87)) // newer than kafkajs' list
      expect(errorCodes.find(each => each.code === code)?.type).toBe(name);
  });

  test('that nobody knows says nothing about the records, so they are not taken to be stored', () => {
    expect(errorOfCode(999, 'ugc.click')).toMatchObject({
      code: 'log_unavailable',
      message: 'topic ugc.click: Kafka did not take the records (code 999)',
    });
    expect(isForOneRecord(999)).toBe(false);
    expect(isForStaleMetadata(999)).toBe(false);
  });
});

/** What a reader is answered: all but the last three pass by themselves. */
const reading: readonly (readonly [number, string, ErrorCode])[] = [
  [14, 'GROUP_LOAD_IN_PROGRESS', 'log_unavailable'],
  [15, 'GROUP_COORDINATOR_NOT_AVAILABLE', 'log_unavailable'],
  [16, 'NOT_COORDINATOR_FOR_GROUP', 'log_unavailable'],
  [22, 'ILLEGAL_GENERATION', 'log_unavailable'],
  [25, 'UNKNOWN_MEMBER_ID', 'log_unavailable'],
  [27, 'REBALANCE_IN_PROGRESS', 'log_unavailable'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'log_halted'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'log_halted'],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'log_halted'],
];

describe('the code a reader is answered', () => {
  for (const [code, name, meaning] of reading)
    test(`${code} ${name} is ${meaning}`, () => {
      const answer = errorOfReading(code, 'group ugc-etl');
      expect(answer.name).toBe(name);
      expect(answer.error.code).toBe(meaning);
      expect(answer.error.message).toMatch(new RegExp(`^group ugc-etl: .+ \\(${name}\\)$`));
      expect(errorCodes.find(each => each.code === code)?.type).toBe(name);
    });

  test('that nobody knows is worth asking again', () => {
    expect(errorOfReading(999, 'x').error).toMatchObject({ code: 'log_unavailable' });
  });
});

const broker = '10.0.0.1:9092';
const exceeded = (cause: Error) => new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 0, retryTime: 0 });
const topicError = (code: number) => new KafkaJSCreateTopicError(createErrorFromCode(code), 'ugc.click');

/** What kafkajs throws: before sending, after sending, and a word of what a person reads. */
const thrown: Readonly<Record<string, readonly [unknown, ErrorCode, ErrorCode, RegExp]>> = {
  'a connection refused': [
    new KafkaJSConnectionError('Connection error: connect ECONNREFUSED', { broker, code: 'ECONNREFUSED' }),
    'log_unavailable',
    'log_unknown',
    /ECONNREFUSED/,
  ],
  'a connection that ended': [
    new KafkaJSConnectionClosedError('Closed connection', { broker }),
    'log_unavailable',
    'log_unknown',
    /Closed connection/,
  ],
  'a request without an answer': [
    new KafkaJSRequestTimeoutError('Request Produce(key: 0, version: 7) timed out', {
      broker,
      correlationId: 1,
      createdAt: 0,
      sentAt: 0,
      pendingDuration: 0,
    }),
    'log_unavailable',
    'log_unknown',
    /timed out/,
  ],
  'a node that is gone': [
    new KafkaJSBrokerNotFound('Broker 3 not found'),
    'log_unavailable',
    'log_unknown',
    /Broker 3/,
  ],
  'a wrong password': [
    new KafkaJSSASLAuthenticationError('SASL PLAIN authentication failed: Invalid username or password'),
    'log_halted',
    'log_halted',
    /refused the user or password: .*Invalid username/,
  ],
  'a wrong password under retries': [
    exceeded(new KafkaJSSASLAuthenticationError('SASL SCRAM SHA256 authentication failed')),
    'log_halted',
    'log_halted',
    /refused the user or password/,
  ],
  'an authority that is not trusted': [
    exceeded(new KafkaJSConnectionError('Connection error: unable to verify the first certificate', { broker })),
    'log_halted',
    'log_halted',
    /TLS does not work: .*first certificate/,
  ],
  'a topic that is not there': [createErrorFromCode(3), 'log_halted', 'log_halted', /UNKNOWN_TOPIC_OR_PARTITION/],
  'no right to write': [createErrorFromCode(29), 'log_halted', 'log_halted', /ACL: .*\(TOPIC_AUTHORIZATION_FAILED\)/],
  'no leader, under retries': [exceeded(createErrorFromCode(5)), 'log_unavailable', 'log_unavailable', /no leader now/],
  'replicas that did not answer in time': [createErrorFromCode(7), 'log_unavailable', 'log_unknown', /timed out/i],
  'too few brokers for the replicas, of several topics': [
    new KafkaJSAggregateError('Topic creation errors', [topicError(38), topicError(38)]),
    'log_halted',
    'log_halted',
    /fewer brokers than replicas/,
  ],
  'something that is no Error': ['ouch', 'log_unavailable', 'log_unknown', /: ouch$/],
};

describe('what kafkajs throws', () => {
  for (const [what, [error, before, after, words]] of Object.entries(thrown))
    test(`${what}: ${before} before sending, ${after} after`, () => {
      const said = (phase: Phase) => errorOfKafka(error, phase, broker);
      expect(said('before sending').code).toBe(before);
      expect(said('sent').code).toBe(after);
      for (const asked of ['before sending', 'sent'] as const) {
        expect(said(asked).message).toStartWith(broker);
        expect(said(asked).message).toMatch(words);
        expect(said(asked).cause).toBe(error);
      }
    });

  test('a PipelineError passes as it is', () => {
    const error = new PipelineError('shutting_down');
    expect(errorOfKafka(error, 'sent', broker)).toBe(error);
  });

  test('the name of a code is found under whatever it is wrapped in, and only if it is known here', () => {
    expect(typeOfKafkaError(exceeded(topicError(36)))).toBeUndefined();
    expect(typeOfKafkaError(exceeded(createErrorFromCode(29)))).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(typeOfKafkaError(new Error('no'))).toBeUndefined();
    expect(typeOfKafkaError(undefined)).toBeUndefined();
  });
});
