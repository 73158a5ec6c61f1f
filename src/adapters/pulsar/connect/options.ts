// How a Pulsar is reached: its web service has the admin API and the WebSocket API side by side.

export interface PulsarOptions {
  /** http or https, of a broker's web service or of a proxy; without a slash at the end. */
  readonly url: string;
  /** tenant/namespace. */
  readonly namespace: string;
  /** A token (JWT); '' = none. */
  readonly token?: string;
  /** PEM; absent = the authorities of the system. */
  readonly ca?: string;
  /** Until a connection is open, which it is once its consumer or producer is there: Pulsar may have to load a topic first. */
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** What the server's `webSocketMaxTextFrameSize` is: a longer frame would end the connection. */
  readonly frameBytesMax?: number;
  /** All that waits or is under way to Pulsar. */
  readonly queueBytesMax?: number;
}

export const pulsarDefaults = {
  token: '',
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  frameBytesMax: 2 ** 20,
  queueBytesMax: 64 * 2 ** 20,
};

export type ReadyOptions = PulsarOptions & typeof pulsarDefaults;

/** As one partition of a topic is called; a topic without partitions is its own. */
export const partitionName = (topic: string, partition: number, partitions: number): string =>
  partitions === 0 ? topic : `${topic}-partition-${partition}`;

export const partitionNames = (topic: string, partitions: number): string[] =>
  Array.from({ length: Math.max(1, partitions) }, (_, at) => partitionName(topic, at, partitions));

export const authorizationOf = ({ token }: Pick<ReadyOptions, 'token'>): Record<string, string> =>
  token === '' ? {} : { authorization: `Bearer ${token}` };

export const tlsOf = ({ ca }: Pick<PulsarOptions, 'ca'>): { tls?: { ca: string } } =>
  ca === undefined ? {} : { tls: { ca } };

/** Whether it is the certificate that is not right, by the words of Bun. */
export const isOfTls = (words: string): boolean => /certificate|self.signed|tls|ssl/i.test(words);

export const tlsWords = (url: string, words: string): string =>
  `TLS to Pulsar at ${url} does not work: ${words}; UGC_PULSAR_TLS_CA names the authorities to trust`;
