// The settings of RabbitMQ: which addresses are taken, and what goes with what.

import { describe, expect, test } from 'bun:test';
import { readConfig } from '../../../src/config/read.ts';

const reached = ['--transport=rabbitmq', '--rabbitmq-url=amqp://ugc:secret@127.0.0.1/events'];

function problemsOf(...flags: string[]): readonly string[] {
  const result = readConfig({ flags, env: {} });
  return result.ok ? [] : result.problems;
}

test('one address, several, with and without user, port and vhost are taken', () => {
  for (const url of [
    'amqp://localhost',
    'amqp://ugc:p%40ss@[::1]:5672/',
    'amqps://ugc:secret@rabbit-1:5671/events,amqps://ugc:secret@rabbit-2:5671/events',
    'amqp://rabbit/%2Fother',
  ])
    expect([url, problemsOf('--transport=rabbitmq', `--rabbitmq-url=${url}`)]).toEqual([url, []]);
});

test('what is no address of RabbitMQ is refused, and the password in it is not repeated', () => {
  for (const url of [
    'http://ugc:secret@rabbit',
    'rabbit:5672',
    'amqp://',
    'amqp://rabbit, amqp://rabbit',
    'amqp://rabbit,',
    'amqp://rabbit/a?frame=1',
    'amqp://rabbit/a#b',
  ]) {
    const problems = problemsOf('--transport=rabbitmq', `--rabbitmq-url=${url}`);
    expect([url, problems.length > 0]).toEqual([url, true]);
    expect(problems.join()).not.toContain('secret');
    expect(problems.join()).toContain('UGC_RABBITMQ_URL');
  }
});

test('numbers out of their bounds are refused by the name of their setting', () => {
  for (const [flag, name] of [
    ['--rabbitmq-prefetch=0', 'UGC_RABBITMQ_PREFETCH'],
    ['--rabbitmq-prefetch=65536', 'UGC_RABBITMQ_PREFETCH'],
    ['--rabbitmq-heartbeat-seconds=0', 'UGC_RABBITMQ_HEARTBEAT_SECONDS'],
    ['--rabbitmq-retention-hours=-1', 'UGC_RABBITMQ_RETENTION_HOURS'],
    ['--rabbitmq-queue=classic', 'UGC_RABBITMQ_QUEUE'],
    ['--rabbitmq-group=a b', 'UGC_RABBITMQ_GROUP'],
  ] as const)
    expect(problemsOf(...reached, flag).join()).toContain(name);
});

describe('what cannot be meant together is refused in words', () => {
  test('the transport and its address need each other', () => {
    expect(problemsOf('--transport=rabbitmq')).toEqual(['UGC_TRANSPORT=rabbitmq needs UGC_RABBITMQ_URL']);
    expect(problemsOf('--rabbitmq-url=amqp://rabbit')).toEqual(['UGC_RABBITMQ_URL needs UGC_TRANSPORT=rabbitmq']);
  });

  test('a quorum queue is read by one group, once: neither again, nor for the history beside the tables', () => {
    const quorum = [...reached, '--rabbitmq-queue=quorum'];
    expect(problemsOf(...quorum)).toEqual([]);
    expect(problemsOf(...quorum, '--role=etl', '--from=2026-11-01T00:00Z')).toEqual([
      expect.stringContaining('UGC_FROM (--from) needs UGC_RABBITMQ_QUEUE=stream'),
    ]);
    const content = ['--role=all', '--auth=jwt', '--jwt-secret=0123456789abcdef0123456789abcdef'];
    const audience = ['--jwt-issuer=https://id.example', '--jwt-audience=films'];
    const refused = problemsOf(...quorum, ...content, ...audience);
    expect(refused).toEqual([expect.stringContaining('UGC_CONTENT_HISTORY needs UGC_RABBITMQ_QUEUE=stream')]);
    expect(problemsOf(...quorum, ...content, ...audience, '--content-history=off')).toEqual([]);
    expect(problemsOf(...reached, ...content, ...audience)).toEqual([]);
  });

  test('certificates go with amqps, and a certificate with its key', () => {
    const key = '--rabbitmq-tls-key=k.pem';
    const cert = '--rabbitmq-tls-cert=c.pem';
    const secure = ['--transport=rabbitmq', '--rabbitmq-url=amqps://rabbit'];
    expect(problemsOf(...secure, cert, key, '--rabbitmq-tls-ca=ca.pem')).toEqual([]);
    expect(problemsOf(...secure, cert)).toEqual(['UGC_RABBITMQ_TLS_CERT and UGC_RABBITMQ_TLS_KEY need each other']);
    expect(problemsOf(...reached, '--rabbitmq-tls-ca=ca.pem')).toEqual([
      expect.stringContaining('need UGC_RABBITMQ_URL to be amqps://…'),
    ]);
  });
});
