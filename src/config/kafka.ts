// Settings: Kafka.

import { startingPoint } from './from.ts';
import { choice, flag, hostPorts, integer, text } from './kinds.ts';

export const kafkaSettings = {
  kafkaBrokers: hostPorts({ help: 'Kafka to write to and read from; empty = the disk buffer is the log' }),
  kafkaClientId: text({
    default: 'ugc',
    takes: 'a name',
    pattern: /^[a-zA-Z0-9._-]{1,100}$/,
    help: 'What this process is called in Kafka’s logs and quotas',
  }),
  kafkaGroup: text({
    default: 'ugc-etl',
    takes: 'a name',
    pattern: /^[a-zA-Z0-9._-]{1,200}$/,
    help: 'Consumer group of the etl role; its processes share the partitions',
  }),
  kafkaSessionTimeoutMs: integer({
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    help: 'An etl process that Kafka has not heard of for so long loses its partitions to the others',
  }),
  from: startingPoint({
    help: 'Only --role=etl: reads the log again from there, in a consumer group of its own; nothing readable is doubled',
  }),
  kafkaTls: flag({ default: false, help: 'TLS to Kafka' }),
  kafkaTlsCa: text({ default: '', takes: 'a PEM file', help: 'Authorities to trust; empty = those of the system' }),
  kafkaTlsCert: text({ default: '', takes: 'a PEM file', help: 'Client certificate for Kafka' }),
  kafkaTlsKey: text({ default: '', takes: 'a PEM file', help: 'Key of the client certificate' }),
  kafkaSasl: choice({
    of: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
    default: 'none',
    help: 'How this process says who it is',
  }),
  kafkaUser: text({ default: '', takes: 'a name', help: 'User on Kafka' }),
  kafkaPassword: text({ default: '', takes: 'a password', secret: true, help: 'Password on Kafka' }),
  kafkaCompression: choice({
    of: ['none', 'gzip', 'zstd'],
    default: 'none',
    help: 'Of what is written to Kafka',
  }),
  kafkaConnectTimeoutMs: integer({ default: 1_000, min: 50, max: 60_000, help: 'To connect to a broker' }),
  kafkaRequestTimeoutMs: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    help: 'A broker that has not answered by then is given up; clients have long been answered from the disk',
  }),
};
