// ClickHouse for tests: a temporary folder with an engine in this process, or a server in another one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../src/adapters/chdb/engine.ts';
import { freePorts } from './free-ports.ts';
import { freeze, thaw } from './freeze.ts';

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ugc-clickhouse-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface TemporaryEngine extends AsyncDisposable {
  readonly engine: Engine;
}

/** One a process at a time: an engine binds one folder. */
export function temporaryEngine(options: { readonly guestsWaitingMax?: number } = {}): TemporaryEngine {
  const folder = temporaryFolder();
  const engine = openEngine({ ...options, path: folder.path, memoryBytesMax: 2 ** 30 });
  return {
    engine,
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      folder.remove();
    },
  };
}

export interface ClickhouseServer {
  readonly url: string;
  /** SIGSTOP and SIGCONT: it hangs, connections stay. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Again on the same folder and port. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

export async function startClickhouseServer(mode: 'readonly' | 'writable' = 'writable'): Promise<ClickhouseServer> {
  const folder = temporaryFolder();
  // It comes back on the port it had.
  const [port] = await freePorts(1);
  let child = await spawn();
  return {
    url: `http://127.0.0.1:${port}`,
    freeze: () => freeze(child),
    thaw: () => thaw(child),
    kill,
    start: async () => {
      child = await spawn();
    },
    remove: async () => {
      await kill();
      folder.remove();
    },
  };

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await child.exited;
  }

  async function spawn() {
    const script = join(import.meta.dir, 'clickhouse-server.ts');
    const started = Bun.spawn([process.execPath, 'run', script, folder.path, `${port}`, mode], {
      env: { ...process.env, UV_THREADPOOL_SIZE: '8' },
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const { value } = await started.stdout.getReader().read();
    const said = new TextDecoder().decode(value).trim();
    if (said !== `${port}`) throw new Error(`the test server did not start: ${said}`);
    return started;
  }
}
