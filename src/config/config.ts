// Every setting of ugc, once: name, unit, default, bounds, description. `ugc help config` and the README's table are
// printed from here; nothing else reads the environment.

import { contradictionsOf } from './contradictions.ts';
import { startingPoint } from './from.ts';
import {
  bytes,
  choice,
  choices,
  envName,
  flag,
  flagName,
  type Given,
  hostPorts,
  integer,
  parseSettings,
  text,
  type Values,
} from './settings.ts';

export const roles = ['ingest', 'etl'] as const;
export type RoleName = (typeof roles)[number];
export const streams = ['event', 'view', 'content'] as const;

export const settings = {
  role: choices({
    of: ['all', ...roles],
    default: 'all',
    help: 'What this process does; all = every role whose needs are met',
  }),
  dataDir: text({
    default: './ugc-data',
    takes: 'a folder',
    pattern: /./,
    help: 'Where the disk buffer and the embedded ClickHouse live',
  }),
  host: text({
    default: '127.0.0.1',
    takes: 'an address',
    pattern: /./,
    help: 'Address to listen on; 0.0.0.0 for every interface',
  }),
  port: integer({ default: 8080, min: 0, max: 65535, help: 'Port for events; 0 = any free one' }),
  adminPort: integer({
    default: -1,
    min: -1,
    max: 65535,
    help: 'A port of their own for metrics and health; 0 = any free one, -1 = the events port',
  }),
  connectionsMax: integer({ default: 0, min: 0, max: 1_000_000, help: 'Open at once; 0 = as open files allow' }),
  auth: choice({ of: ['none'], default: 'none', help: 'Who may send. Must be said when listening beyond loopback' }),
  logLevel: choice({
    of: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    help: 'The least severe log line written',
  }),
  requestLog: flag({ default: true, help: 'One log line for each HTTP request' }),
  shutdownTimeoutMs: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    help: 'SIGTERM: everything is answered, flushed and closed within this',
  }),

  eventBytesMax: bytes({ default: '64KiB', min: '256', max: '16MiB', help: 'Largest event, as it would be stored' }),
  bodyBytesMax: bytes({ default: '2MiB', min: '1KiB', max: '256MiB', help: 'Largest body as sent' }),
  bodyDecompressedBytesMax: bytes({
    default: '16MiB',
    min: '1KiB',
    max: '1GiB',
    help: 'Largest body after decompression',
  }),
  bodyEventsMax: integer({ default: 5_000, min: 1, max: 1_000_000, help: 'Most events in one body' }),
  bodyTimeoutMs: integer({
    default: 10_000,
    min: 10,
    max: 600_000,
    help: 'A body that stalls for longer is answered 408',
  }),
  jsonDepthMax: integer({ default: 16, min: 2, max: 128, help: 'Deepest nesting of JSON in an event' }),
  eventAgeMaxDays: integer({ default: 1825, min: 1, max: 36_500, help: 'Older events are rejected' }),
  eventFutureMaxHours: integer({ default: 24, min: 0, max: 8_760, help: 'Events further in the future are rejected' }),
  unknownFields: choice({
    of: ['reject', 'drop'],
    default: 'reject',
    help: 'What happens to fields an event type does not have',
  }),
  schemasDir: text({
    default: '',
    takes: 'a folder',
    help: 'Event types of your own, one JSON Schema file each; looked at every second and at SIGHUP',
  }),
  topic: text({
    default: 'ugc.{event_type}',
    takes: 'a name with or without {event_type}, {family}, {stream}',
    pattern: /^([a-zA-Z0-9._-]|\{(event_type|family|stream)\})+$/,
    help: 'Topic of an event',
  }),
  ledger: flag({
    default: false,
    help: 'Ingest writes down which events it has accepted, for ugc reconcile; with Kafka say it to etl as well',
  }),
  topicCreate: flag({ default: true, help: 'Topics that Kafka does not have are created on start' }),
  topicPartitions: integer({ default: 6, min: 1, max: 10_000, help: 'Partitions of a topic created on start' }),
  topicReplication: integer({ default: 1, min: 1, max: 32, help: 'Replicas of a topic created on start' }),

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
  ackBudgetMs: integer({
    default: 150,
    min: 1,
    max: 60_000,
    help: 'Events Kafka has not acked by then are also written to the disk buffer and answered from there',
  }),
  ackStoredTimeoutMs: integer({
    default: 5_000,
    min: 1,
    max: 600_000,
    help: '?ack=stored: events whose rows cannot be read by then are answered 202',
  }),

  bufferBytesMax: bytes({
    default: '4GiB',
    min: '1MiB',
    max: '16TiB',
    help: 'Most bytes the disk buffer may hold; beyond: 503, never a drop',
  }),
  bufferDiskReserveBytes: bytes({
    default: '512MiB',
    min: '0',
    max: '16TiB',
    help: 'The buffer never takes the last this many bytes of its volume',
  }),

  streams: choices({
    of: ['all', ...streams],
    default: 'all',
    help: 'What the etl role moves from Kafka; UGC_TOPIC must keep streams apart',
  }),
  etlUnknownTypes: choice({
    of: ['wait', 'dead_letter'],
    default: 'wait',
    help: 'What becomes of records of an event type this process does not know',
  }),
  etlBlockRowsMax: integer({ default: 100_000, min: 1, max: 1_000_000, help: 'Most rows in one insert' }),
  etlBlockBytesMax: bytes({ default: '8MiB', min: '1KiB', max: '1GiB', help: 'Most bytes in one insert' }),
  etlIntervalMs: integer({
    default: 200,
    min: 0,
    max: 60_000,
    help: 'A table in use is inserted into at most this often, one at rest at once; all together five times as often',
  }),

  clickhouseUrl: text({
    default: '',
    takes: 'http(s)://host:port',
    pattern: /^(https?:\/\/.+)?$/,
    secret: true, // may carry a password
    help: 'A ClickHouse server; empty = the embedded engine',
  }),
  clickhouseUser: text({ default: 'default', takes: 'a name', help: 'User on the ClickHouse server' }),
  clickhousePassword: text({
    default: '',
    takes: 'a password',
    secret: true,
    help: 'Password on the ClickHouse server',
  }),
  clickhouseDatabase: text({
    default: 'ugc',
    takes: 'a name of letters, digits and _',
    pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
    help: 'Database of all tables',
  }),
  clickhouseCluster: text({
    default: '',
    takes: 'a name of letters, digits, _, - and .',
    pattern: /^[A-Za-z0-9_.-]*$/,
    help: 'The cluster that server is one node of: tables are sharded and replicated on all its nodes; empty = one node',
  }),
  clickhouseInsertQuorum: text({
    default: '0',
    takes: '0, auto or a number',
    pattern: /^(auto|\d{1,2})$/,
    help: 'On a cluster: replicas of a shard that must have rows before the log passes them; auto = most, 0 = one, which passes them on',
  }),
  clickhouseMigrate: choice({
    of: ['auto', 'check', 'off'],
    default: 'auto',
    help: 'On start: create and grow tables, only compare them, or neither',
  }),
  clickhouseRefreshSeconds: integer({
    default: 60,
    min: 1,
    max: 31_536_000,
    help: 'events_per_minute is computed anew this long after the last time, the daily aggregates five times as long',
  }),
  clickhouseTimeoutMs: integer({
    default: 60_000,
    min: 100,
    max: 3_600_000,
    help: 'An insert not answered by then has an unknown outcome and is repeated',
  }),
  clickhouseMemoryBytesMax: bytes({
    default: '2GiB',
    min: '256MiB',
    max: '16TiB',
    help: 'Memory limit of the embedded engine',
  }),
  clickhouseHttpPort: integer({
    default: 8123,
    min: -1,
    max: 65535,
    help: "Embedded engine: port of ClickHouse's HTTP interface; 0 = any free one, -1 = off",
  }),
  clickhouseHttpHost: text({
    default: '127.0.0.1',
    takes: 'an address',
    pattern: /./,
    help: 'Address of that interface; it asks nobody who they are',
  }),
  clickhouseHttpReadonly: flag({
    default: true,
    help: 'That interface takes queries only; false = inserts and DDL too',
  }),
};

export type Config = Values<typeof settings>;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads flags, environment and env file, and checks what one setting says about another. */
export function readConfig(given: Given): ConfigResult {
  const parsed = parseSettings(settings, given);
  if (!parsed.ok) return parsed;
  const config: Config = parsed.values;
  const problems: string[] = [];
  if (!isLoopback(config.host) && !parsed.given.has('auth'))
    problems.push(
      `UGC_HOST (--host) is ${config.host}, which others can reach: say who may send with UGC_AUTH (--auth), e.g. --auth=none`,
    );
  problems.push(...contradictionsOf(config));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** The settings as rows for people: name, flag, what it takes, default, help. */
export function configTable(): readonly { env: string; flag: string; takes: string; default: string; help: string }[] {
  return Object.entries(settings).map(([key, setting]) => ({
    env: envName(key),
    flag: flagName(key),
    takes: setting.takes,
    default: setting.defaultText,
    help: setting.help,
  }));
}
