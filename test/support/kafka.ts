// A real Kafka for tests, looked for in this order and said aloud: UGC_TEST_KAFKA_BROKERS; a Docker engine; Maven and
// Java. A broker of our own is one KRaft node, which may be killed, hung and started again on its data.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { findJava, type Java } from './kafka-java.ts';
import { kafkaNode } from './kafka-node.ts';
import { type Secure, secureListener } from './kafka-secure.ts';

export { kafkaClient, makeTopics } from './kafka-node.ts';
export type { Secure } from './kafka-secure.ts';

export interface TestKafka {
  readonly brokers: readonly string[];
  /** What the secure listener wants, if there is one. */
  readonly secure: Secure | null;
  /** Of the process that runs now; null if it is somebody else's, or in a container. */
  pid(): number | null;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** A killed broker again, on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export interface KafkaOptions {
  /** Lines of server.properties, over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
  /** A second listener: TLS with SASL PLAIN and SCRAM-SHA-256. */
  readonly isSecure?: boolean;
  /** Of the broker's virtual machine, instead of those that suit a test. */
  readonly flags?: readonly string[];
}

export async function startKafka({ properties = {}, isSecure = false, flags }: KafkaOptions = {}): Promise<TestKafka> {
  const given = process.env.UGC_TEST_KAFKA_BROKERS;
  // A broker with a listener or settings of the test's own can only be one of our own.
  if (given && !isSecure && Object.keys(properties).length === 0) {
    console.log(`Kafka: ${given} (UGC_TEST_KAFKA_BROKERS)`);
    return foreign(given.split(','));
  }
  return ownBroker(await javaForKafka(), { properties, isSecure, ...(flags && { flags }) });
}

/** Java for brokers of our own, or an error that says everything that was looked for. */
export async function javaForKafka(): Promise<Java> {
  const found = await findJava();
  if ('missing' in found) throw new Error(`no Kafka for this test: ${found.missing}`);
  return found.java;
}

/**
 * For `skipIf`: true, said aloud, on a machine without any Kafka. In CI that is an error instead, since tests that do not
 * run show nothing. Tests that kill their brokers need `own` ones.
 */
export async function isWithoutKafka(wanted: 'any' | 'own' = 'any'): Promise<boolean> {
  if (wanted === 'any' && process.env.UGC_TEST_KAFKA_BROKERS) return false;
  const found = await findJava();
  if ('java' in found) return false;
  if (process.env.CI) throw new Error(`no Kafka, and this is CI: ${found.missing}`);
  console.warn(`NO KAFKA, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

async function ownBroker(java: Java, { properties, isSecure, flags }: KafkaOptions): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-'));
  const [plain, controller, secure, mutual] = (await freePorts(4)) as [number, number, number, number];
  const listener = isSecure ? await secureListener(folder, { plain, controller, secure, mutual }) : null;
  const node = await kafkaNode({
    java,
    folder,
    clusterId: newClusterId(),
    id: 1,
    port: plain,
    controllers: new Map([[1, `127.0.0.1:${controller}`]]),
    properties: { ...listener?.properties, ...properties },
    formatArgs: listener?.formatArgs ?? [],
    ...(flags && { flags }),
  });
  const atExit = () => {
    node.killAtExit();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit); // a test process that dies of itself leaves no broker behind
  const stopForGood = async () => {
    process.off('exit', atExit);
    await node.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const restart = async () => {
    await node.start();
    await node.ready();
  };
  await restart().catch(async error => {
    await stopForGood();
    throw error;
  });
  return {
    brokers: [node.address],
    secure: listener?.secure ?? null,
    pid: node.pid,
    kill: node.kill,
    stop: node.stop,
    cont: node.cont,
    restart,
    stopForGood,
  };
}

/** One that begins with a dash would be taken for an option. */
export const newClusterId = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16)).fill(1, 0, 1)).toString('base64url');

/** Somebody else's brokers: to be used, not to be touched. */
function foreign(brokers: readonly string[]): TestKafka {
  const untouchable = (): never => {
    throw new Error('this test stops its broker: unset UGC_TEST_KAFKA_BROKERS to run it');
  };
  return {
    brokers,
    secure: null,
    pid: () => null,
    kill: async () => untouchable(),
    stop: untouchable,
    cont: untouchable,
    restart: async () => untouchable(),
    stopForGood: async () => {},
  };
}
