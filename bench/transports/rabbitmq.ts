// RabbitMQ as a broker of the bench, with either kind of queue.

import { ensureTopics } from '../../src/adapters/rabbitmq/connect/ensure-topics.ts';
import type { QueueKind } from '../../src/adapters/rabbitmq/connect/options.ts';
import { rabbitmqLog } from '../../src/adapters/rabbitmq/write/log.ts';
import { mavenJars } from '../../test/support/maven-jars.ts';
import { startRabbitmq } from '../../test/support/rabbitmq.ts';
import { treeUs } from '../process-tree.ts';
import type { BenchBroker } from './broker.ts';
import { jarsOf } from './java.ts';

const clientVersion = '5.37.1';

const clientJars = () =>
  mavenJars({
    title: 'RabbitMQ’s Java client',
    name: 'rabbitmq-client',
    version: clientVersion,
    artifacts: [`com.rabbitmq:amqp-client:${clientVersion}`, 'org.slf4j:slf4j-nop:1.7.36'],
  });

export const startRabbitmqBroker = (kind: QueueKind) => async (): Promise<BenchBroker> => {
  const rabbitmq = await startRabbitmq('own');
  const { url } = rabbitmq;
  const connection = { urls: [url], kind, requestTimeoutMs: 60_000 };
  return {
    title: `RabbitMQ, ${kind}`,
    stored: 'rabbitmq',
    env: (topic, group) => ({
      UGC_TRANSPORT: 'rabbitmq',
      UGC_RABBITMQ_URL: url,
      UGC_RABBITMQ_QUEUE: kind,
      UGC_RABBITMQ_GROUP: group,
      UGC_TOPIC: topic,
    }),
    us: () => treeUs(rabbitmq.pid()!),
    kill: rabbitmq.kill,
    restart: rabbitmq.restart,
    stopForGood: rabbitmq.stopForGood,
    ensureTopics: topics => ensureTopics(connection, topics),
    backlog: 80_000,
    openLog: () => rabbitmqLog(connection),
    peers: [
      {
        title: 'Java, amqp-client',
        main: 'RabbitmqPeer',
        jars: jarsOf(await clientJars()),
        args: topics => [url, topics.join(','), kind],
      },
    ],
  };
};
