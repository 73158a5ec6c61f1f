// TLS in front of a plain server: what ClickHouse behind https is to its clients. What it shows and asks for may change.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import type { Pair } from './certificates.ts';

export interface TlsProxy {
  readonly port: number;
  /** Shows this pair from now on; connections there are end. */
  show(pair: Pair): void;
  /** Connections that were taken, their handshake done. */
  shaken(): number;
  close(): Promise<void>;
}

export interface TlsProxyOptions {
  /** Port on 127.0.0.1. */
  readonly target: number;
  readonly pair: Pair;
  /** PEM. With it a client must show a certificate signed by that authority. */
  readonly clientCa?: string;
}

export async function tlsProxy({ target, pair, clientCa }: TlsProxyOptions): Promise<TlsProxy> {
  const open = new Set<Socket>();
  let shaken = 0;
  const optionsOf = ({ cert, key }: Pair): TlsOptions => ({
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  const server = createServer(optionsOf(pair), client => {
    shaken++;
    const upstream = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    show(next) {
      server.setSecureContext(optionsOf(next));
      cut();
    },
    shaken: () => shaken,
    close() {
      cut();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}
