// A real Hive for tests, looked for in this order and said aloud: UGC_TEST_HIVE_URL; Maven and Java 17. One of our own is a
// HiveServer2 in one process, its metastore a Derby in it, its queries run in it too. Nothing of it is left behind.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { mavenJars } from './maven-jars.ts';

export interface TestHive {
  readonly host: string;
  readonly port: number;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export interface HiveOptions {
  /** Where paths without a scheme are: file:/// or hdfs://host:port. */
  readonly files?: string;
  /** NOSASL takes anybody as they come; NONE is PLAIN over SASL, and takes any password. */
  readonly authentication?: 'NOSASL' | 'NONE';
  /** The JVM's time zone. */
  readonly timeZone?: string;
}

const version = '4.0.1';
const hadoop = '3.3.6';

const findJars = () =>
  mavenJars({
    title: 'Hive',
    name: 'hive',
    version,
    artifacts: [
      `org.apache.hive:hive-service:${version}`,
      `org.apache.hive:hive-exec:${version}`,
      `org.apache.hive:hive-standalone-metastore-server:${version}`,
      'org.apache.tez:tez-api:0.10.3',
      `org.apache.hadoop:hadoop-common:${hadoop}`,
      `org.apache.hadoop:hadoop-hdfs-client:${hadoop}`,
      `org.apache.hadoop:hadoop-hdfs:${hadoop}`,
      `org.apache.hadoop:hadoop-mapreduce-client-core:${hadoop}`,
      `org.apache.hadoop:hadoop-mapreduce-client-common:${hadoop}`,
      `org.apache.hadoop:hadoop-mapreduce-client-jobclient:${hadoop}`,
      'com.opencsv:opencsv:5.9',
    ],
    exclusions: [
      'org.apache.hadoop:hadoop-client-api',
      'org.apache.hadoop:hadoop-client-runtime',
      'org.pac4j:*',
      'net.shibboleth.tool:*',
      'org.opensaml:*',
      'org.pentaho:*',
      'org.apache.hbase:*',
      'org.slf4j:slf4j-log4j12',
      'org.slf4j:slf4j-reload4j',
      'ch.qos.reload4j:*',
      'log4j:*',
    ],
  });

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error: tests that do not run show nothing. */
export async function isWithoutHive(): Promise<boolean> {
  const found = await findJars();
  if ('jars' in found) return false;
  if (process.env.CI) throw new Error(`no Hive, and this is CI: ${found.missing}`);
  console.warn(`NO HIVE, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

const readyMsMax = 480_000;

export async function startHive(options: HiveOptions = {}): Promise<TestHive> {
  const found = await findJars();
  if ('missing' in found) throw new Error(`no Hive for this test: ${found.missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'ugc-hive-'));
  const [port] = (await freePorts(1)) as [number];
  for (const name of ['conf', 'wh', 'scratch', 'tmp', 'log']) mkdirSync(join(folder, name));
  const { files = 'file:///', authentication = 'NOSASL', timeZone = 'UTC' } = options;
  writeFileSync(join(folder, 'conf/core-site.xml'), xmlOf(coreSite(folder, files)));
  writeFileSync(join(folder, 'conf/hive-site.xml'), xmlOf(hiveSite(folder, port, authentication)));
  writeFileSync(join(folder, 'conf/log4j2.properties'), logging);
  const logFile = join(folder, 'hive.log');
  const log = openSync(logFile, 'a');
  // biome-ignore format: a command is read in one line
  const child = Bun.spawn(['java', '-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
    ...opened.flatMap(name => ['--add-opens', `${name}=ALL-UNNAMED`]),
    `-Dlog4j2.configurationFile=${join(folder, 'conf/log4j2.properties')}`, `-Duser.timezone=${timeZone}`,
    `-Dderby.stream.error.file=${join(folder, 'log/derby.log')}`, '-Djava.net.preferIPv4Stack=true', `-Dhadoop.home.dir=${folder}`,
    '-cp', `${join(folder, 'conf')}:${found.jars}/*`, 'org.apache.hive.service.server.HiveServer2'],
    { cwd: folder, stdin: 'ignore', stdout: log, stderr: log });
  closeSync(log);
  const atExit = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  const stopForGood = async (): Promise<void> => {
    process.off('exit', atExit);
    child.kill('SIGKILL');
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + readyMsMax;
  while (!(await isListening(port))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      const said = readFileSync(logFile, 'utf8').slice(-3_000);
      await stopForGood();
      throw new Error(`Hive did not start: ${said}`);
    }
    await Bun.sleep(200);
  }
  console.log(`Hive: ${version} of Maven's jars at 127.0.0.1:${port}, ${authentication}`);
  return { host: '127.0.0.1', port, stopForGood };
}

const isListening = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

// biome-ignore format: a list is read in few lines
const opened = ['java.net', 'java.lang', 'java.lang.reflect', 'java.util', 'java.util.regex', 'java.util.concurrent',
  'java.util.concurrent.atomic', 'java.nio', 'java.io', 'java.time', 'java.text', 'java.math']
  .map(name => `java.base/${name}`).concat('java.sql/java.sql');

const xmlOf = (properties: Readonly<Record<string, string>>): string =>
  `<configuration>${Object.entries(properties)
    .map(([name, value]) => `<property><name>${name}</name><value>${value}</value></property>\n`)
    .join('')}</configuration>`;

const coreSite = (folder: string, files: string) => ({
  'fs.defaultFS': files,
  'hadoop.tmp.dir': join(folder, 'tmp'),
  'hadoop.proxyuser.root.hosts': '*',
  'hadoop.proxyuser.root.groups': '*',
});

const hiveSite = (folder: string, port: number, authentication: string) => ({
  'javax.jdo.option.ConnectionURL': `jdbc:derby:;databaseName=${folder}/metastore_db;create=true`,
  'javax.jdo.option.ConnectionDriverName': 'org.apache.derby.jdbc.EmbeddedDriver',
  'datanucleus.schema.autoCreateAll': 'true',
  'hive.metastore.schema.verification': 'false',
  'metastore.metadata.transformer.class': ' ',
  'hive.metastore.event.db.notification.api.auth': 'false',
  'metastore.try.direct.sql': 'false',
  'hive.metastore.try.direct.sql': 'false',
  'hive.metastore.warehouse.dir': `file://${folder}/wh`,
  'hive.metastore.warehouse.external.dir': `file://${folder}/wh`,
  'hive.exec.scratchdir': `file://${folder}/scratch`,
  'hive.exec.local.scratchdir': `${folder}/scratch-local`,
  'hive.downloaded.resources.dir': `${folder}/tmp/res`,
  'hive.querylog.location': `${folder}/log`,
  'hive.server2.logging.operation.log.location': `${folder}/log/op`,
  'hive.server2.thrift.bind.host': '127.0.0.1',
  'hive.server2.thrift.port': `${port}`,
  'hive.server2.transport.mode': 'binary',
  'hive.server2.authentication': authentication,
  'hive.server2.enable.doAs': 'false',
  'hive.server2.webui.port': '0',
  'hive.server2.active.passive.ha.enable': 'false',
  'hive.server2.tez.initialize.default.sessions': 'false',
  'hive.server2.materializedviews.registry.impl': 'DUMMY',
  'hive.execution.engine': 'mr',
  'mapreduce.framework.name': 'local',
  'hive.exec.mode.local.auto': 'true',
  'hive.fetch.task.conversion': 'more',
  'hive.input.format': 'org.apache.hadoop.hive.ql.io.HiveInputFormat',
  'hive.fetch.task.aggr': 'true',
  'hive.compute.query.using.stats': 'false',
  'hive.stats.autogather': 'false',
  'hive.support.concurrency': 'false',
  'hive.security.authorization.enabled': 'false',
  'hive.notification.event.poll.interval': '0s',
  'hive.scheduled.queries.executor.enabled': 'false',
  'hive.server2.limit.connections.per.user': '0',
  'hive.server2.max.start.attempts': '1',
  'metastore.task.threads.always': ' ',
  'metastore.task.threads.remote': ' ',
});

const logging = `status = warn
appender.c.type = Console
appender.c.name = c
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.c.ref = c
`;
