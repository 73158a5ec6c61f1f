// What every file of tests of the binary over a real Pulsar has: a server from its first test to its last, names that are nobody
// else's, a stranger who writes what it likes, and the admin API as an operator asks it.

import { afterAll, beforeAll } from 'bun:test';
import { startPulsar, type TestPulsar } from './pulsar.ts';

export interface PulsarInTest {
  /** There from the first test on. */
  readonly pulsar: TestPulsar;
  newName(): string;
  /** For `name` as the prefix of all that is made. Two partitions a topic, and times that a busy machine keeps. */
  flags(name: string): string[];
  /** Message ids of these values, written in this order by somebody who knows nothing of ugc. */
  write(topic: string, values: readonly (string | Uint8Array)[], options?: Writing): Promise<readonly string[]>;
  /** GET of the admin API behind /admin/v2/, parsed. */
  ask(path: string): Promise<unknown>;
  /** Any other method; throws what it is refused with. */
  tell(method: string, path: string, body?: unknown): Promise<void>;
  /** Records of all partitions that this subscription has not passed. */
  backlog(topic: string, subscription: string): Promise<number>;
}

export interface Writing {
  /** Of each message; absent = null. */
  readonly key?: string;
  /** Several to an entry. */
  readonly isBatching?: boolean;
}

/** To be called once in a file. */
export function pulsarInTest(settings: Readonly<Record<string, string>> = {}): PulsarInTest {
  let pulsar: TestPulsar;
  let names = 0;
  beforeAll(async () => {
    pulsar = await startPulsar({ settings });
  });
  afterAll(() => pulsar?.stopForGood());
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`${pulsar.url}/admin/v2/${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    get pulsar() {
      return pulsar;
    },
    newName: () => `t.${process.pid}.${++names}`,
    flags: name => [
      ...['--transport=pulsar', `--pulsar-url=${pulsar.url}`, `--topic=${name}.{event_type}`, '--topic-partitions=2'],
      ...[`--pulsar-subscription=${name}`, '--pulsar-connect-timeout-ms=10000', '--pulsar-request-timeout-ms=5000'],
    ],
    write: (topic, values, options = {}) => write(pulsar.url, topic, values, options),
    ask,
    tell: async (method, path, body) => {
      const response = await fetch(`${pulsar.url}/admin/v2/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    },
    async backlog(topic, subscription) {
      const stats = (await ask(`persistent/public/default/${topic}/partitioned-stats?getPreciseBacklog=true`)) as {
        readonly subscriptions: Readonly<Record<string, { readonly msgBacklog: number } | undefined>>;
      };
      const found = stats.subscriptions[subscription];
      if (found === undefined) throw new Error(`${topic} has no subscription ${subscription}`);
      return found.msgBacklog;
    },
  };
}

async function write(
  url: string,
  topic: string,
  values: readonly (string | Uint8Array)[],
  { key, isBatching = false }: Writing,
): Promise<readonly string[]> {
  const batching = isBatching ? '?batchingEnabled=true&batchingMaxPublishDelay=200&batchingMaxMessages=1000' : '';
  const address = `${url.replace('http', 'ws')}/ws/v2/producer/persistent/public/default/${topic}${batching}`;
  const socket = new WebSocket(address);
  const ids: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => {
    for (const value of values)
      socket.send(
        JSON.stringify({ payload: Buffer.from(value).toString('base64'), ...(key !== undefined && { key }) }),
      );
  };
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as { result: string; messageId?: string };
    if (answer.messageId === undefined) reject(new Error(`${topic}: ${data}`));
    else if (ids.push(answer.messageId) === values.length) resolve();
  };
  socket.onclose = ({ code, reason }) => reject(new Error(`${topic}: ended with ${code} ${reason}`));
  await promise;
  socket.onclose = null;
  socket.close();
  return ids;
}
