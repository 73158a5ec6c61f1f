// A real PostgreSQL for tests, looked for in this order and said aloud: UGC_TEST_DATABASE_URL; the programs in
// /usr/lib/postgresql; with CI set, the package. One of our own is a folder of its own on a port of its own, which may be
// killed and started again on its data.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { packaged } from './apt.ts';
import { freePorts } from './free-ports.ts';
import { eventually } from './until.ts';

export interface TestPostgres {
  readonly url: string;
  readonly port: number;
  /** Of its first process. */
  pid(): number;
  /** Of a database that is made for who asks; nothing is in it. */
  freshDatabase(): Promise<string>;
  /** kill -9 of all its processes: a backend that has not noticed yet that it is alone would still answer. */
  kill(): Promise<void>;
  /** Every connection is ended at once, and it shuts down. */
  stop(): Promise<void>;
  /** Again, on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export interface PostgresOptions {
  /** Of postgresql.conf, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Commits are on the disk: what is killed loses nothing that was acked. On unless told otherwise. */
  readonly isSynced?: boolean;
}

const packages = '/usr/lib/postgresql';

/** Where the programs of the newest one are. */
function newest(): string | null {
  if (!existsSync(packages)) return null;
  const found = [...new Bun.Glob('*/bin/postgres').scanSync(packages)].toSorted().at(-1);
  return found === undefined ? null : dirname(join(packages, found));
}

/** As whom: PostgreSQL does not run as root. */
const asUser = (): readonly string[] =>
  userInfo().uid === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error instead. Who kills it needs their `own`. */
export async function isWithoutPostgres(wanted: 'any' | 'own' = 'any'): Promise<boolean> {
  if (wanted === 'any' && process.env.UGC_TEST_DATABASE_URL) return false;
  const why = packaged('postgresql', () => newest() !== null);
  if (why === null) return false;
  if (process.env.CI) throw new Error(`no PostgreSQL, and this is CI: ${why}`);
  console.warn('NO POSTGRESQL, SO ITS TESTS ARE SKIPPED: neither UGC_TEST_DATABASE_URL nor /usr/lib/postgresql/*/bin');
  return true;
}

export async function startPostgres({ settings = {}, isSynced = true }: PostgresOptions = {}): Promise<TestPostgres> {
  const bin = newest();
  if (bin === null) throw new Error('no PostgreSQL for this test: install the package postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'ugc-postgres-'));
  const [port = 0] = await freePorts(1);
  const data = join(folder, 'data');
  if (userInfo().uid === 0) run(['chown', 'postgres', folder]);
  run([
    ...asUser(),
    `${bin}/initdb`,
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const given = { ...defaults, ...(isSynced ? {} : unsynced), port: String(port), ...settings };
  const flags = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let child: Bun.Subprocess | null = null;

  const answers = () =>
    Bun.spawnSync([`${bin}/pg_isready`, '-q', '-h', '127.0.0.1', '-p', String(port)]).exitCode === 0;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child?.kill(signal);
    await child?.exited;
    child = null;
  };
  const atExit = (): void => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit); // a test process that dies of itself leaves none behind

  async function restart(): Promise<void> {
    await eventually(
      () => {
        // While backends of the one that was killed still live, it refuses to start.
        if (child === null || child.exitCode !== null)
          child = Bun.spawn([...asUser(), `${bin}/postgres`, '-D', data, ...flags], {
            stdout: 'ignore',
            stderr: 'ignore',
            cwd: folder,
          });
        return answers();
      },
      { what: 'PostgreSQL answers', pauseMs: 50 },
    );
  }

  await restart();
  return {
    url,
    port,
    pid: () => child?.pid ?? 0,
    freshDatabase: () => freshDatabase(url),
    async kill() {
      const backends = child === null ? [] : childrenOf(child.pid);
      await end('SIGKILL');
      for (const pid of backends) killAtOnce(pid);
      await eventually(() => !backends.some(isRunning), { what: 'its backends have ended' });
    },
    stop: () => end('SIGINT'),
    restart,
    async stopForGood() {
      process.off('exit', atExit);
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '32MB',
};
const unsynced: Readonly<Record<string, string>> = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

let databases = 0;

/** Of any server whose user may make databases. */
export async function freshDatabase(url: string): Promise<string> {
  const name = `ugc_${process.pid}_${++databases}`;
  const sql = new Bun.SQL(url, { max: 1, prepare: false });
  try {
    await sql.unsafe(`DROP DATABASE IF EXISTS ${name}`);
    await sql.unsafe(`CREATE DATABASE ${name}`);
  } finally {
    await sql.close();
  }
  const fresh = new URL(url);
  fresh.pathname = `/${name}`;
  return fresh.href;
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

function killAtOnce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

/** One that waits for its parent to look (Z) runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function run(command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { cwd: '/' });
  if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${stderr}`);
}
