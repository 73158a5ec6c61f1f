// Topics a consumer group has read and reads no more, though events wait in them: those of an earlier UGC_TOPIC, or of a
// ledger that is off now. No other part would ever notice: to every lag they are unknown.
//
// Other processes may share the group and read other topics, so a topic counts only once its position has stood still
// between two looks. It is told, not read: it may be another installation's.

import { type Admin, Kafka, logLevel } from 'kafkajs';
import { sleep } from '../../../process/sleep.ts';
import { type KafkaLogOptions, kafkaLogDefaults } from '../connect/options.ts';

export interface LeftOverOptions extends KafkaLogOptions {
  readonly groupId: string;
  /** Topics that are read by this installation, asked for anew each time. */
  readonly known: () => readonly string[];
  readonly lookEveryMs?: number;
  /** What is left over now, events by topic; called when that has changed. */
  readonly onChange: (left: ReadonlyMap<string, number>) => void;
}

export interface LeftOver {
  readonly left: ReadonlyMap<string, number>;
  /** What is asked just now ends by itself. */
  stop(): void;
}

/** Never rejects: where Kafka does not answer, or not this user, nothing is known. */
export function watchLeftOver(options: LeftOverOptions): LeftOver {
  const { lookEveryMs = 30_000, onChange } = options;
  const stopping = new AbortController();
  let left: ReadonlyMap<string, number> = new Map();
  void (async () => {
    let before: ReadonlyMap<string, LeftBehind> = new Map();
    while (!stopping.signal.aborted) {
      const now = await waitingIn(options).catch(() => null);
      if (now !== null && !stopping.signal.aborted) {
        const found = [...now].filter(([topic, { positions }]) => before.get(topic)?.positions === positions);
        const next = new Map(found.map(([topic, { events }]) => [topic, events]));
        const hasChanged = JSON.stringify([...next]) !== JSON.stringify([...left]);
        left = next;
        before = now;
        if (hasChanged) onChange(left);
      }
      await sleep(lookEveryMs, stopping.signal);
    }
  })();
  return {
    get left() {
      return left;
    },
    stop: () => stopping.abort(),
  };
}

interface LeftBehind {
  readonly events: number;
  /** Of the group, one text. */
  readonly positions: string;
}

/** Topics no process is known to read in which events wait behind the group's positions. */
async function waitingIn({ groupId, known, ...given }: LeftOverOptions): Promise<ReadonlyMap<string, LeftBehind>> {
  const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs } = { ...kafkaLogDefaults, ...given };
  const admin = new Kafka({
    brokers: [...brokers],
    clientId,
    ...(ssl && { ssl }),
    ...(sasl && { sasl }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const read = new Set(known());
    const waiting = new Map<string, LeftBehind>();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
      if (read.has(topic) || !there.has(topic)) continue;
      const positions = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      const events = await behind(admin, topic, positions);
      if (events > 0) waiting.set(topic, { events, positions: JSON.stringify([...positions].sort()) });
    }
    return waiting;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function behind(admin: Admin, topic: string, positions: ReadonlyMap<number, number>): Promise<number> {
  let events = 0;
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
    const position = Math.max(positions.get(partition) ?? -1, Number(low));
    events += Math.max(0, Number(high) - position);
  }
  return events;
}
