// A real Kafka for tests, looked for in this order and said aloud: UGC_TEST_KAFKA_BROKERS, then Maven and Java. A broker
// of our own is one KRaft node with its own folder and ports, which may be killed, hung and started again on its data.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaJars, kafkaVersion } from './kafka-jars.ts';

export interface TestKafka {
  readonly brokers: readonly string[];
  /** What the secure listener wants, if there is one. */
  readonly secure: Secure | null;
  /** Of the process that runs now; null if it is somebody else's. */
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

/** Who may come to the secure listener, and what a client has to trust. */
export interface Secure {
  readonly brokers: readonly string[];
  /** PEM. */
  readonly ca: string;
  readonly username: string;
  readonly password: string;
}

export interface KafkaOptions {
  /** Lines of server.properties, over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
  /** A second listener: TLS with SASL PLAIN and SCRAM-SHA-256. */
  readonly isSecure?: boolean;
}

const readyMsMax = 60_000;

export async function startKafka({ properties = {}, isSecure = false }: KafkaOptions = {}): Promise<TestKafka> {
  const given = process.env.UGC_TEST_KAFKA_BROKERS;
  if (given) {
    console.log(`Kafka: ${given} (UGC_TEST_KAFKA_BROKERS)`);
    return foreign(given.split(','));
  }
  const found = await kafkaJars();
  if ('missing' in found)
    throw new Error(`no Kafka for this test: UGC_TEST_KAFKA_BROKERS is not set, and ${found.missing}`);
  console.log(`Kafka: ${kafkaVersion} of Maven's jars, one node of our own (UGC_TEST_KAFKA_BROKERS is not set)`);
  return ownBroker(found.jars, properties, isSecure);
}

async function ownBroker(
  jars: string,
  properties: Readonly<Record<string, string>>,
  isSecure: boolean,
): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-'));
  const [port, controllerPort, securePort] = (await freePorts(3)) as [number, number, number];
  const brokers = [`127.0.0.1:${port}`];
  const settings: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    // A killed broker may come back only when its registration has run out.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',
  };
  const secure = isSecure ? await secureListener(folder, securePort, settings) : null;
  Object.assign(settings, properties);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  const file = join(folder, 'server.properties');
  writeFileSync(file, lines.join(''));
  const log = Bun.file(join(folder, 'kafka.log'));
  const java = (...command: string[]) =>
    Bun.spawn(['java', '-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`, ...command], {
      cwd: folder,
      stdout: log,
      stderr: log,
    });

  const clusterId = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
  const scram = secure ? ['--add-scram', `SCRAM-SHA-256=[name=${secure.username},password=${secure.password}]`] : [];
  const formatted = await java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...scram).exited;
  if (formatted !== 0) throw new Error(`Kafka's folder could not be formatted: ${await log.text()}`);

  let broker = java('kafka.Kafka', file);
  const ready = async () => {
    const end = performance.now() + readyMsMax;
    while (!(await answers(brokers))) {
      if (broker.exitCode !== null || performance.now() > end)
        throw new Error(`Kafka did not start: ${(await log.text()).slice(-2_000)}`);
      await Bun.sleep(100);
    }
  };
  const kill = async () => {
    broker.kill('SIGKILL');
    await broker.exited;
  };
  // A test process that dies of itself leaves no broker behind.
  const atExit = () => broker.kill('SIGKILL');
  process.once('exit', atExit);
  const stopForGood = async () => {
    process.off('exit', atExit);
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await ready().catch(async error => {
    await stopForGood();
    throw error;
  });
  return {
    brokers,
    secure,
    pid: () => broker.pid,
    kill,
    stop: () => broker.kill('SIGSTOP'),
    cont: () => broker.kill('SIGCONT'),
    async restart() {
      await kill();
      broker = java('kafka.Kafka', file);
      await ready();
    },
    stopForGood,
  };
}

/** Adds the listener to the settings: a certificate of its own, signed by itself, so it is also what to trust. */
async function secureListener(folder: string, port: number, settings: Record<string, string>): Promise<Secure> {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const made = await Bun.spawn(
    // biome-ignore format: a command is read in one line
    ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
    { stdout: 'ignore', stderr: 'ignore' },
  ).exited;
  if (made !== 0) throw new Error('openssl could not make a certificate for the test');
  const ca = await Bun.file(certificate).text();
  const keystore = join(folder, 'keystore.pem');
  writeFileSync(keystore, (await Bun.file(key).text()) + ca);
  const username = 'ugc';
  const password = crypto.randomUUID();
  const module = 'org.apache.kafka.common.security';
  Object.assign(settings, {
    listeners: `${settings.listeners},SECURE://127.0.0.1:${port}`,
    'advertised.listeners': `${settings['advertised.listeners']},SECURE://127.0.0.1:${port}`,
    // Everybody may do everything but what a test forbids.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
    'super.users': 'User:ANONYMOUS',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.location': keystore,
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.secure.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_${username}="${password}";`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
  });
  return { brokers: [`127.0.0.1:${port}`], ca, username, password };
}

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

/** A plain client, as another team would have it. */
export const kafkaClient = (brokers: readonly string[], retries = 0): Kafka =>
  new Kafka({
    clientId: 'test',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 200 },
  });

async function answers(brokers: readonly string[]): Promise<boolean> {
  const admin = kafkaClient(brokers).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise(resolve => server.once('listening', resolve));
      return server;
    }),
  );
  const ports = servers.map(server => (server.address() as { port: number }).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
