// One KRaft node for a test, broker and controller in one, with a folder and ports of its own: formatted once, then
// killed, hung and started again on its data as often as a test likes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';
import type { Java, JavaProcess } from './kafka-java.ts';
import { eventually } from './until.ts';

export interface KafkaNode {
  /** host:port of the plain listener. */
  readonly address: string;
  /** Of the process that runs now; null where it cannot be seen. */
  pid(): number | null;
  /** kill -9. Resolves when it is dead. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** Starts the process, killing the one before, on the same ports and data; does not wait for its answer. */
  start(): Promise<void>;
  /** Resolves when it answers; rejects with the end of its log if it has died. */
  ready(): Promise<void>;
  isRunning(): boolean;
  /** For the last moment of the test process. */
  killAtExit(): void;
}

export interface NodeOptions {
  readonly java: Java;
  readonly folder: string;
  readonly clusterId: string;
  readonly id: number;
  readonly port: number;
  /** host:port by node id, of all nodes. */
  readonly controllers: ReadonlyMap<number, string>;
  /** Lines of server.properties, over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
  /** More arguments of the command that formats the folder. */
  readonly formatArgs?: readonly string[];
  /** Of the virtual machine. */
  readonly flags?: readonly string[];
}

const readyMsMax = 240_000;

/** Formats the folder; the node is yet to be started. */
export async function kafkaNode(options: NodeOptions): Promise<KafkaNode> {
  const { java, folder, id } = options;
  const address = `127.0.0.1:${options.port}`;
  const file = join(folder, 'server.properties');
  const logFile = join(folder, 'kafka.log');
  const run = (...args: string[]) => java({ folder, logFile, args, ...(options.flags && { flags: options.flags }) });
  const said = () => readFileSync(logFile, 'utf8').slice(-2_000);

  mkdirSync(folder, { recursive: true });
  const lines = Object.entries(settingsOf(options)).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(''));
  const format = ['format', '-t', options.clusterId, '-c', file, ...(options.formatArgs ?? [])];
  if ((await run('kafka.tools.StorageTool', ...format).exited) !== 0)
    throw new Error(`the folder of Kafka's node ${id} could not be formatted: ${said()}`);

  let current: JavaProcess = { exited: Promise.resolve(0), pid: null, kill: () => {}, stop: () => {}, cont: () => {} };
  let isRunning = false;
  const kill = async () => {
    current.kill();
    await current.exited;
  };
  return {
    address,
    pid: () => current.pid,
    kill,
    stop: () => current.stop(),
    cont: () => current.cont(),
    isRunning: () => isRunning,
    killAtExit: () => current.kill(),
    async start() {
      await kill();
      const started = run('kafka.Kafka', file);
      current = started;
      isRunning = true;
      void started.exited.then(() => {
        if (current === started) isRunning = false;
      });
    },
    async ready() {
      const end = performance.now() + readyMsMax;
      while (!(await answers(address))) {
        if (!isRunning || performance.now() > end) throw new Error(`Kafka's node ${id} did not start: ${said()}`);
        await Bun.sleep(100);
      }
    },
  };
}

const settingsOf = ({ id, port, folder, controllers, properties }: NodeOptions): Record<string, string> => ({
  'process.roles': 'broker,controller',
  'node.id': `${id}`,
  'controller.quorum.voters': [...controllers].map(([node, at]) => `${node}@${at}`).join(','),
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://${controllers.get(id)}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'log.dirs': join(folder, 'data'),
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'group.initial.rebalance.delay.ms': '0',
  // The times of a test's records are the test's: none is too old to be kept or too far ahead to be taken.
  'log.retention.ms': '-1',
  'log.message.timestamp.after.max.ms': '9223372036854775807',
  // Compaction wants 128 MiB of the heap at once, and nothing here is compacted.
  'log.cleaner.enable': 'false',
  'num.network.threads': '2',
  'num.io.threads': '2',
  // A killed broker may come back only when its registration has run out.
  'broker.session.timeout.ms': '1500',
  'broker.heartbeat.interval.ms': '300',
  ...properties,
});

/** A plain client, as another team would have it. */
export const kafkaClient = (brokers: readonly string[], retries = 0): Kafka =>
  new Kafka({
    clientId: 'test',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    requestTimeout: 15_000,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 500 },
  });

/**
 * Topics, each partition of which has a leader that knows it is one. kafkajs' waitForLeaders fails instead when the broker it
 * asks has not heard of the topic yet.
 */
export async function makeTopics(admin: Admin, ...topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  for (const { topic } of topics)
    await eventually(() => admin.fetchTopicOffsets(topic), { what: `leaders of ${topic}` });
}

/** True when this very broker has its place in the cluster. */
async function answers(address: string): Promise<boolean> {
  const admin = kafkaClient([address]).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.some(({ host, port }) => `${host}:${port}` === address);
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
