// Pulsar's admin API (https://pulsar.apache.org/admin-rest-api): topics, subscriptions, backlogs. What it answers is read here
// and nowhere else.
// - what is not there is an answer of its own (404), never an error
// - no answer, or one of 5xx, is `log_unavailable`; a refusal of the token is `log_halted`

import { messageOf, PipelineError } from '../../../errors.ts';
import { authorizationOf, isOfTls, type ReadyOptions, tlsOf, tlsWords } from './options.ts';

/** Where a subscription begins: in front of all records, or behind them. */
export type Beginning = 'earliest' | 'latest';

export interface PartitionState {
  /** Records behind what is acknowledged. */
  readonly backlog: number;
  /** Of the consumer that is given the records just now; '' = none is. */
  readonly activeConsumer: string;
  /** When that one last acknowledged any, by Pulsar's clock; 0 = it never has. */
  readonly ackedAtMs: number;
}

export interface Admin {
  /** How many partitions a topic has; 0 = it is one without, null = there is no such topic. */
  partitions(topic: string): Promise<number | null>;
  /** False when it was there already. */
  createTopic(topic: string, partitions: number): Promise<boolean>;
  /** Null where there is no such topic. */
  subscriptions(topic: string): Promise<readonly string[] | null>;
  /** On every partition; at the earliest rather by a consumer (subscribe.ts). False when it was there already. */
  subscribe(topic: string, subscription: string, at: Beginning): Promise<boolean>;
  /** `name` is of one partition. */
  seekTime(name: string, subscription: string, atMs: number): Promise<void>;
  seekMessage(name: string, subscription: string, id: MessagePlace): Promise<void>;
  /** Of one partition; null = it has no record. */
  lastMessage(name: string): Promise<Omit<MessagePlace, 'partitionIndex'> | null>;
  /** The first of one partition that Pulsar took then or later; null = it does not say. */
  messageAt(name: string, atMs: number): Promise<Omit<MessagePlace, 'partitionIndex'> | null>;
  /** Registers a schema of JSON, if it is not the one that is there. False when it does not fit those before it. */
  registerSchema(topic: string, schema: string): Promise<boolean>;
  /** How long records are kept that every subscription has passed: by time alone, since a size says nothing of when. */
  keepsMs(topic: string): Promise<number | 'unlimited'>;
  /** By partition number (0 for a topic without any), of those that have the subscription. */
  states(topic: string, subscription: string): Promise<ReadonlyMap<number, PartitionState>>;
}

