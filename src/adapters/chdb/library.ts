// Loads the engine's two native files without its JavaScript package (which a compiled binary cannot carry): the addon
// finds libchdb.so beside itself. Also what libc has to be asked for: a thread pool large enough, an environment of the
// engine's own, and whether a data folder is already taken (the engine says so only on stderr, in its own words).
//
// Invariant: the pool's size is set before anything uses the pool. The addon's work runs on it, and its default size is
// the number of cores, so two slow queries would hold up every insert.

import { dlopen } from 'bun:ffi';
import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, PipelineError } from '../../errors.ts';

/** An isolated session of the engine; opaque. */
export type Session = { readonly session: unique symbol };

export interface NativeResult {
  readonly bytes: Buffer;
  /** Seconds. */
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface NativeWritten {
  readonly elapsed: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** What we use of the addon. */
export interface Addon {
  CreateConnection(path: string, args: readonly string[]): Session;
  CloseConnection(session: Session): void;
  QueryWithConnection(session: Session, sql: string, format: string): string;
  QueryAsyncConnection(session: Session, sql: string, format: string): Promise<NativeResult>;
  InsertRawAsyncConnection(
    session: Session,
    statement: string,
    rows: Buffer,
    countLines: boolean,
  ): Promise<NativeWritten>;
}

/** Threads the engine's calls may take; half of them at most for guests. */
const threadsWanted = 8;

let loaded: Addon | undefined;

/** Loads the addon once a process. Throws `engine_missing`. */
export function loadAddon(): Addon {
  if (loaded) return loaded;
  const found = librariesLookedFor().find(folder => existsSync(join(folder, 'chdb_node.node')));
  if (found === undefined || !existsSync(join(found, libraryName)))
    throw new PipelineError('engine_missing', missingWords(found));
  const holder: { exports: Partial<Addon> } = { exports: {} };
  try {
    process.dlopen(holder, join(found, 'chdb_node.node'));
  } catch (cause) {
    throw new PipelineError(
      'engine_missing',
      `The embedded ClickHouse library in ${found} cannot be loaded: ${messageOf(cause)}. ${remedy}`,
      { cause },
    );
  }
  loaded = holder.exports as Addon;
  return loaded;
}

/**
 * The engine reads the process's environment, and what is meant for others must not reach it: a time zone it does not know
 * (`TZ=utc`, POSIX forms) ends it, and times are UTC here whatever the machine's are. `names`: of the variables there are.
 */
export function separateEnvironment(names: readonly string[]): void {
  const { setenv, unsetenv } = libc().symbols;
  setenv(cText('TZ'), cText('UTC'), 1);
  for (const name of names.filter(isOfEngine)) unsetenv(cText(name));
}

/** Variables by which the engine would find another configuration, other credentials or another tongue. */
const isOfEngine = (name: string): boolean => /^(CLICKHOUSE_|CHDB_|AWS_|AZURE_|LC_|LANG$|LANGUAGE$)/.test(name);

const cText = (text: string): Buffer => Buffer.from(`${text}\0`);

/** Unless it was grown, the pool has a thread a core. */
let threads = navigator.hardwareConcurrency;

/** How many of the engine's calls can run at once. */
export const threadPoolSize = (): number => threads;

/**
 * Works only before the first use of the pool, so main calls it first thing; under `bun run`, which has used the pool to
 * read our modules by then, never. `asked` is the operator's UV_THREADPOOL_SIZE, which the runtime has taken already.
 */
export function growThreadPool(asked: string | undefined): void {
  const size = Number(asked);
  if (Number.isInteger(size) && size > 0) {
    threads = size;
  } else if (Bun.isStandaloneExecutable) {
    // What a running Bun sets in process.env does not reach the pool's own getenv.
    libc().symbols.setenv(cText('UV_THREADPOOL_SIZE'), cText(String(threadsWanted)), 1);
    threads = threadsWanted;
  }
}

const libraryName = 'libchdb.so';
const remedy = 'Put the folder lib/ that comes with ugc beside the binary, or set UGC_CLICKHOUSE_URL to use a server.';

function missingWords(half: string | undefined): string {
  const looked = half === undefined ? librariesLookedFor() : [join(half, libraryName)];
  return `The embedded ClickHouse library is missing: looked for chdb_node.node and ${libraryName} in ${looked.join(', ')}. ${remedy}`;
}

/** Beside the executable; in development in the node_modules above this file. */
export function librariesLookedFor(): readonly string[] {
  const name = `lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;
  const folders = [join(dirname(process.execPath), 'lib')];
  if (Bun.isStandaloneExecutable) return folders;
  for (let at = import.meta.dir; dirname(at) !== at; at = dirname(at))
    if (existsSync(join(at, 'node_modules'))) folders.push(join(at, 'node_modules', '@chdb', name));
  return folders;
}

const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

/** True while another process has the engine's data folder open. */
export function isLocked(path: string): boolean {
  const status = join(path, 'status');
  if (!existsSync(status)) return false;
  const file = openSync(status, 'r');
  try {
    return libc().symbols.flock(file, exclusiveNow) !== 0;
  } finally {
    closeSync(file); // gives the lock back
  }
}

function libc() {
  return dlopen(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6', {
    setenv: { args: ['cstring', 'cstring', 'int'], returns: 'int' },
    unsetenv: { args: ['cstring'], returns: 'int' },
    flock: { args: ['int', 'int'], returns: 'int' },
  });
}
