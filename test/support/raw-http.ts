// HTTP by hand, for requests no client library would send.

export interface RawExchange {
  /** Sends more bytes. */
  send(text: string): void;
  /** Everything received so far. */
  received(): string;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  /** Drops the connection without a goodbye. */
  drop(): void;
}

export async function rawHttp(url: string, head: readonly string[], body = ''): Promise<RawExchange> {
  const { hostname, port } = new URL(url);
  let received = '';
  const ended = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, chunk) => {
        received += chunk.toString();
      },
      close: () => ended.resolve(),
      error: () => ended.resolve(),
    },
  });
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  return {
    send: text => void socket.write(text),
    received: () => received,
    closed: ended.promise,
    drop: () => socket.terminate(),
  };
}
