// A proxy before a database that cuts where it hurts: what a client has sent goes through, and its connection ends before
// the answer comes. Then nobody but the database knows whether it was done.

import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface CommitCut {
  readonly port: number;
  /** The next so many answers are never told. */
  arm(times: number): void;
  /** Ends every connection with a reset; new ones are taken. */
  cut(): void;
  /** Takes none, and ends those there are; until `heal`. */
  refuse(): void;
  heal(): void;
  /** How many answers were swallowed so far. */
  swallowed(): number;
  close(): Promise<void>;
}

export async function commitCut(target: () => number): Promise<CommitCut> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let armed = 0;
  let swallowed = 0;
  let refuses = false;

  const server: Server = createServer({ noDelay: true }, client => {
    if (refuses) return void client.resetAndDestroy();
    const upstream = createConnection({ host: '127.0.0.1', port: target(), noDelay: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let hasSpoken = false; // logging in is no statement
    const end = () => {
      if (!pairs.delete(pair)) return;
      for (const socket of pair) socket.resetAndDestroy();
    };
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (hasSpoken && armed > 0 && isAnswer(chunk)) {
        armed--;
        swallowed++;
        return end();
      }
      hasSpoken ||= isReady(chunk);
      client.write(chunk);
    });
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const pair of pairs) {
      pairs.delete(pair);
      for (const socket of pair) socket.resetAndDestroy();
    }
  };
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    arm: times => {
      armed = times;
    },
    cut,
    refuse: () => {
      refuses = true;
      cut();
    },
    heal: () => {
      refuses = false;
      armed = 0;
    },
    swallowed: () => swallowed,
    close: () => {
      cut();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** ReadyForQuery is the last of an answer: `Z`, its length 5, the state. */
const isReady = (chunk: Buffer): boolean => chunk.length >= 6 && chunk.readUInt8(chunk.length - 6) === 0x5a;
const isAnswer = isReady;
