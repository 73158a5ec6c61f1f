// Where bytes would leave this machine as they are: said once at the start, each hop with what to set.

import { isLoopback, parseHostPort } from '../process/address.ts';
import type { Config } from './config.ts';
import { brokerOf } from './transport.ts';

/** In words, each; none when what leaves the machine is encrypted. */
export function plainHopsOf(config: Config): readonly string[] {
  const hops: string[] = [];
  const isEmbedded = config.clickhouseUrl === '';
  if (config.tlsCert === '' && !isLoopback(config.host))
    hops.push(
      `events and keys come in plain to ${config.host}: set UGC_TLS_CERT and UGC_TLS_KEY, unless a proxy in front speaks HTTPS and nobody else gets here`,
    );
  const brokers = config.kafkaTls || brokerOf(config) !== 'kafka' ? [] : remoteOf(config.kafkaBrokers);
  if (brokers.length > 0) hops.push(`events go to Kafka in plain (${brokers.join(', ')}): set UGC_KAFKA_TLS=true`);
  const pulsar = brokerOf(config) === 'pulsar' ? plainServerOf(config.pulsarUrl) : null;
  if (pulsar !== null)
    hops.push(`events and the token go to Pulsar in plain (${pulsar}): set UGC_PULSAR_URL to its https port`);
  const rabbits = brokerOf(config) === 'rabbitmq' ? plainRabbitsOf(config.rabbitmqUrl) : [];
  if (rabbits.length > 0)
    hops.push(
      `events and the password go to RabbitMQ in plain (${rabbits.join(', ')}): set UGC_RABBITMQ_URL to amqps://…`,
    );
  const server = isEmbedded ? null : plainServerOf(config.clickhouseUrl);
  if (server !== null)
    hops.push(`rows and the password go to ClickHouse in plain (${server}): set UGC_CLICKHOUSE_URL to its https port`);
  const database = plainDatabaseOf(config.databaseUrl);
  if (database !== null)
    hops.push(
      `likes, reviews and the password may go to PostgreSQL in plain (${database}): set sslmode=verify-full in UGC_DATABASE_URL`,
    );
  const archive = plainArchiveOf(config);
  if (archive.length > 0)
    hops.push(
      `events go to the archive in plain (${archive.join(', ')}): set ${config.archiveUrl.startsWith('s3:') ? 'UGC_ARCHIVE_ENDPOINT=https://…' : 'UGC_ARCHIVE_URL=webhdfss://…'}`,
    );
  const collector = plainServerOf(config.otlpUrl);
  if (collector !== null)
    hops.push(`traces and metrics go to the collector in plain (${collector}): set UGC_OTLP_URL to its https port`);
  if (isEmbedded && config.clickhouseHttpPort >= 0 && !isLoopback(config.clickhouseHttpHost))
    hops.push(
      `rows are read in plain at ${config.clickhouseHttpHost}: set UGC_CLICKHOUSE_HTTP_HOST=127.0.0.1 and put what speaks HTTPS in front`,
    );
  return hops;
}

const remoteOf = (brokers: string): readonly string[] =>
  brokers.split(',').filter(broker => broker !== '' && !isLoopback(parseHostPort(broker)?.host ?? broker));

const plainRabbitsOf = (urls: string): readonly string[] =>
  urls
    .split(',')
    .filter(url => URL.canParse(url))
    .map(url => new URL(url))
    .filter(({ protocol, hostname }) => protocol === 'amqp:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    .map(({ host }) => host);

/** Host and port when it is beyond this machine and not over TLS. */
function plainServerOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, host } = new URL(url);
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')) ? host : null;
}

/** Hosts of WebHDFS or S3 beyond this machine that are not reached over TLS. */
function plainArchiveOf({ archiveUrl, archiveEndpoint }: Config): readonly string[] {
  if (archiveUrl.startsWith('s3:')) return [plainServerOf(archiveEndpoint)].filter(host => host !== null);
  const hosts = /^webhdfs:\/\/([^/]+)/.exec(archiveUrl)?.[1];
  return hosts === undefined ? [] : remoteOf(hosts);
}

/** Host and port when it is beyond this machine, and TLS is not asked for. */
function plainDatabaseOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { hostname, host, searchParams } = new URL(url);
  const isAsked = /^(require|verify-ca|verify-full)$/.test(searchParams.get('sslmode') ?? '');
  return isAsked || hostname === '' || isLoopback(hostname.replace(/^\[|\]$/g, '')) ? null : host;
}
