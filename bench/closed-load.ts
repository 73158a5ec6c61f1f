// Load in a closed loop: so many connections, each sends its next request as soon as the last one is answered. Over plain
// sockets, as a full HTTP client would take as much CPU as the server that is measured. For requests of any method; what
// every request of a connection is, is the caller's.

import { percentile } from './process.ts';

export interface ClosedLoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** The next request of whichever connection is free. */
  readonly request: () => Buffer;
}

export interface ClosedLoadResult {
  readonly requests: number;
  readonly requestsPerS: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and connections that ended. */
  readonly bad: number;
}

export async function closedLoad({ url, connections, seconds, request }: ClosedLoadOptions): Promise<ClosedLoadResult> {
  const { hostname, port } = new URL(url);
  const timesMs: number[] = [];
  let bad = 0;
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + seconds * 1_000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const over = Promise.withResolvers<void>();
      let sentAtMs = 0;
      let received = '';
      let unsent: Buffer | null = null;
      const send = (connection: Bun.Socket, bytes: Buffer): void => {
        const written = connection.write(bytes);
        unsent = written < bytes.length ? bytes.subarray(Math.max(0, written)) : null;
      };
      const socket = await Bun.connect({
        hostname,
        port: Number(port),
        socket: {
          data(connection, bytes) {
            received += bytes.toString('latin1');
            const length = wholeLength(received);
            if (length < 0) return;
            const now = performance.now();
            timesMs.push(now - sentAtMs);
            if (received.charCodeAt(9) !== 0x32) bad++;
            received = received.slice(length);
            if (now >= endsAtMs) return void connection.end();
            sentAtMs = now;
            send(connection, request());
          },
          drain(connection) {
            if (unsent !== null) send(connection, unsent);
          },
          close() {
            if (performance.now() < endsAtMs) bad++;
            over.resolve();
          },
          error() {
            over.resolve();
          },
        },
      });
      sentAtMs = performance.now();
      send(socket, request());
      await over.promise;
    }),
  );
  const tookS = (performance.now() - startedAtMs) / 1_000;
  timesMs.sort((a, b) => a - b);
  const at = (share: number): number => percentile(timesMs, share);
  return {
    requests: timesMs.length,
    requestsPerS: timesMs.length / tookS,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    bad,
  };
}

/** Of the first answer there is; -1 while it is not whole. */
function wholeLength(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return -1;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return text.length < end + 4 + length ? -1 : end + 4 + length;
}

/** The bytes of a request. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Buffer {
  const all = {
    host: 'localhost',
    ...headers,
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
