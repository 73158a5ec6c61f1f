// Two brokers with one controller, for tests in which one of them goes: the first stays and has a secure listener, the second
// may be killed. Half the processes of a cluster that elects (kafka-cluster.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { javaForKafka, newClusterId, type Secure } from './kafka.ts';
import { type KafkaNode, kafkaNode } from './kafka-node.ts';
import { secureListener } from './kafka-secure.ts';

export interface KafkaPair {
  readonly first: KafkaNode;
  readonly second: KafkaNode;
  readonly brokers: readonly string[];
  readonly secure: Secure;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export async function startKafkaPair(): Promise<KafkaPair> {
  const java = await javaForKafka();
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-'));
  const [plain, controller, secure, mutual, other] = (await freePorts(5)) as [number, number, number, number, number];
  const listener = await secureListener(join(folder, 'tls'), { plain, controller, secure, mutual });
  const common = {
    java,
    clusterId: newClusterId(),
    controllers: new Map([[1, `127.0.0.1:${controller}`]]),
  };
  const replicated = { 'default.replication.factor': '2', 'min.insync.replicas': '1' };
  const [first, second] = await Promise.all([
    kafkaNode({
      ...{ ...common, folder: join(folder, '1'), id: 1, port: plain },
      properties: { ...listener.properties, ...replicated },
      formatArgs: listener.formatArgs,
    }),
    kafkaNode({
      ...{ ...common, folder: join(folder, '2'), id: 2, port: other },
      properties: { 'process.roles': 'broker', listeners: `PLAINTEXT://127.0.0.1:${other}`, ...replicated },
    }),
  ]);
  const nodes = [first, second];
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const atExit = () => {
    for (const node of nodes) node.killAtExit();
    remove();
  };
  process.once('exit', atExit); // a test process that dies of itself leaves no broker behind
  const stopForGood = async () => {
    process.off('exit', atExit);
    await Promise.all(nodes.map(({ kill }) => kill()));
    remove();
  };
  try {
    await Promise.all(nodes.map(({ start }) => start()));
    await Promise.all(nodes.map(({ ready }) => ready()));
  } catch (error) {
    await stopForGood();
    throw error;
  }
  return { first, second, brokers: nodes.map(({ address }) => address), secure: listener.secure, stopForGood };
}
