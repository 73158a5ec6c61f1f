// Ports for servers that are killed and started again on the same one: nobody listens on them, and they lie outside of
// those the system gives to outgoing connections. While such a server is dead, a client that tries to reach it could
// otherwise be given the server's own port, and talk to itself; or anybody's connection could hold it when it comes back.
// Tests run side by side, and a server takes seconds to listen or is dead for a while: so a port is of the process that was
// given it, until that ends. A file says so.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What IANA leaves to nobody in particular begins here; below it are the ports of well-known services. */
const first = 10_000;
const last = 32_000;

/** Of every process of tests on this machine: a file a port, with the process that has it. */
const taken = join(tmpdir(), 'ugc-test-ports');
const own: string[] = [];

export async function freePorts(count: number): Promise<number[]> {
  if (own.length === 0) begin();
  const [from, to] = range();
  const ports: number[] = [];
  while (ports.length < count) {
    const port = from + Math.floor(Math.random() * (to - from));
    if (take(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** False: it is somebody's, also where that is this process. */
function take(port: number): boolean {
  const file = join(taken, `${port}`);
  try {
    writeFileSync(file, `${process.pid}`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  own.push(file);
  return true;
}

/** What processes have left that were killed is anybody's again. */
function begin(): void {
  mkdirSync(taken, { recursive: true });
  for (const name of readdirSync(taken)) {
    const file = join(taken, name);
    if (!isAlive(file)) rmSync(file, { force: true });
  }
  process.on('exit', () => {
    for (const file of own) rmSync(file, { force: true });
  });
}

function isAlive(file: string): boolean {
  try {
    // Empty: its process is about to write it.
    const pid = readFileSync(file, 'utf8');
    return pid === '' || process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Below the outgoing ones where there is space enough, else above them. */
function range(): readonly [from: number, to: number] {
  const [low, high] = outgoing();
  if (low - first > 1_000) return [first, Math.min(last, low)];
  return 65_536 - high > 1_000 ? [high + 1, 65_536] : [first, last];
}

/** Linux says which they are; elsewhere they are those of IANA. */
function outgoing(): readonly [low: number, high: number] {
  try {
    const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
    return [low!, high!];
  } catch {
    return [49_152, 65_535];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
