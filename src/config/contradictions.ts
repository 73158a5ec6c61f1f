// What one setting says about another: settings that are right by themselves and cannot be meant together.

import { archiveProblems } from './archive.ts';
import { clientsProblems } from './clients.ts';
import type { Config } from './config.ts';
import { contentProblems, keepsHistory } from './content.ts';
import { fromProblems } from './from.ts';
import { jwtProblems } from './jwt.ts';
import { otlpProblems } from './otlp.ts';
import { brokerOf } from './transport.ts';

/** In words, each; none when all is well. */
export function contradictionsOf(config: Config): string[] {
  const problems: string[] = [];
  if (config.clickhouseCluster !== '' && config.clickhouseUrl === '')
    problems.push('UGC_CLICKHOUSE_CLUSTER needs UGC_CLICKHOUSE_URL: the embedded engine is one node');
  if (config.clickhouseInsertQuorum !== '0' && config.clickhouseCluster === '')
    problems.push('UGC_CLICKHOUSE_INSERT_QUORUM needs UGC_CLICKHOUSE_CLUSTER: on one node there is one replica');
  if (config.bodyDecompressedBytesMax < config.bodyBytesMax)
    problems.push('UGC_BODY_DECOMPRESSED_BYTES_MAX must not be smaller than UGC_BODY_BYTES_MAX');
  if (config.eventBytesMax > config.bodyDecompressedBytesMax)
    problems.push('UGC_EVENT_BYTES_MAX must not be larger than UGC_BODY_DECOMPRESSED_BYTES_MAX');
  if (!config.streams.includes('all') && brokerOf(config) === null)
    problems.push('UGC_STREAMS needs a broker (UGC_TRANSPORT): the disk buffer is read as a whole');
  if (config.transport === 'kafka' && config.kafkaBrokers === '')
    problems.push('UGC_TRANSPORT=kafka needs UGC_KAFKA_BROKERS');
  if (config.transport === 'pulsar' && config.pulsarUrl === '')
    problems.push('UGC_TRANSPORT=pulsar needs UGC_PULSAR_URL');
  if (config.corsCredentials && config.corsOrigins.includes('*'))
    problems.push(
      'UGC_CORS_CREDENTIALS=true needs UGC_CORS_ORIGINS to name the origins: with * any page could act as its visitor',
    );
  problems.push(...fromProblems(config));
  if (config.auth.includes('none') && config.auth.length > 1)
    problems.push('UGC_AUTH=none lets everybody in, so it goes with nothing else');
  problems.push(
    ...jwtProblems(config),
    ...clientsProblems(config),
    ...contentProblems(config),
    ...archiveProblems(config),
    ...otlpProblems(config),
  );
  if (config.kafkaSasl !== 'none' && (config.kafkaUser === '' || config.kafkaPassword === ''))
    problems.push(`UGC_KAFKA_SASL=${config.kafkaSasl} needs UGC_KAFKA_USER and UGC_KAFKA_PASSWORD`);
  if (config.kafkaSasl === 'none' && (config.kafkaUser !== '' || config.kafkaPassword !== ''))
    problems.push('UGC_KAFKA_USER and UGC_KAFKA_PASSWORD need UGC_KAFKA_SASL, e.g. scram-sha-512');
  if ((config.kafkaTlsCert === '') !== (config.kafkaTlsKey === ''))
    problems.push('UGC_KAFKA_TLS_CERT and UGC_KAFKA_TLS_KEY need each other');
  if (!config.kafkaTls && config.kafkaTlsCa + config.kafkaTlsCert !== '')
    problems.push('UGC_KAFKA_TLS_CA and UGC_KAFKA_TLS_CERT need UGC_KAFKA_TLS=true');
  problems.push(...rabbitmqProblemsOf(config));
  problems.push(...tlsProblemsOf(config), ...clickhouseTlsProblemsOf(config));
  return problems;
}

function rabbitmqProblemsOf(config: Config): string[] {
  const { rabbitmqUrl: url, rabbitmqTlsCa: ca, rabbitmqTlsCert: cert, rabbitmqTlsKey: key } = config;
  const problems: string[] = [];
  if (config.transport === 'rabbitmq' && url === '') problems.push('UGC_TRANSPORT=rabbitmq needs UGC_RABBITMQ_URL');
  if (config.transport !== 'rabbitmq' && url !== '') problems.push('UGC_RABBITMQ_URL needs UGC_TRANSPORT=rabbitmq');
  if (config.transport === 'rabbitmq' && config.rabbitmqQueue === 'quorum' && config.from !== null)
    problems.push(
      'UGC_FROM (--from) needs UGC_RABBITMQ_QUEUE=stream: a quorum queue forgets events once they are rows',
    );
  if (config.transport === 'rabbitmq' && config.rabbitmqQueue === 'quorum' && keepsHistory(config))
    problems.push(
      'UGC_CONTENT_HISTORY needs UGC_RABBITMQ_QUEUE=stream: a quorum queue passes each event to one reader, so the history would take events from the tables. Set UGC_CONTENT_HISTORY=off to have likes and reviews alone',
    );
  if ((cert === '') !== (key === '')) problems.push('UGC_RABBITMQ_TLS_CERT and UGC_RABBITMQ_TLS_KEY need each other');
  if (ca + cert !== '' && !url.startsWith('amqps://'))
    problems.push('UGC_RABBITMQ_TLS_CA and UGC_RABBITMQ_TLS_CERT need UGC_RABBITMQ_URL to be amqps://…');
  return problems;
}

function tlsProblemsOf(config: Config): string[] {
  const problems: string[] = [];
  if ((config.tlsCert === '') !== (config.tlsKey === '')) problems.push('UGC_TLS_CERT and UGC_TLS_KEY need each other');
  const needy = [
    ['UGC_TLS_CLIENT_CA', config.tlsClientCa !== ''],
    ['UGC_HSTS_SECONDS', config.hstsSeconds > 0],
    ['UGC_HTTP_REDIRECT_PORT', config.httpRedirectPort >= 0],
    ['UGC_ADMIN_TLS', config.adminTls],
  ] as const;
  if (config.tlsCert === '')
    for (const [name, isSet] of needy) if (isSet) problems.push(`${name} needs UGC_TLS_CERT and UGC_TLS_KEY`);
  if (config.httpRedirectTo !== '' && config.httpRedirectPort < 0)
    problems.push('UGC_HTTP_REDIRECT_TO needs UGC_HTTP_REDIRECT_PORT');
  if (config.adminTls && config.adminPort < 0) problems.push('UGC_ADMIN_TLS needs UGC_ADMIN_PORT');
  return problems;
}

function clickhouseTlsProblemsOf({
  clickhouseUrl: url,
  clickhouseTlsCa: ca,
  clickhouseTlsCert: cert,
  clickhouseTlsKey: key,
}: Config): string[] {
  const problems: string[] = [];
  if ((cert === '') !== (key === ''))
    problems.push('UGC_CLICKHOUSE_TLS_CERT and UGC_CLICKHOUSE_TLS_KEY need each other');
  if (ca + cert !== '' && !url.startsWith('https://'))
    problems.push('UGC_CLICKHOUSE_TLS_CA and UGC_CLICKHOUSE_TLS_CERT need UGC_CLICKHOUSE_URL to be https://…');
  return problems;
}
