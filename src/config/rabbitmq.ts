// Settings: RabbitMQ.

import { bytes, choice, integer, text } from './kinds.ts';

const url = String.raw`amqps?:\/\/[^\s,/?#]+(\/[^\s,?#]*)?`;

export const rabbitmqSettings = {
  rabbitmqUrl: text({
    default: '',
    takes: 'amqp(s)://user:password@host:port/vhost, several nodes with commas',
    pattern: new RegExp(`^(${url}(,${url})*)?$`),
    secret: true, // carries the password
    help: 'RabbitMQ to write to and read from, for UGC_TRANSPORT=rabbitmq',
  }),
  rabbitmqQueue: choice({
    of: ['stream', 'quorum'],
    default: 'stream',
    help: 'What a topic is there: a stream is kept and read by many, its confirm means replicated; a quorum queue passes each event on once, its confirm means flushed',
  }),
  rabbitmqGroup: text({
    default: 'ugc-etl',
    takes: 'a name',
    pattern: /^[a-zA-Z0-9._-]{1,100}$/,
    help: 'The etl processes of this name share the streams, and have positions of their own',
  }),
  rabbitmqRetentionHours: integer({
    default: 168,
    min: 0,
    max: 876_000,
    help: 'Of streams that are created: what is older is deleted; 0 = nothing for its age',
  }),
  rabbitmqRetentionBytes: bytes({
    default: '0',
    min: '0',
    max: '16TiB',
    help: 'Of each stream that is created: the oldest beyond it is deleted; 0 = nothing for its size',
  }),
  rabbitmqPrefetch: integer({
    default: 10_000,
    min: 1,
    max: 65_535,
    help: 'Events of one quorum queue that an etl process holds until they are rows',
  }),
  rabbitmqTlsCa: text({
    default: '',
    takes: 'a PEM file',
    help: 'Authorities to trust of amqps; empty = those of the system',
  }),
  rabbitmqTlsCert: text({ default: '', takes: 'a PEM file', help: 'Client certificate for RabbitMQ' }),
  rabbitmqTlsKey: text({ default: '', takes: 'a PEM file', help: 'Key of that certificate' }),
  rabbitmqConnectTimeoutMs: integer({ default: 1_000, min: 50, max: 60_000, help: 'To connect to a node' }),
  rabbitmqRequestTimeoutMs: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    help: 'What has no confirm by then is given up; clients have long been answered from the disk',
  }),
  rabbitmqHeartbeatSeconds: integer({
    default: 10,
    min: 1,
    max: 3_600,
    help: 'A process that is silent for twice as long loses its streams to the others',
  }),
};
