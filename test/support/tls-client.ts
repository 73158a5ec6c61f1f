// A client of HTTPS that hides nothing: one connection, one request at a time, no retry. What cuts it off is an error.

import { connect, type TLSSocket } from 'node:tls';

export interface TlsClientOptions {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** PEM, of the client. */
  readonly cert?: string;
  readonly key?: string;
}

export interface TlsAnswer {
  readonly status: number;
  readonly body: string;
  readonly closes: boolean;
}

export interface TlsClient {
  /** Of the certificate that was shown. */
  readonly serial: string;
  readonly protocol: string | null;
  post(body: string, path?: string): Promise<TlsAnswer>;
  readonly closed: Promise<void>;
  drop(): void;
}

/** Rejects when the handshake fails. */
export async function tlsClient({ url, ...trust }: TlsClientOptions): Promise<TlsClient> {
  const { hostname, port } = new URL(url);
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const opening = connect({ host: hostname, port: Number(port), servername: 'localhost', ...trust }, () =>
      resolve(opening),
    );
    opening.once('error', reject);
  });
  let received = '';
  let wake = Promise.withResolvers<void>();
  let isOver = false;
  const closed = Promise.withResolvers<void>();
  const end = (): void => {
    isOver = true;
    wake.resolve();
    closed.resolve();
  };
  socket.on('data', chunk => {
    received += chunk.toString();
    wake.resolve();
  });
  for (const event of ['end', 'close', 'error']) socket.on(event, end);

  /** A whole answer, taken off what was received. */
  function take(): TlsAnswer | null {
    const cut = received.indexOf('\r\n\r\n');
    if (cut < 0) return null;
    const head = received.slice(0, cut);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (!(received.length >= cut + 4 + length)) return null;
    const body = received.slice(cut + 4, cut + 4 + length);
    received = received.slice(cut + 4 + length);
    return { status: Number(head.slice(9, 12)), body, closes: /^connection: close$/im.test(head) };
  }

  return {
    serial: socket.getPeerCertificate().serialNumber,
    protocol: socket.getProtocol(),
    async post(body, path = '/v1/events') {
      const head = [`POST ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json'];
      socket.write(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      for (;;) {
        const answer = take();
        if (answer !== null) return answer;
        if (isOver) throw new Error('the connection ended before the answer');
        wake = Promise.withResolvers();
        await wake.promise;
      }
    },
    closed: closed.promise,
    drop: () => void socket.destroy(),
  };
}
