// Ports for servers that are killed and started again on the same one: nobody listens on them, and they lie outside of
// those the system gives to outgoing connections. While such a server is dead, a client that tries to reach it could
// otherwise be given the server's own port, and talk to itself; or anybody's connection could hold it when it comes back.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** What IANA leaves to nobody in particular begins here; below it are the ports of well-known services. */
const first = 10_000;
const last = 32_000;

export async function freePorts(count: number): Promise<number[]> {
  const [from, to] = range();
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = from + Math.floor(Math.random() * (to - from));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
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
