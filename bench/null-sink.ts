// Starts and asks null-clickhouse.ts.

import { join } from 'node:path';

export const answers = { path: '/stats' } as const;

export interface NullStats {
  readonly rows: number;
  readonly bytes: number;
  readonly inserts: number;
}

export interface NullSink {
  readonly url: string;
  readonly pid: number;
  stats(): Promise<NullStats>;
  stop(): Promise<unknown>;
}

export async function startNullSink(): Promise<NullSink> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'null-clickhouse.ts')], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const atExit = () => child.kill('SIGKILL');
  process.once('exit', atExit);
  const { value } = await child.stdout.getReader().read();
  const url = `http://127.0.0.1:${Buffer.from(value ?? [])
    .toString()
    .trim()}`;
  return {
    url,
    pid: child.pid,
    stats: async () => (await (await fetch(url + answers.path)).json()) as NullStats,
    stop: () => {
      process.off('exit', atExit);
      child.kill('SIGKILL');
      return child.exited;
    },
  };
}
