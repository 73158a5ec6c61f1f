// A real PostgreSQL for tests, looked for in this order and said aloud: UGC_TEST_DATABASE_URL; the binaries of this machine.
// One of our own may be killed and started again on its data. It syncs to the disk only where a test asks for it: a
// process that is killed leaves what it wrote to the kernel.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { eventually } from './until.ts';

export interface TestPostgres {
  readonly url: string;
  readonly port: number;
  /** Of its first process. */
  pid(): number;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
  /** Again on the same port and data; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stopForGood(): Promise<void>;
}

export interface PostgresOptions {
  readonly isSynced?: boolean;
}

const root = '/usr/lib/postgresql';

function binariesHere(): string | null {
  if (!existsSync(root)) return null;
  const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
  return versions.map(version => join(root, version, 'bin')).find(folder => existsSync(join(folder, 'initdb'))) ?? null;
}

/** For `skipIf`: true, said aloud, on a machine without any. In CI that is an error instead. */
export async function isWithoutPostgres(): Promise<boolean> {
  if (binariesHere() !== null) return false;
  if (process.env.CI) throw new Error(`no PostgreSQL in ${root}, and this is CI: apt-get install postgresql`);
  console.warn(`NO POSTGRESQL, SO ITS TESTS ARE SKIPPED: nothing in ${root}`);
  return true;
}

export async function startPostgres({ isSynced = false }: PostgresOptions = {}): Promise<TestPostgres> {
  const binaries = binariesHere();
  if (binaries === null) throw new Error(`no PostgreSQL for this test: nothing in ${root}`);
  const folder = mkdtempSync(join(tmpdir(), 'ugc-postgres-'));
  const data = join(folder, 'data');
  const [port] = (await freePorts(1)) as [number];
  // It refuses to be run by root.
  const isRoot = userInfo().uid === 0;
  const as = (command: readonly string[]): string[] =>
    isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : [...command];
  if (isRoot) {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async what => Number(await Bun.$`id ${what} postgres`.text())),
    );
    await chown(folder, uid ?? 0, gid ?? 0);
  }
  const made = Bun.spawnSync(
    as([
      join(binaries, 'initdb'),
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
    ]),
    { cwd: folder, stdout: 'ignore', stderr: 'pipe' },
  );
  if (made.exitCode !== 0) throw new Error(`initdb: ${made.stderr.toString()}`);

  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    ...(!isSynced && { fsync: 'off', full_page_writes: 'off' }),
  };
  const pidFile = join(data, 'postmaster.pid');
  const pid = (): number => Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0]);
  let child: Bun.Subprocess | null = null;

  async function start(): Promise<void> {
    rmSync(pidFile, { force: true });
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    child = Bun.spawn(as([join(binaries!, 'postgres'), '-D', data, ...flags]), {
      cwd: folder,
      stdout: 'ignore',
      stderr: 'ignore',
    });
    await eventually(
      () => Bun.spawnSync([join(binaries!, 'pg_isready'), '-q', '-h', '127.0.0.1', '-p', String(port)]).exitCode === 0,
      { what: 'PostgreSQL' },
    );
  }

  async function kill(): Promise<void> {
    if (!existsSync(pidFile)) return;
    const first = pid();
    for (const each of [first, ...childrenOf(first)])
      try {
        process.kill(each, 'SIGKILL');
      } catch {
        // gone by itself
      }
    await child?.exited;
  }

  const atExit = (): void => void kill();
  process.once('exit', atExit);
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    pid,
    kill,
    restart: start,
    async stopForGood() {
      process.off('exit', atExit);
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
