// Pulsar as another team and its operator use it, who know nothing of ugc: by WebSocket and by the admin API.

export interface Writing {
  /** Of each message; absent = null. */
  readonly key?: string;
  /** Several to an entry. */
  readonly isBatching?: boolean;
}

export interface PulsarTeam {
  /** Message ids of these values, in this order. Rejects when it is not known whether they are stored. */
  write(topic: string, values: readonly (string | Uint8Array)[], options?: Writing): Promise<readonly string[]>;
  /** Every record of a topic without partitions, or of one partition, up to the last there is now; each once, in order. */
  readAll(
    name: string,
    take: (messageId: string, value: Buffer, properties: Readonly<Record<string, string>>) => void,
  ): Promise<void>;
  /** GET of the admin API behind /admin/v2/, parsed. */
  ask(path: string): Promise<unknown>;
  /** Any other method; rejects with what it is refused with. */
  tell(method: string, path: string, body?: unknown): Promise<void>;
  /** Records of all partitions that this subscription has not passed; infinitely many where it is not there yet. */
  backlog(topic: string, subscription: string): Promise<number>;
}

const namespace = 'public/default';
const msMax = 60_000;

export function pulsarTeam(url: string): PulsarTeam {
  const sockets = `${url.replace('http', 'ws')}/ws/v2`;
  const admin = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(`${url}/admin/v2/${path}`, { ...init, signal: AbortSignal.timeout(msMax) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text}`);
    return text;
  };
  const ask = async (path: string): Promise<unknown> => JSON.parse(await admin(path));
  return {
    async write(topic, values, { key, isBatching = false } = {}) {
      if (values.length === 0) return [];
      const batching = isBatching ? '?batchingEnabled=true&batchingMaxPublishDelay=200&batchingMaxMessages=1000' : '';
      const ids: string[] = [];
      await converse(`${sockets}/producer/persistent/${namespace}/${topic}${batching}`, {
        opened: send => {
          for (const value of values)
            send({ payload: Buffer.from(value).toString('base64'), ...(key !== undefined && { key }) });
        },
        received: ({ messageId }, _, frame) => {
          if (typeof messageId !== 'string') throw new Error(`${topic}: ${frame}`);
          return ids.push(messageId) === values.length;
        },
      });
      return ids;
    },
    async readAll(name, take) {
      const last = (await ask(`persistent/${namespace}/${name}/lastMessageId`)) as Place;
      const stats = (await ask(`persistent/${namespace}/${name}/internalStats`)) as { numberOfEntries: number };
      if (last.entryId < 0 || stats.numberOfEntries === 0) return;
      let left = stats.numberOfEntries;
      await converse(`${sockets}/reader/persistent/${namespace}/${name}?messageId=earliest`, {
        opened: () => {},
        received: ({ messageId, payload, properties }, send) => {
          const value = Buffer.from(String(payload ?? ''), 'base64');
          take(String(messageId), value, (properties ?? {}) as Readonly<Record<string, string>>);
          send({ messageId });
          return --left === 0;
        },
      });
    },
    ask,
    tell: async (method, path, body) => {
      const headers = { 'content-type': 'application/json' };
      await admin(path, { method, ...(body !== undefined && { body: JSON.stringify(body), headers }) });
    },
    async backlog(topic, subscription) {
      const stats = (await ask(`persistent/${namespace}/${topic}/partitioned-stats?getPreciseBacklog=true`)) as {
        readonly subscriptions: Readonly<Record<string, { readonly msgBacklog: number } | undefined>>;
      };
      return stats.subscriptions[subscription]?.msgBacklog ?? Number.POSITIVE_INFINITY;
    },
  };
}

interface Place {
  readonly entryId: number;
}

type Send = (frame: unknown) => void;

interface Conversation {
  opened(send: Send): void;
  /** True = that was the last. */
  received(message: Readonly<Record<string, unknown>>, send: Send, frame: string): boolean;
}

async function converse(address: string, { opened, received }: Conversation): Promise<void> {
  const socket = new WebSocket(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let frames = 0;
  const timer = setTimeout(
    () => reject(new Error(`${address}: nothing for ${msMax} ms, after ${frames} messages`)),
    msMax,
  );
  const send: Send = frame => socket.send(JSON.stringify(frame));
  socket.onopen = () => opened(send);
  socket.onmessage = ({ data }) => {
    frames++;
    timer.refresh();
    try {
      if (received(JSON.parse(String(data)), send, String(data))) resolve();
    } catch (error) {
      reject(error);
    }
  };
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => reject(new Error(`${address}: ended with ${code} ${reason}`));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}
