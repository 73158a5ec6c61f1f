// A Kafka cluster of a test's own: nodes that can be killed, hung and started again one by one. Each node is broker and
// voter of the controllers' quorum at once, so of three any one may be gone and two still elect, and it takes no fourth
// process. With a proxy before each broker, clients that start at `proxied` go through the proxies for everything, because
// a broker tells them its proxy's address in place of its own; brokers talk to each other past them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { javaForKafka, kafkaClient, newClusterId } from './kafka.ts';
import { type KafkaNode, kafkaNode } from './kafka-node.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

export interface ClusterNode extends KafkaNode {
  readonly id: number;
  readonly proxy: TcpProxy;
}

export interface TestCluster {
  readonly nodes: readonly ClusterNode[];
  /** The brokers themselves. */
  readonly brokers: readonly string[];
  /** The same through the proxies. */
  readonly proxied: readonly string[];
  /** Everything runs, nothing is in its way, and every replica of every topic is in sync. */
  heal(): Promise<void>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export interface ClusterOptions {
  readonly nodes?: number;
  /** From 0 up to 1, for the proxies' jitter. */
  readonly random?: () => number;
  /** Lines of server.properties, over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
}

const inSyncMsMax = 240_000;

/** Topics that do not say it themselves need two replicas in sync, where there are three nodes. */
export async function startCluster({
  nodes: count = 3,
  random = Math.random,
  properties = {},
}: ClusterOptions = {}): Promise<TestCluster> {
  const java = await javaForKafka();
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-'));
  const clusterId = newClusterId();
  const ports = await freePorts(count * 3);
  const plain = ports.slice(0, count);
  const controllers = new Map(ports.slice(count, 2 * count).map((port, at) => [at + 1, `127.0.0.1:${port}`]));
  const behind = ports.slice(2 * count);
  const shared = {
    'min.insync.replicas': `${Math.max(1, count - 1)}`,
    'default.replication.factor': `${count}`,
    'offsets.topic.replication.factor': `${count}`,
    'transaction.state.log.replication.factor': `${count}`,
    'transaction.state.log.min.isr': '1',
    // A follower that hangs is out of the way this soon, and a controller as well.
    'replica.lag.time.max.ms': '2000',
    'controller.quorum.fetch.timeout.ms': '1500',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
  };
  const proxies = await Promise.all(behind.map(port => tcpProxy({ target: port, random })));
  const nodes = await Promise.all(
    plain.map(async (port, at): Promise<ClusterNode> => {
      const id = at + 1;
      const proxy = proxies[at]!;
      const direct = `PLAINTEXT://127.0.0.1:${port}`;
      const node = await kafkaNode({
        java,
        folder: join(folder, `node-${id}`),
        clusterId,
        id,
        port,
        controllers,
        properties: {
          ...shared,
          listeners: `${direct},CONTROLLER://${controllers.get(id)},PROXIED://127.0.0.1:${behind[at]}`,
          'advertised.listeners': `${direct},PROXIED://127.0.0.1:${proxy.port}`,
          ...properties,
        },
      });
      return { ...node, id, proxy };
    }),
  );
  const brokers = nodes.map(({ address }) => address);

  // A test process that dies of itself leaves no broker behind.
  const atExit = () => {
    for (const node of nodes) node.killAtExit();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const stopForGood = async () => {
    process.off('exit', atExit);
    await Promise.all(nodes.flatMap(({ kill, proxy }) => [kill(), proxy.close()]));
    rmSync(folder, { recursive: true, force: true });
  };
  const heal = async () => {
    for (const { proxy, cont } of nodes) {
      proxy.heal();
      cont();
    }
    await Promise.all(nodes.map(node => (node.isRunning() ? undefined : node.start())));
    await Promise.all(nodes.map(({ ready }) => ready()));
    await inSync(brokers);
  };
  await heal().catch(async error => {
    await stopForGood();
    throw error;
  });
  return { nodes, brokers, proxied: proxies.map(({ port }) => `127.0.0.1:${port}`), heal, stopForGood };
}

/** Resolves when no partition has a replica out of sync. */
async function inSync(brokers: readonly string[]): Promise<void> {
  const admin = kafkaClient(brokers, 20).admin();
  await admin.connect();
  try {
    const end = performance.now() + inSyncMsMax;
    for (;;) {
      const { topics } = await admin.fetchTopicMetadata();
      const behind = topics.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ replicas, isr }) => isr.length < replicas.length)
          .map(each => `${name}/${each.partitionId}`),
      );
      if (behind.length === 0) return;
      if (performance.now() > end) throw new Error(`out of sync after ${inSyncMsMax} ms: ${behind.join(', ')}`);
      await Bun.sleep(50);
    }
  } finally {
    await admin.disconnect();
  }
}
