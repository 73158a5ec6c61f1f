// A TCP proxy that makes a network bad on purpose: slow, cut, silent, closed, or a byte at a time. It listens from the
// start to the end of a test on one port, so whatever is behind it may come and go.
// - every fault holds for the connections there are and for those to come, until `heal`
// - bytes are never lost, changed or swapped within a connection, as TCP does not either; a connection can only end

import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Every chunk arrives late, in both directions: by `ms`, and up to `jitterMs` more. */
  delay(ms: number, jitterMs: number): void;
  /** Ends every connection with a reset; new ones are taken. */
  cut(): void;
  /** Connections open and stay open, and nothing passes. */
  hang(): void;
  /** Connections end with a reset, new ones as well. */
  refuse(): void;
  /** Everything passes, one byte in `everyMs`. */
  trickle(everyMs: number): void;
  /** No fault any more; what was held passes. */
  heal(): void;
  /** Bytes passed so far, in both directions. */
  passed(): number;
  connections(): number;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** Port on 127.0.0.1. */
  readonly target: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

type Mode =
  | { readonly kind: 'open' | 'hang' | 'refuse' }
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: 'trickle'; readonly everyMs: number };

interface Pair {
  readonly ends: readonly [Socket, Socket];
  readonly ways: readonly [Way, Way];
}

/** One direction of one connection. */
interface Way {
  /** The mode has changed: look at what is held again. */
  renew(): void;
}

export async function tcpProxy({ target, random }: TcpProxyOptions): Promise<TcpProxy> {
  let mode: Mode = { kind: 'open' };
  let passed = 0;
  const pairs = new Set<Pair>();

  const server = createServer({ noDelay: true }, client => {
    if (mode.kind === 'refuse') {
      reset(client);
      return;
    }
    const upstream = createConnection({ host: '127.0.0.1', port: target, noDelay: true });
    const pair: Pair = { ends: [client, upstream], ways: [way(client, upstream), way(upstream, client)] };
    pairs.add(pair);
    const end = () => {
      if (!pairs.delete(pair)) return;
      pair.ends.forEach(reset);
    };
    for (const socket of pair.ends) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });

  /** Passes chunks on, in order, as the mode of the moment says. */
  function way(from: Socket, to: Socket): Way {
    let held: Buffer[] = [];
    let timer: Timer | undefined;
    const send = (chunk: Buffer) => {
      passed += chunk.length;
      to.write(chunk);
    };
    const turn = (): void => {
      if (timer !== undefined || held.length === 0 || to.destroyed) return;
      const { kind } = mode;
      if (kind === 'open') {
        for (const chunk of held.splice(0)) send(chunk);
        from.resume();
      } else if (kind === 'delay') {
        // One chunk under way at a time keeps the order; what came meanwhile goes with it.
        wait(mode.ms + random() * mode.jitterMs, () => send(Buffer.concat(held.splice(0))));
      } else if (kind === 'trickle') {
        wait(mode.everyMs, () => {
          const all = Buffer.concat(held);
          send(all.subarray(0, 1));
          held = all.length > 1 ? [all.subarray(1)] : [];
        });
      }
    };
    const wait = (ms: number, then: () => void): void => {
      timer = setTimeout(() => {
        timer = undefined;
        then();
        if (held.length === 0) from.resume();
        turn();
      }, ms);
    };
    from.on('data', (chunk: Buffer) => {
      held.push(chunk);
      // So that a full pipe is felt at the other end, as it would be without a proxy.
      if (mode.kind !== 'open' || to.writableLength > 1 << 20) from.pause();
      turn();
    });
    to.on('drain', () => from.resume());
    const clear = () => clearTimeout(timer);
    from.on('close', clear);
    to.on('close', clear);
    return {
      renew() {
        clearTimeout(timer);
        timer = undefined;
        turn();
      },
    };
  }

  const become = (next: Mode): void => {
    mode = next;
    for (const { ways } of pairs) for (const each of ways) each.renew();
  };
  const cut = () => {
    for (const { ends } of [...pairs]) ends.forEach(reset);
  };
  await listening(server);
  return {
    port: (server.address() as { port: number }).port,
    delay: (ms, jitterMs) => become({ kind: 'delay', ms, jitterMs }),
    trickle: everyMs => become({ kind: 'trickle', everyMs }),
    hang: () => become({ kind: 'hang' }),
    refuse() {
      become({ kind: 'refuse' });
      cut();
    },
    cut,
    heal: () => become({ kind: 'open' }),
    passed: () => passed,
    connections: () => pairs.size,
    async close() {
      const closed = new Promise(resolve => server.close(resolve));
      become({ kind: 'refuse' });
      cut();
      await closed;
    },
  };
}

/** RST, so that the other side has an error and not an end. */
const reset = (socket: Socket): void => void (socket.connecting ? socket.destroy() : socket.resetAndDestroy());

const listening = (server: Server): Promise<unknown> => {
  server.listen(0, '127.0.0.1');
  return new Promise(resolve => server.once('listening', resolve));
};
