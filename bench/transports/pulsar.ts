// Pulsar as a broker of the bench.

import { ensureTopics } from '../../src/adapters/pulsar/connect/ensure-topics.ts';
import { pulsarLog } from '../../src/adapters/pulsar/write/log.ts';
import { findJars, startPulsar } from '../../test/support/pulsar.ts';
import { cpuUs } from '../process.ts';
import { type BenchBroker, type PeerCommand, partitions } from './broker.ts';
import { jarsOf, serverFlags } from './java.ts';

const namespace = 'public/default';
const subscription = 'bench';

export async function startPulsarBroker(): Promise<BenchBroker> {
  const pulsar = await startPulsar({ flags: serverFlags });
  const { url, serviceUrl } = pulsar;
  if (serviceUrl === null) throw new Error('its own client needs its other port: unset UGC_TEST_PULSAR_URL');
  const connection = { url, namespace, requestTimeoutMs: 60_000, connectTimeoutMs: 10_000 };
  const peer: PeerCommand = {
    title: 'Java, pulsar-client',
    main: 'PulsarPeer',
    jars: jarsOf(await findJars()),
    args: topics => [serviceUrl, topics.map(topic => `persistent://${namespace}/${topic}`).join(',')],
  };
  return {
    title: 'Pulsar',
    stored: 'pulsar',
    env: (topic, group) => ({
      UGC_TRANSPORT: 'pulsar',
      UGC_PULSAR_URL: url,
      UGC_PULSAR_SUBSCRIPTION: group,
      UGC_TOPIC: topic,
      UGC_TOPIC_PARTITIONS: `${partitions}`,
      UGC_PULSAR_CONNECT_TIMEOUT_MS: '10000',
    }),
    us: () => cpuUs(pulsar.pid()!),
    kill: pulsar.kill,
    restart: pulsar.restart,
    stopForGood: pulsar.stopForGood,
    ensureTopics: topics => ensureTopics(connection, topics, { partitions, subscription }),
    backlog: 40_000,
    openLog: () => pulsarLog(connection),
    peers: [
      peer,
      { ...peer, title: `${peer.title}, a message an entry`, args: topics => [...peer.args(topics), 'single'] },
    ],
  };
}
