// A TCP relay that ends the first connection on which a client sends these bytes, instead of passing them on; all others are
// let alone. For moments in a protocol that no clock hits.

import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';

export interface CutAt {
  readonly port: number;
  /** How many connections it has ended: 0 or 1. */
  cuts(): number;
  close(): Promise<void>;
}

/** `target` is a port on 127.0.0.1. */
export async function cutAtFirst(target: number, bytes: Buffer): Promise<CutAt> {
  let cuts = 0;
  const server = createServer(client => {
    const behind = connectTcp(target, '127.0.0.1');
    behind.pipe(client);
    client.on('data', (data: Buffer) => {
      if (cuts === 0 && data.includes(bytes)) {
        cuts++;
        client.destroy();
      } else behind.write(data);
    });
    for (const socket of [client, behind]) socket.on('error', () => {});
    client.on('close', () => behind.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cuts,
    close: () => new Promise(resolve => server.close(() => resolve())),
  };
}
