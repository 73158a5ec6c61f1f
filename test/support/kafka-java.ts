// Where a test's Kafka runs: in a container where an engine answers, else on this machine's Java with Maven's jars. Either
// way it is the same command on the same files, so that a node is killed, hung and started again in the same manner.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classArchive, endInOrder } from './class-archive.ts';
import { freePorts } from './free-ports.ts';
import { freeze, thaw } from './freeze.ts';
import { kafkaJars, kafkaVersion } from './kafka-jars.ts';
import { kafkaNode } from './kafka-node.ts';

/** A Java process, or a container that is nothing else. */
export interface JavaProcess {
  /** The exit code. */
  readonly exited: Promise<number>;
  /** Null in a container. */
  readonly pid: number | null;
  /** kill -9. Done when `exited` resolves. */
  kill(): void;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
}

export interface JavaCommand {
  /** Its working folder, which is all it has to see of the disk. */
  readonly folder: string;
  /** Takes what it prints. */
  readonly logFile: string;
  readonly args: readonly string[];
  /** Of the virtual machine, instead of those that suit a test. */
  readonly flags?: readonly string[];
}

/** Starts Java with Kafka on its class path. */
export type Java = (command: JavaCommand) => JavaProcess;

const image = `apache/kafka:${kafkaVersion}`;
const pullMsMax = 300_000;
const askMsMax = 5_000;

// Little memory, and compiled soon rather than well: a test's broker starts often and works little.
const logFlag = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
const testFlags = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

type Found = { readonly java: Java } | { readonly missing: string };
let found: Promise<Found> | undefined;

/** Looks once, and says aloud what it chose. */
export const findJava = (): Promise<Found> => (found ??= look());

async function look(): Promise<Found> {
  const noDocker = await whyNoDocker();
  if (noDocker === null) {
    console.log(`Kafka: containers of ${image}, as a Docker engine answers`);
    return { java: inContainer };
  }
  const fetched = await kafkaJars();
  if ('missing' in fetched) return { missing: `${noDocker}, and ${fetched.missing}` };
  console.log(`Kafka: ${kafkaVersion} of Maven's jars (${noDocker})`);
  const { jars } = fetched;
  return { java: onThisMachine(jars, await classArchive(jars, flags => runOnce(onThisMachine(jars, flags)))) };
}

/** A node that starts, answers and ends. */
async function runOnce(java: Java): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-kafka-once-'));
  try {
    const [port, controller] = (await freePorts(2)) as [number, number];
    const controllers = new Map([[1, `127.0.0.1:${controller}`]]);
    const node = await kafkaNode({
      java,
      folder,
      id: 1,
      port,
      controllers,
      clusterId: 'once-once-once-once-on',
      properties: {},
    });
    await node.start();
    await node.ready();
    await endInOrder(node.pid()!);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function onThisMachine(jars: string, more: readonly string[]): Java {
  return ({ folder, logFile, args, flags = testFlags }) => {
    const child = spawnTo(logFile, ['java', logFlag, ...flags, ...more, '-cp', `${jars}/*`, ...args], folder);
    return {
      exited: child.exited,
      pid: child.pid,
      kill: () => child.kill('SIGKILL'),
      stop: () => freeze(child),
      cont: () => thaw(child),
    };
  };
}

/** Null when there is an engine that answers and has the image. */
async function whyNoDocker(): Promise<string | null> {
  if (Bun.which('docker') === null) return 'there is no docker command';
  if (!(await succeeds(['docker', 'version', '--format', '{{.Server.Version}}'], askMsMax)))
    return 'no Docker engine answers';
  // The tests reach their brokers, and brokers each other, on ports of 127.0.0.1: containers share the host's network, which
  // Docker Desktop does not have unless it is switched on.
  const isLinux = process.platform === 'linux';
  if (!isLinux) return 'containers share the host’s network only on Linux';
  return (await succeeds(['docker', 'pull', '--quiet', image], pullMsMax)) ? null : `Docker cannot pull ${image}`;
}

/** The image's own Java and jars, without its scripts; the files belong to whoever runs the tests. */
const inContainer: Java = ({ folder, logFile, args, flags = testFlags }) => {
  const name = `ugc-test-kafka-${crypto.randomUUID()}`;
  const user = `${process.getuid!()}:${process.getgid!()}`;
  // biome-ignore format: a command is read in one line
  const child = spawnTo(logFile, ['docker', 'run', '--rm', '--name', name, '--network', 'host', '--user', user,
    '--volume', `${folder}:${folder}`, '--workdir', folder, '--entrypoint', 'java', image, ...flags,
    '-cp', '/opt/kafka/libs/*', ...args], folder);
  // At once, not some time later: the process that asks may be about to end.
  const docker = (verb: string): void => {
    Bun.spawnSync(['docker', verb, name], { stdout: 'ignore', stderr: 'ignore', timeout: askMsMax });
  };
  return {
    exited: child.exited,
    pid: null,
    kill: () => docker('kill'),
    stop: () => docker('pause'),
    cont: () => docker('unpause'),
  };
};

function spawnTo(logFile: string, command: string[], cwd: string): Bun.Subprocess {
  const log = openSync(logFile, 'a');
  try {
    return Bun.spawn(command, { cwd, stdin: 'ignore', stdout: log, stderr: log });
  } finally {
    closeSync(log);
  }
}

async function succeeds(command: string[], timeout: number): Promise<boolean> {
  return (await Bun.spawn(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', timeout }).exited) === 0;
}