export interface MessagePlace {
  readonly ledgerId: number;
  readonly entryId: number;
  readonly partitionIndex: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const earliest = { ledgerId: -1, entryId: -1, partitionIndex: -1 };
/** Long.MAX_VALUE: beyond what a number of JavaScript holds, so it is written as text. */
const latestText = '{"ledgerId":9223372036854775807,"entryId":9223372036854775807,"partitionIndex":-1}';

export function pulsarAdmin(options: ReadyOptions): Admin {
  const { url, namespace, requestTimeoutMs } = options;
  const pathOf = (topic: string, rest = ''): string =>
    `/admin/v2/persistent/${namespace}/${encodeURIComponent(topic)}${rest}`;

  async function ask(method: string, path: string, body?: string, also: readonly number[] = []): Promise<Answer> {
    const headers = { ...authorizationOf(options), 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(requestTimeoutMs);
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        signal,
        ...(body && { body }),
        ...tlsOf(options),
      });
      const answer = { status: response.status, text: await response.text() };
      if (response.ok || also.includes(answer.status)) return answer;
      throw refusalOf(`${url}${path}`, answer);
    } catch (error) {
      if (error instanceof PipelineError) throw error;
      const words = messageOf(error);
      if (isOfTls(words)) throw new PipelineError('log_halted', tlsWords(url, words), { cause: error });
      throw new PipelineError('log_unavailable', `Pulsar at ${url}: ${words}`, { cause: error });
    }
  }

  async function countOf(topic: string): Promise<number | null> {
    const path = pathOf(topic, '/partitions?checkAllowAutoCreation=false');
    const { status, text } = await ask('GET', path, undefined, [404]);
    return status === 404 ? null : Number(read(text, path).partitions ?? 0);
  }

  return {
    async partitions(topic) {
      const count = await countOf(topic);
      if (count !== 0) return count;
      // Some versions say 0 of what is not there, too; and it may have been made since, with partitions.
      const { status } = await ask('GET', pathOf(topic, '/subscriptions'), undefined, [404]);
      return status === 404 ? null : await countOf(topic);
    },
    createTopic: async (topic, partitions) =>
      (await ask('PUT', pathOf(topic, '/partitions'), String(partitions), [409])).status !== 409,
    async subscriptions(topic) {
      const path = pathOf(topic, '/subscriptions');
      const { status, text } = await ask('GET', path, undefined, [404]);
      return status === 404 ? null : (read(text, path) as unknown as string[]);
    },
    subscribe: async (topic, subscription, at) => {
      const path = pathOf(topic, `/subscription/${encodeURIComponent(subscription)}`);
      return (await ask('PUT', path, at === 'earliest' ? JSON.stringify(earliest) : latestText, [409])).status !== 409;
    },
    seekTime: async (name, subscription, atMs) => {
      await ask('POST', pathOf(name, `/subscription/${encodeURIComponent(subscription)}/resetcursor/${atMs}`));
    },
    seekMessage: async (name, subscription, id) => {
      const path = pathOf(name, `/subscription/${encodeURIComponent(subscription)}/resetcursor`);
      await ask('POST', path, JSON.stringify(id));
    },
    lastMessage: async name => placeIn((await ask('GET', pathOf(name, '/lastMessageId'))).text),
    async messageAt(name, atMs) {
      const { status, text } = await ask('GET', pathOf(name, `/messageid/${atMs}`), undefined, [404, 412]);
      return status >= 400 ? null : placeIn(text);
    },
    registerSchema: async (topic, schema) => {
      const path = `/admin/v2/schemas/${namespace}/${encodeURIComponent(topic)}/schema`;
      const body = JSON.stringify({ type: 'JSON', schema, properties: {} });
      return (await ask('POST', path, body, [409])).status !== 409;
    },
    async keepsMs(topic) {
      const path = pathOf(topic, '/retention?applied=true');
      const { text } = await ask('GET', path);
      const { retentionTimeInMinutes: minutes = 0, retentionSizeInMB: size = 0 } =
        text === '' ? {} : (read(text, path) as { retentionTimeInMinutes?: number; retentionSizeInMB?: number });
      if (minutes === 0 || size === 0) return 0;
      return minutes < 0 ? 'unlimited' : minutes * 60_000;
    },
    async states(topic, subscription) {
      const path = pathOf(topic, '/partitioned-stats?perPartition=true&getPreciseBacklog=true');
      const { status, text } = await ask('GET', path, undefined, [404]);
      const states = new Map<number, PartitionState>();
      if (status !== 404) {
        for (const [name, stats] of Object.entries((read(text, path).partitions ?? {}) as Record<string, Stats>))
          set(states, Number(/-partition-(\d+)$/.exec(name)?.[1]), stats, subscription);
        return states;
      }
      const plain = pathOf(topic, '/stats?getPreciseBacklog=true');
      const answer = await ask('GET', plain, undefined, [404]);
      if (answer.status !== 404) set(states, 0, read(answer.text, plain) as Stats, subscription);
      return states;
    },
  };
}

interface Stats {
  readonly subscriptions?: Readonly<
    Record<
      string,
      | {
          readonly msgBacklog?: number;
          readonly activeConsumerName?: string;
          readonly consumers?: readonly { readonly consumerName?: string; readonly lastAckedTimestamp?: number }[];
        }
      | undefined
    >
  >;
}

function set(states: Map<number, PartitionState>, partition: number, stats: Stats, subscription: string): void {
  const found = stats.subscriptions?.[subscription];
  if (found === undefined || Number.isNaN(partition)) return;
  const { msgBacklog: backlog = 0, activeConsumerName: activeConsumer = '', consumers = [] } = found;
  const { lastAckedTimestamp: ackedAtMs = 0 } = consumers.find(each => each.consumerName === activeConsumer) ?? {};
  states.set(partition, { backlog, activeConsumer, ackedAtMs });
}

function read(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw new PipelineError('log_unavailable', `${path} did not answer in JSON: ${text.slice(0, 200)}`);
  }
}

function placeIn(text: string): Omit<MessagePlace, 'partitionIndex'> | null {
  const { ledgerId, entryId } = read(text, 'a message id');
  if (!Number.isSafeInteger(ledgerId) || !Number.isSafeInteger(entryId)) return null;
  const place = { ledgerId: Number(ledgerId), entryId: Number(entryId) };
  return place.ledgerId < 0 || place.entryId < 0 ? null : place;
}

function refusalOf(where: string, { status, text }: Answer): PipelineError {
  const said = `${where} answered ${status}: ${text.slice(0, 300)}`;
  if (status === 401 || status === 403)
    return new PipelineError('log_halted', `Pulsar refused the token, or it lacks a right (UGC_PULSAR_TOKEN): ${said}`);
  return new PipelineError(status >= 500 ? 'log_unavailable' : 'log_halted', `Pulsar: ${said}`);
}
