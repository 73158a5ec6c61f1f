// A real Pulsar for tests, looked for in this order and said aloud: UGC_TEST_PULSAR_URL (of its web service); Maven and Java. One
// of our own is a standalone process, which may be killed, hung and started again on its data. Nothing of it is left behind.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classArchive, endInOrder } from './class-archive.ts';
import { freePorts } from './free-ports.ts';
import { freeze, thaw } from './freeze.ts';
import { mavenJars } from './maven-jars.ts';
import { type SecurePulsar, secureIn } from './pulsar-secure.ts';

export interface TestPulsar {
  /** Of the web service: admin API and WebSocket API. */
  readonly url: string;
  /** Of its binary protocol, for clients of its own kind; null if it is somebody else's. */
  readonly serviceUrl: string | null;
  /** Of the process that runs now; null if it is somebody else's. */
  pid(): number | null;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** A killed one again, on the same ports and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Whether it does, within a few seconds. */
  answers(): Promise<boolean>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
  /** Of one that was started secure: who may ask it, and how. */
  readonly secure: SecurePulsar | null;
}

const version = '4.0.0';

/** The jars of server and client. */
export const findJars = () =>
  mavenJars({
    title: 'Pulsar',
    name: 'pulsar',
    version,
    artifacts: [
      `org.apache.pulsar:pulsar-broker:${version}`,
      'org.apache.logging.log4j:log4j-slf4j2-impl:2.23.1',
      'org.apache.logging.log4j:log4j-core:2.23.1',
    ],
  });

/** Pulsar's client for Java, as another team has it. */
export const findClientJars = () =>
  mavenJars({
    title: 'the Java client of Pulsar',
    name: 'pulsar-client',
    version,
    artifacts: [`org.apache.pulsar:pulsar-client:${version}`, 'org.slf4j:slf4j-nop:2.0.13'],
  });

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error: tests that do not run show nothing. */
export async function isWithoutPulsar(wanted: 'any' | 'own' = 'any'): Promise<boolean> {
  if (wanted === 'any' && process.env.UGC_TEST_PULSAR_URL) return false;
  const found = await findJars();
  if ('jars' in found) return false;
  if (process.env.CI) throw new Error(`no Pulsar, and this is CI: ${found.missing}`);
  console.warn(`NO PULSAR, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

export interface PulsarStart {
  /** Lines of standalone.conf, over the defaults. */
  readonly settings?: Settings;
  /** By tokens alone; over TLS beside plain. */
  readonly isSecure?: boolean;
  /** Of its virtual machine, instead of those that suit a test. */
  readonly flags?: readonly string[];
}

export async function startPulsar({
  settings = {},
  isSecure = false,
  flags = testFlags,
}: PulsarStart = {}): Promise<TestPulsar> {
  const given = process.env.UGC_TEST_PULSAR_URL;
  if (given && !isSecure && Object.keys(settings).length === 0) {
    console.log(`Pulsar: ${given} (UGC_TEST_PULSAR_URL)`);
    return foreign(given);
  }
  const found = await findJars();
  if ('missing' in found) throw new Error(`no Pulsar for this test: ${found.missing}`);
  const { jars } = found;
  const shared = await classArchive(jars, more => runOnce(jars, more));
  return own(jars, { settings, isSecure, flags: [...flags, ...shared] });
}

async function runOnce(jars: string, more: readonly string[]): Promise<void> {
  const pulsar = await own(jars, { settings: {}, isSecure: false, flags: [...testFlags, ...more] });
  try {
    await endInOrder(pulsar.pid()!);
  } finally {
    await pulsar.stopForGood();
  }
}

type Settings = Readonly<Record<string, string>>;

async function own(jars: string, { settings, isSecure, flags }: Required<PulsarStart>): Promise<TestPulsar> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-pulsar-'));
  const [binary, web, bookie, webTls] = (await freePorts(4)) as [number, number, number, number];
  const secure = isSecure ? secureIn(folder, webTls) : null;
  const url = `http://127.0.0.1:${web}`;
  const logFile = join(folder, 'pulsar.log');
  mkdirSync(join(folder, 'conf'));
  const lines = Object.entries({
    ...defaults,
    brokerServicePort: `${binary}`,
    webServicePort: `${web}`,
    ...secure?.settings,
    ...settings,
  });
  const conf = join(folder, 'conf', 'standalone.conf');
  writeFileSync(conf, lines.map(([name, value]) => `${name}=${value}\n`).join(''));
  writeFileSync(join(folder, 'conf', 'log4j2.xml'), logging);
  // biome-ignore format: a command is read in one line
  const command = ['java', ...flags, ...neededFlags, ...opened.flatMap(name => ['--add-opens', `${name}=ALL-UNNAMED`]),
    `-Dlog4j.configurationFile=${join(folder, 'conf', 'log4j2.xml')}`, '-cp', `${jars}/*`,
    'org.apache.pulsar.PulsarStandaloneStarter', '--config', conf, '--no-functions-worker', '--no-stream-storage',
    '--num-bookies', '1', '--bookkeeper-port', `${bookie}`, '--bookkeeper-dir', join(folder, 'bk'),
    '--metadata-dir', join(folder, 'meta')];
  let child: Bun.Subprocess | null = null;

  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL');
    await child?.exited;
  };
  const restart = async (): Promise<void> => {
    await kill();
    const log = openSync(logFile, 'a');
    child = Bun.spawn(command, { cwd: folder, stdin: 'ignore', stdout: log, stderr: log });
    closeSync(log);
    const started = child;
    const deadline = performance.now() + readyMsMax;
    while (!(await answers(url, secure?.token))) {
      if (started.exitCode !== null || started.signalCode !== null || performance.now() > deadline)
        throw new Error(`Pulsar did not start: ${readFileSync(logFile, 'utf8').slice(-3_000)}`);
      await Bun.sleep(200);
    }
  };
  const atExit = (): void => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const stopForGood = async (): Promise<void> => {
    process.off('exit', atExit);
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await restart().catch(async error => {
    await stopForGood();
    throw error;
  });
  console.log(`Pulsar: ${version} of Maven's jars at ${url}`);
  return {
    url,
    serviceUrl: `pulsar://127.0.0.1:${binary}`,
    pid: () => child?.pid ?? null,
    kill,
    stop: () => freeze(child!),
    cont: () => thaw(child!),
    restart,
    answers: () => answers(url, secure?.token),
    stopForGood,
    secure,
  };
}

const readyMsMax = 240_000;

/** Its default namespace is made last. */
async function answers(url: string, token?: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(5_000);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await (await fetch(`${url}/admin/v2/namespaces/public`, { signal, headers })).text()).includes(
      'public/default',
    );
  } catch {
    return false;
  }
}

