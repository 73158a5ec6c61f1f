// A real HDFS for tests: a NameNode and a DataNode of Maven's jars with WebHDFS, each a process that may be killed, hung and
// started again on its data. Nothing of it is left behind.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { freeze, thaw } from './freeze.ts';
import { mavenJars } from './maven-jars.ts';

export interface TestNode {
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** A killed one again, on the same ports and data; does not wait for it. */
  start(): void;
}

export interface TestHdfs {
  /** `hdfs://host:port`, for others than WebHDFS. */
  readonly rpc: string;
  /** `host:port` of WebHDFS. */
  readonly host: string;
  readonly user: string;
  readonly name: TestNode;
  readonly data: TestNode;
  /** Resolves when it takes files: it is out of safe mode, and has a DataNode. */
  ready(): Promise<void>;
  /** `hdfs dfsadmin …`; what it printed. */
  admin(...args: string[]): Promise<string>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

const version = '3.4.1';
const readyMsMax = 180_000;
const user = 'ugc-test';

const findJars = () =>
  mavenJars({
    title: 'HDFS',
    name: 'hdfs-server',
    version,
    artifacts: [
      `org.apache.hadoop:hadoop-client-minicluster:${version}`,
      `org.apache.hadoop:hadoop-client-api:${version}`,
      `org.apache.hadoop:hadoop-client-runtime:${version}`,
      'org.slf4j:slf4j-reload4j:1.7.36',
      'javax.xml.bind:jaxb-api:2.3.1', // without it WebHDFS answers 500
    ],
  });

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error: tests that do not run show nothing. */
export async function isWithoutHdfs(): Promise<boolean> {
  const found = await findJars();
  if ('jars' in found) return false;
  if (process.env.CI) throw new Error(`no HDFS, and this is CI: ${found.missing}`);
  console.warn(`NO HDFS, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

export async function startHdfs(): Promise<TestHdfs> {
  const found = await findJars();
  if ('missing' in found) throw new Error(`no HDFS for this test: ${found.missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'ugc-hdfs-'));
  const ports = await freePorts(5);
  writeConf(folder, ports, join(folder, 'blocks'));
  const java = (heap: string): string[] => [
    // biome-ignore format: a command is read in one line
    ...['java', heap, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Djava.net.preferIPv4Stack=true', `-Dhadoop.log.dir=${folder}`],
    ...['--add-opens=java.base/java.lang=ALL-UNNAMED', '-cp', `${join(folder, 'conf')}:${found.jars}/*`],
  ];
  const run = async (main: string, ...args: string[]): Promise<string> => {
    const env = { ...process.env, HADOOP_USER_NAME: user };
    const child = Bun.spawn([...java('-Xmx128m'), main, ...args], {
      env,
      stdout: 'pipe',
      stderr: 'pipe',
      stdin: 'ignore',
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    if ((await child.exited) !== 0) throw new Error(`${main} ${args.join(' ')}: ${out}${err.slice(-2_000)}`);
    return out;
  };
  await run(`${server}.namenode.NameNode`, '-format', '-nonInteractive');
  const name = nodeOf([...java('-Xmx256m'), `${server}.namenode.NameNode`], join(folder, 'name.log'));
  const data = nodeOf([...java('-Xmx256m'), `${server}.datanode.DataNode`], join(folder, 'data.log'));
  const host = `127.0.0.1:${ports[1]}`;
  const ready = async (): Promise<void> => {
    const deadline = performance.now() + readyMsMax;
    while (!(await takesFiles(host, `127.0.0.1:${ports[3]}`))) {
      if (performance.now() > deadline) throw new Error(`HDFS did not start: ${name.said()}\n${data.said()}`);
      await Bun.sleep(200);
    }
  };
  const end = (): Promise<unknown> => Promise.all([name.kill(), data.kill()]);
  const atExit = (): void => {
    void end();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const stopForGood = async (): Promise<void> => {
    process.off('exit', atExit);
    await end();
    rmSync(folder, { recursive: true, force: true });
  };
  name.start();
  data.start();
  await ready().catch(async error => {
    await stopForGood();
    throw error;
  });
  console.log(`HDFS: ${version} of Maven's jars at ${host}`);
  const admin = (...args: string[]): Promise<string> => run('org.apache.hadoop.hdfs.tools.DFSAdmin', ...args);
  return { rpc: `hdfs://127.0.0.1:${ports[0]}`, host, user, name, data, ready, admin, stopForGood };
}

const server = 'org.apache.hadoop.hdfs.server';

function nodeOf(command: readonly string[], logFile: string): TestNode & { said(): string } {
  let child: Bun.Subprocess | null = null;
  return {
    start() {
      const log = openSync(logFile, 'a');
      child = Bun.spawn([...command], {
        env: { ...process.env, HADOOP_USER_NAME: user },
        stdin: 'ignore',
        stdout: log,
        stderr: log,
      });
      closeSync(log);
    },
    async kill() {
      child?.kill('SIGKILL');
      await child?.exited;
    },
    stop: () => freeze(child!),
    cont: () => thaw(child!),
    said: () => readFileSync(logFile, 'utf8').slice(-2_000),
  };
}

/** A DataNode that has died a moment ago still lives to the NameNode, so it is asked itself. */
async function takesFiles(host: string, dataHost: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(5_000);
    await (await fetch(`http://${dataHost}/jmx?qry=none`, { signal })).text();
    const query = 'qry=Hadoop:service=NameNode,name=FSNamesystemState';
    const { beans } = (await (await fetch(`http://${host}/jmx?${query}`, { signal })).json()) as {
      beans: { NumLiveDataNodes: number; FSState: string }[];
    };
    if (beans[0]?.NumLiveDataNodes !== 1 || beans[0].FSState !== 'Operational') return false;
    // The first file takes it long: it loads what it needs for it.
    const file = `http://${host}/webhdfs/v1/ready?op=CREATE&overwrite=true&user.name=${user}`;
    const made = await fetch(file, { method: 'PUT', body: '1', signal: AbortSignal.timeout(readyMsMax / 2) });
    return made.status === 201;
  } catch {
    return false;
  }
}

// A small one that starts soon, and that sees within seconds that a DataNode has gone.
function writeConf(folder: string, ports: readonly number[], blocks: string): void {
  const at = (index: number): string => `127.0.0.1:${ports[index]}`;
  const core = {
    'fs.defaultFS': `hdfs://${at(0)}`,
    'hadoop.tmp.dir': join(folder, 'tmp'),
    'hadoop.http.staticuser.user': user,
  };
  const hdfs = {
    'dfs.namenode.name.dir': `file://${join(folder, 'names')}`,
    'dfs.datanode.data.dir': `file://${blocks}`,
    'dfs.replication': '1',
    'dfs.namenode.rpc-address': at(0),
    'dfs.namenode.http-address': at(1),
    'dfs.datanode.address': at(2),
    'dfs.datanode.http.address': at(3),
    'dfs.datanode.ipc.address': at(4),
    'dfs.datanode.hostname': '127.0.0.1',
    'dfs.webhdfs.enabled': 'true',
    'dfs.namenode.datanode.registration.ip-hostname-check': 'false',
    'dfs.client.block.write.replace-datanode-on-failure.policy': 'NEVER',
    'dfs.namenode.safemode.extension': '0',
    'dfs.heartbeat.interval': '1s',
    'dfs.namenode.heartbeat.recheck-interval': '1000',
    'dfs.namenode.fs-limits.min-block-size': '1024',
    'dfs.blocksize': '8388608',
    'dfs.datanode.du.reserved': '0',
    'dfs.namenode.resource.du.reserved': '1048576',
    'dfs.ls.limit': '3', // pages in what a test has written
  };
  mkdirSync(join(folder, 'conf'), { recursive: true });
  mkdirSync(blocks, { recursive: true });
  const propertiesOf = (all: Readonly<Record<string, string>>): string =>
    Object.entries(all)
      .map(([key, value]) => `<property><name>${key}</name><value>${value}</value></property>\n`)
      .join('');
  for (const [file, all] of [
    ['core-site.xml', core],
    ['hdfs-site.xml', hdfs],
  ] as const)
    writeFileSync(join(folder, 'conf', file), `<configuration>\n${propertiesOf(all)}</configuration>\n`);
  writeFileSync(
    join(folder, 'conf', 'log4j.properties'),
    'log4j.rootLogger=WARN,A\nlog4j.appender.A=org.apache.log4j.ConsoleAppender\nlog4j.appender.A.target=System.err\nlog4j.appender.A.layout=org.apache.log4j.PatternLayout\nlog4j.appender.A.layout.ConversionPattern=%d %p %c{1}: %m%n\n',
  );
}
