// The plain peers of bench/peers/transports: compiled anew for each run, and started.

import { join } from 'node:path';
import { temporaryFolder } from '../../test/support/ugc.ts';
import type { PeerCommand } from './broker.ts';

/** Of a server's virtual machine: its own defaults but for the heap, not those that start a test quickly. */
export const serverFlags = ['-Xms512m', '-Xmx768m'] as const;
const peerFlags = ['-Xms256m', '-Xmx512m'] as const;

export function jarsOf(found: { readonly jars: string } | { readonly missing: string }): string {
  if ('missing' in found) throw new Error(found.missing);
  return found.jars;
}

export interface Peer {
  readonly url: string;
  readonly pid: number;
  /** Messages its consumer has read and acknowledged. */
  count(): Promise<number>;
  stop(): Promise<unknown>;
}

export async function startPeer(
  { main, jars, args }: PeerCommand,
  does: 'produce' | 'consume',
  topics: readonly string[],
): Promise<Peer> {
  const sources = join(import.meta.dir, '../peers/transports');
  const classes = temporaryFolder();
  await Bun.$`javac -nowarn -d ${classes} -cp ${`${jars}/*`} ${sources}/Peer.java ${sources}/${main}.java`;
  const child = Bun.spawn(
    [
      'java',
      ...peerFlags,
      '-Dsun.net.httpserver.nodelay=true',
      '-cp',
      `${classes}:${jars}/*`,
      main,
      does,
      ...args(topics),
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  );
  const atExit = () => child.kill('SIGKILL');
  process.once('exit', atExit);
  const url = `http://127.0.0.1:${await portOf(child.stdout)}`;
  return {
    url,
    pid: child.pid,
    count: async () => Number(await (await fetch(`${url}/count`)).text()),
    stop: () => {
      process.off('exit', atExit);
      child.kill('SIGKILL');
      return child.exited;
    },
  };
}

/** The line that is nothing but digits; what else it says is a library's, and read on: a pipe that is full would stop it. */
function portOf(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  void (async () => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of stdout) {
      text = (text + decoder.decode(chunk, { stream: true })).slice(-10_000);
      const port = /^(\d+)\n/m.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`a peer ended before it had a port: ${text}`));
  })();
  return promise;
}
