// Settings: Pulsar.

import { bytes, integer, text } from './kinds.ts';

export const pulsarSettings = {
  pulsarUrl: text({
    default: '',
    takes: 'http://host:8080 or https://host:8443',
    pattern: /^(https?:\/\/[^\s/?#@]+)?\/?$/,
    help: 'Web service of Pulsar, with its admin and its WebSocket API (webSocketServiceEnabled=true)',
  }),
  pulsarNamespace: text({
    default: 'public/default',
    takes: 'tenant/namespace',
    pattern: /^[\w=:.-]{1,100}\/[\w=:.-]{1,100}$/,
    help: 'Where the topics are',
  }),
  pulsarSubscription: text({
    default: 'ugc-etl',
    takes: 'a name',
    pattern: /^[a-zA-Z0-9._-]{1,200}$/,
    help: 'Subscription of the etl role; its processes share the partitions',
  }),
  pulsarToken: text({ default: '', takes: 'a token (JWT)', secret: true, help: 'Who this process is to Pulsar' }),
  pulsarTlsCa: text({ default: '', takes: 'a PEM file', help: 'Authorities to trust; empty = those of the system' }),
  pulsarConnectTimeoutMs: integer({
    default: 5_000,
    min: 50,
    max: 60_000,
    help: 'To connect to Pulsar and have a consumer or producer there, for which it may have to load a topic',
  }),
  pulsarRequestTimeoutMs: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    help: 'A Pulsar that has not answered by then is given up; clients have long been answered from the disk',
  }),
  pulsarStallTimeoutMs: integer({
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    help: 'Events that wait so long for an etl process that does nothing with them are read by another',
  }),
  pulsarFrameBytesMax: bytes({
    default: '1MiB',
    min: '64KiB',
    max: '64MiB',
    help: 'What webSocketMaxTextFrameSize is there: an event of more than three quarters of it is set aside',
  }),
};
