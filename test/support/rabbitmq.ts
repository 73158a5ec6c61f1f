// A real RabbitMQ for tests, looked for in this order and said aloud: UGC_TEST_RABBITMQ_URL; the machine's package
// rabbitmq-server, which is installed with CI set. One of our own is a node with a folder, ports and an epmd of its own, which
// may be killed, hung and started again on its data.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { packaged } from './apt.ts';
import { freePorts } from './free-ports.ts';

export interface TestRabbitmq {
  readonly url: string;
  /** Of its AMQP listener. */
  readonly port: number;
  /** Of the process that runs now, whose child is the virtual machine; null if it is somebody else's. */
  pid(): number | null;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** The process again, on the same ports and data; does not wait for its answer. */
  start(): Promise<void>;
  /** Resolves when it answers. */
  ready(): Promise<void>;
  /** Started and ready. */
  restart(): Promise<void>;
  /** A command of rabbitmqctl; what it printed. */
  control(...args: string[]): Promise<string>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

const bin = '/usr/lib/rabbitmq/bin';
const readyMsMax = 180_000;

/** For `skipIf`: true, said aloud, on a machine without any; in CI that is an error. Tests that kill it need an `own` one. */
export function isWithoutRabbitmq(wanted: 'any' | 'own' = 'any'): boolean {
  if (wanted === 'any' && process.env.UGC_TEST_RABBITMQ_URL) return false;
  const why = packaged('rabbitmq-server', () => existsSync(`${bin}/rabbitmq-server`));
  if (why === null) return false;
  if (process.env.CI) throw new Error(`no RabbitMQ, and this is CI: ${why}`);
  console.warn(`NO RABBITMQ, SO ITS TESTS ARE SKIPPED: no UGC_TEST_RABBITMQ_URL, and ${why}`);
  return true;
}

export interface OwnOptions {
  /** Lines of rabbitmq.conf. */
  readonly conf?: readonly string[];
}

export async function startRabbitmq(wanted: 'any' | 'own' = 'any', own: OwnOptions = {}): Promise<TestRabbitmq> {
  const given = process.env.UGC_TEST_RABBITMQ_URL;
  if (given && wanted === 'any') {
    console.log(`RabbitMQ: ${new URL(given).host} (UGC_TEST_RABBITMQ_URL)`);
    return foreign(given);
  }
  if (!existsSync(`${bin}/rabbitmq-server`))
    throw new Error('no RabbitMQ for this test: install the package rabbitmq-server');
  const node = await ownNode(own);
  await node.restart().catch(async error => {
    await node.stopForGood();
    throw error;
  });
  return node;
}

async function ownNode({ conf = [] }: OwnOptions): Promise<TestRabbitmq> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-rabbitmq-'));
  const [port, dist, epmd] = (await freePorts(3)) as [number, number, number];
  const env = environmentOf(folder, { port, dist, epmd }, conf);
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const log = join(folder, 'out.log');
  let current: Bun.Subprocess | null = null;
  const signal = (name: NodeJS.Signals): void => {
    // The shell and the virtual machine it became are one group.
    if (current !== null && current.exitCode === null && current.signalCode === null) process.kill(-current.pid, name);
  };
  const kill = async (): Promise<void> => {
    signal('SIGKILL');
    await current?.exited;
  };
  /** It refuses until it has noticed that its node is gone. */
  const isRefusedByEpmd = (): boolean =>
    /not allowed/i.test(Bun.spawnSync(['epmd', '-kill'], { env, stderr: 'ignore' }).stdout.toString());
  const atExit = (): void => {
    signal('SIGKILL');
    for (let tries = 0; tries < 50 && isRefusedByEpmd(); tries++) Bun.sleepSync(20);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const start = async (): Promise<void> => {
    await kill();
    const out = Bun.file(log);
    current = Bun.spawn([`${bin}/rabbitmq-server`], { env, detached: true, stdin: 'ignore', stdout: out, stderr: out });
  };
  const ready = async (): Promise<void> => {
    const end = performance.now() + readyMsMax;
    while (!(await answers(url))) {
      const isOver = current?.exitCode !== null || performance.now() > end;
      if (isOver) throw new Error(`RabbitMQ did not start: ${readFileSync(log, 'utf8').slice(-2_000)}`);
      await Bun.sleep(100);
    }
  };
  return {
    url,
    port,
    pid: () => current?.pid ?? null,
    kill,
    stop: () => signal('SIGSTOP'),
    cont: () => signal('SIGCONT'),
    start,
    ready,
    restart: async () => {
      await start();
      await ready();
    },
    control: (...args) => controlled(env, args),
    stopForGood: async () => {
      process.off('exit', atExit);
      await kill();
      atExit();
    },
  };
}

interface Ports {
  readonly port: number;
  readonly dist: number;
  readonly epmd: number;
}

function environmentOf(folder: string, { port, dist, epmd }: Ports, conf: readonly string[]): Record<string, string> {
  const home = join(folder, 'home');
  for (const name of ['mnesia', 'log', 'home']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  writeFileSync(join(folder, 'rabbitmq.conf'), [`listeners.tcp.local = 127.0.0.1:${port}`, ...conf, ''].join('\n'));
  writeFileSync(join(home, '.erlang.cookie'), crypto.randomUUID().replaceAll('-', ''), { mode: 0o400 });
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    RABBITMQ_NODENAME: `ugc${port}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_DIST_PORT: String(dist),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(epmd),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_IO_THREAD_POOL_SIZE: '32',
  };
}

async function controlled(env: Record<string, string>, args: readonly string[]): Promise<string> {
  const child = Bun.spawn([`${bin}/rabbitmqctl`, '--quiet', ...args], { env, stdout: 'pipe', stderr: 'pipe' });
  const [said, complained] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`rabbitmqctl ${args.join(' ')}: ${complained || said}`);
  return said;
}

/** Whether it lets a user in: its port is open before that. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const isOpen = await new Promise<boolean>(resolve => {
    const socket = connectTcp({ host: hostname, port: Number(port) }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
  if (!isOpen) return false;
  try {
    const model = await connect(url, { timeout: 2_000 });
    await model.close();
    return true;
  } catch {
    return false;
  }
}

/** A connection as another team would have it. */
export async function rabbitmqClient(url: string): Promise<ChannelModel> {
  const model = await connect(url);
  model.on('error', () => {}); // the tests end their servers
  return model;
}

/** Somebody else's: to be used, not to be touched. */
function foreign(url: string): TestRabbitmq {
  const untouchable = (): never => {
    throw new Error('this test stops its server: unset UGC_TEST_RABBITMQ_URL to run it');
  };
  return {
    url,
    port: Number(new URL(url).port || 5672),
    pid: () => null,
    kill: async () => untouchable(),
    stop: untouchable,
    cont: untouchable,
    start: async () => untouchable(),
    ready: async () => {},
    restart: async () => untouchable(),
    control: async () => untouchable(),
    stopForGood: async () => {},
  };
}
