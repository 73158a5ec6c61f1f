// The compiled binary under test: started in a folder of its own, killed and started again, asked over its real ports.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { eventually } from './until.ts';

export const binary = join(import.meta.dir, '../../dist/ugc');

export interface StartOptions {
  readonly dataDir: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly readyMsMax?: number;
  /** Another copy of the binary. */
  readonly command?: string;
}

export interface Ugc {
  readonly pid: number;
  readonly url: string;
  /** ClickHouse's HTTP interface; '' where the role has none. */
  readonly clickhouseUrl: string;
  /** Everything written to stdout and stderr so far. */
  output(): string;
  post(body: unknown, path?: string): Promise<Response>;
  /** Rows of a query, values as ClickHouse's JSON gives them. */
  query<T = Record<string, unknown>>(sql: string): Promise<T[]>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number>;
}

const outputLengthMax = 1_000_000;

const running = new Set<{ kill(signal: NodeJS.Signals): void }>();
process.on('exit', cleanUp);

/** Ends whatever was started here and still runs, and removes its folders. */
export function cleanUp(): void {
  for (const child of running) child.kill('SIGKILL');
  removeFolders();
}

/** Starts dist/ugc on free ports and resolves when it says that it is ready. */
export async function startUgc({
  dataDir,
  flags = [],
  env = {},
  readyMsMax = 120_000, // the first start on a machine reads half a gigabyte of engine from its disk
  command = binary,
}: StartOptions): Promise<Ugc> {
  if (!existsSync(command)) throw new Error(`${command} is missing: bun run build`);
  const child = Bun.spawn([command, `--data-dir=${dataDir}`, '--port=0', '--clickhouse-http-port=0', ...flags], {
    cwd: tmpdir(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  running.add(child);
  const kept: string[] = [];
  let keptLength = 0;
  let isReady = false;
  const ready = Promise.withResolvers<Record<string, unknown>>();
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      kept.push(text);
      keptLength += text.length;
      // Request lines of a load test are not worth keeping, nor the time of looking at them.
      while (keptLength > outputLengthMax) keptLength -= kept.shift()!.length;
      const line = isReady ? null : /^\{.*"message":"ready".*\}$/m.exec(kept.join(''));
      if (line === null) continue;
      isReady = true;
      ready.resolve(JSON.parse(line[0]));
    }
  };
  const output = () => kept.join('');
  // Over when it has ended and everything it said has been read.
  const exited = Promise.all([child.exited, follow(child.stdout), follow(child.stderr)]).then(([code]) => {
    running.delete(child);
    return code;
  });
  const timer = setTimeout(() => ready.reject(new Error(`not ready after ${readyMsMax} ms:\n${output()}`)), readyMsMax);
  void exited.then(code => ready.reject(new Error(`ended with ${code} before it was ready:\n${output()}`)));
  const said = await ready.promise.finally(() => clearTimeout(timer));
  const url = String(said.url);
  const clickhouseUrl = String(said.clickhouse_http ?? '');
  return {
    pid: child.pid,
    url,
    clickhouseUrl,
    output,
    post: (body, path = '/v1/events') =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    query: sql => queryRows(clickhouseUrl, sql),
    kill: signal => child.kill(signal),
    exited,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** One that has not ended by then never will; what it said so far is worth more than the wait. */
const runMsMax = 300_000;

/** Runs the binary to its end. */
export async function runUgc(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, command = binary }: { cwd?: string; env?: Record<string, string>; command?: string } = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = Bun.spawn([command, ...args], {
    cwd,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: runMsMax,
    killSignal: 'SIGKILL',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

export async function queryRows<T>(clickhouseUrl: string, sql: string): Promise<T[]> {
  const response = await fetch(clickhouseUrl, { method: 'POST', body: `${sql} FORMAT JSONEachRow` });
  const text = await response.text();
  if (!response.ok) throw new Error(`${sql}: ${text}`);
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T);
}

const folders: string[] = [];

/** A folder that is gone when the tests of the file are over. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ugc-test-'));
  folders.push(path);
  return path;
}

function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}
