// Settings: ClickHouse: a server, or the embedded engine.

import { bytes, choice, flag, integer, text } from './kinds.ts';

export const clickhouseSettings = {
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
  clickhouseTlsCa: text({
    default: '',
    takes: 'a PEM file',
    help: 'Authorities to trust of a ClickHouse server behind https; empty = those of the system',
  }),
  clickhouseTlsCert: text({
    default: '',
    takes: 'a PEM file',
    help: 'Client certificate for ClickHouse; without UGC_CLICKHOUSE_PASSWORD it is also who the user is',
  }),
  clickhouseTlsKey: text({ default: '', takes: 'a PEM file', help: 'Key of that certificate' }),
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
    help: 'Address of that interface; it asks for no name, so beyond loopback UGC_AUTH must be said',
  }),
  clickhouseHttpReadonly: flag({
    default: true,
    help: 'That interface takes queries only; false = inserts and DDL too',
  }),
};
