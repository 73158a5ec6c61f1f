// A real S3 server for tests: S3Proxy over a folder, of Maven's jars, which may be killed, hung and started again on its data.
// It keeps to If-None-Match also when many write at once, and what it has answered for outlives its death; the tests of the
// cold store show both. Nothing of it is left behind.

import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { freeze, thaw } from './freeze.ts';
import { mavenJars } from './maven-jars.ts';

export interface TestS3 {
  readonly endpoint: string;
  readonly port: number;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Where it keeps the objects. */
  readonly data: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  stop(): void;
  cont(): void;
  /** A killed one again, on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

const version = '4.1.0';
const bucket = 'archive-bucket';
const [accessKey, secretKey] = ['test-key', 'test-secret'];
const readyMsMax = 120_000;

const findJars = () =>
  mavenJars({
    title: 'S3Proxy',
    name: 's3proxy',
    version,
    artifacts: [
      `org.gaul:s3proxy:${version}`,
      'com.fasterxml.jackson.core:jackson-annotations:2.21', // Maven would take an older one that another brings along
    ],
  });

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error: tests that do not run show nothing. */
export async function isWithoutS3(): Promise<boolean> {
  const found = await findJars();
  if ('jars' in found) return false;
  if (process.env.CI) throw new Error(`no S3, and this is CI: ${found.missing}`);
  console.warn(`NO S3, SO ITS TESTS ARE SKIPPED: ${found.missing}`);
  return true;
}

/** `data`: where to keep the objects, instead of a folder of its own. */
export async function startS3({ data }: { readonly data?: string } = {}): Promise<TestS3> {
  const found = await findJars();
  if ('missing' in found) throw new Error(`no S3 for this test: ${found.missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'ugc-s3-'));
  const objects = data ?? join(folder, 'data');
  const [port] = (await freePorts(1)) as [number];
  const endpoint = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 's3.log');
  mkdirSync(join(objects, bucket), { recursive: true });
  const properties = {
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v4',
    's3proxy.identity': accessKey,
    's3proxy.credential': secretKey,
    's3proxy.v4-max-non-chunked-request-size': String(512 * 1024 * 1024),
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.identity': 'of-no-use',
    'jclouds.credential': 'of-no-use',
    'jclouds.filesystem.basedir': objects,
  };
  const conf = join(folder, 's3proxy.conf');
  writeFileSync(
    conf,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const logging = join(folder, 'logback.xml');
  writeFileSync(
    logging,
    '<configuration><appender name="c" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %p %c{0}: %m%n</pattern></encoder></appender><root level="warn"><appender-ref ref="c"/></root></configuration>',
  );
  // biome-ignore format: a command is read in one line
  const command = ['java', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', `-Dlogback.configurationFile=${logging}`, '-cp', `${found.jars}/*`, 'org.gaul.s3proxy.Main', '--properties', conf];
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
    while (!(await answers(endpoint))) {
      if (started.exitCode !== null || started.signalCode !== null || performance.now() > deadline)
        throw new Error(`S3Proxy did not start: ${readFileSync(logFile, 'utf8').slice(-3_000)}`);
      await Bun.sleep(100);
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
  console.log(`S3: S3Proxy ${version} of Maven's jars at ${endpoint}`);
  return {
    endpoint,
    port,
    bucket,
    accessKey,
    secretKey,
    data: objects,
    kill,
    stop: () => freeze(child!),
    cont: () => thaw(child!),
    restart,
    stopForGood,
  };
}

/** That it refuses who shows no key. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(5_000);
    return (await fetch(`${endpoint}/`, { signal })).status === 403;
  } catch {
    return false;
  }
}