// A small one that starts soon, and that has on its disk what it has acked: it is killed.
const defaults: Settings = {
  clusterName: 'standalone',
  bindAddress: '127.0.0.1',
  advertisedAddress: '127.0.0.1',
  webSocketServiceEnabled: 'true',
  allowLoopback: 'true',
  numIOThreads: '2',
  numHttpServerThreads: '8',
  managedLedgerDefaultEnsembleSize: '1',
  managedLedgerDefaultWriteQuorum: '1',
  managedLedgerDefaultAckQuorum: '1',
  managedLedgerCacheSizeMB: '32',
  brokerDeleteInactiveTopicsEnabled: 'false',
  loadManagerClassName: 'org.apache.pulsar.broker.loadbalance.NoopLoadManager',
  transactionCoordinatorEnabled: 'false',
  failureDomainsEnabled: 'false',
  journalMaxGroupWaitMSec: '1',
  journalPreAllocSizeMB: '4',
  journalWriteBufferSizeKB: '1024',
  dbStorage_writeCacheMaxSizeMb: '32',
  dbStorage_readAheadCacheMaxSizeMb: '16',
  dbStorage_rocksDB_blockCacheSize: '16777216',
  ledgerStorageClass: 'org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage',
  diskUsageThreshold: '0.99',
  diskUsageWarnThreshold: '0.98',
};

const testFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

const neededFlags = [
  '-XX:MaxDirectMemorySize=512m',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Dpulsar.allocator.exit_on_oom=false',
  '-Dio.netty.allocator.numDirectArenas=2',
];

const opened = [
  'java.base/java.lang',
  'java.base/java.nio',
  'java.base/java.util.zip',
  'java.base/sun.net',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.platform',
  'java.management/sun.management',
  'jdk.management/com.sun.management.internal',
];

const logging = `<Configuration status="warn"><Appenders><Console name="c"><PatternLayout pattern="%d %p %c{1} %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="c"/></Root></Loggers></Configuration>
`;

/** Somebody else's: to be used, not to be touched. */
function foreign(url: string): TestPulsar {
  const untouchable = (): never => {
    throw new Error('this test stops its Pulsar: unset UGC_TEST_PULSAR_URL to run it');
  };
  return {
    url,
    serviceUrl: null,
    pid: () => null,
    kill: async () => untouchable(),
    stop: untouchable,
    cont: untouchable,
    restart: async () => untouchable(),
    answers: () => answers(url),
    stopForGood: async () => {},
    secure: null,
  };
}
