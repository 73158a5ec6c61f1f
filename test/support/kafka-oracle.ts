// What Kafka holds, read back completely by a plain kafkajs consumer as another team would write one, and held against
// what clients were told. Every record is checked to be what the README says a record is.

import type { IHeaders, KafkaMessage } from 'kafkajs';
import { kafkaClient } from './kafka.ts';
import type { Ledger } from './load.ts';
import { eventually } from './ugc.ts';

export interface Contents {
  readonly records: number;
  /** How often each event_id is there, and under which type. */
  readonly events: ReadonlyMap<string, { readonly type: string; readonly times: number }>;
  /** Distinct events by type. */
  readonly types: Readonly<Record<string, number>>;
  /** `topic/partition@offset: what is wrong`, for every record that is not as promised. */
  readonly malformed: readonly string[];
}

export interface LogFinding {
  readonly acked: number;
  readonly records: number;
  /** Acked and not there: the promise is broken. */
  readonly lost: readonly string[];
  /** There though rejected, or never sent, or under another type. */
  readonly foreign: readonly string[];
  readonly malformed: readonly string[];
  /** Records more than there are events. */
  readonly repeated: number;
  /** Of those, more than the client sent them: made by us, and allowed, as the event_id makes them harmless. */
  readonly repeatedByUs: number;
}

/** The edge's own fields, in front of every record and in this order. */
const edgeFields = ['event_id', 'event_type', 'schema_version', 'received_at', 'source', 'ip', 'user_agent'];

const readMsMax = 120_000;

/** Everything up to the high watermarks of this moment. Topics that do not exist are an error. */
export async function readKafka(brokers: readonly string[], topics: readonly string[]): Promise<Contents> {
  const judge = judgeRecords();
  await eachRecord(brokers, topics, judge.take);
  return judge.contents();
}

type Take = (topic: string, partition: number, message: KafkaMessage) => void;

/** The same, record by record; each once, those of a partition in order. */
export async function eachRecord(brokers: readonly string[], topics: readonly string[], take: Take): Promise<void> {
  const client = kafkaClient(brokers, 30);
  const open = await ranges(client.admin(), topics);
  if (open.size === 0) return;

  const consumer = client.consumer({ groupId: `oracle-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => done.reject(new Error(`not read within ${readMsMax} ms: ${[...open.keys()].join(', ')}`)),
    readMsMax,
  );
  // kafkajs begins again by itself after what it thinks will pass, and then from the start.
  consumer.on('consumer.crash', ({ payload }) => void (payload.restart || done.reject(payload.error)));
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { topic, partition, messages } }) => {
        const place = `${topic}/${partition}`;
        const range = open.get(place);
        if (range === undefined) return; // read to its end before
        for (const message of messages) {
          const offset = BigInt(message.offset);
          if (offset < range.next || offset >= range.end) continue;
          range.next = offset + 1n;
          take(topic, partition, message);
        }
        if (range.next >= range.end) open.delete(place);
        if (open.size === 0) done.resolve();
      },
    });
    await done.promise;
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}

/** Offsets: of the record to be read next, and after the last one. */
interface Range {
  next: bigint;
  readonly end: bigint;
}

/** `topic/partition` → what is to be read there, if there is anything. */
async function ranges(
  admin: ReturnType<ReturnType<typeof kafkaClient>['admin']>,
  topics: readonly string[],
): Promise<Map<string, Range>> {
  await admin.connect();
  try {
    const found = new Map<string, Range>();
    // A leader that is new may not know it yet, and kafkajs does not ask it twice.
    for (const topic of topics)
      for (const { partition, low, high } of await eventually(() => admin.fetchTopicOffsets(topic)))
        if (BigInt(high) > BigInt(low)) found.set(`${topic}/${partition}`, { next: BigInt(low), end: BigInt(high) });
    return found;
  } finally {
    await admin.disconnect();
  }
}

/** What these groups have not committed, by group, over these topics: a group that has not begun has everything before it. */
export async function behind(
  brokers: readonly string[],
  topicsOf: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, number>> {
  const admin = kafkaClient(brokers, 10).admin();
  await admin.connect();
  try {
    const sums = new Map<string, number>();
    for (const [groupId, topics] of topicsOf) {
      let sum = 0;
      for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
        const ends = new Map((await admin.fetchTopicOffsets(topic)).map(end => [end.partition, Number(end.high)]));
        for (const { partition, offset } of partitions) sum += ends.get(partition)! - Math.max(0, Number(offset));
      }
      sums.set(groupId, sum);
    }
    return sums;
  } finally {
    await admin.disconnect();
  }
}

interface Judge {
  readonly take: Take;
  contents(): Contents;
}

function judgeRecords(): Judge {
  const events = new Map<string, { type: string; times: number }>();
  const types: Record<string, number> = {};
  const malformed: string[] = [];
  /** Where the events of a key lie: always in one partition of a topic. */
  const homes = new Map<string, number>();
  let records = 0;
  return {
    take(topic, partition, message) {
      records++;
      const record = readRecord(message);
      const isMoved = record.key !== null && setOnce(homes, `${topic} ${record.key}`, partition) !== partition;
      const wrong = record.wrong ?? (isMoved ? `key ${record.key} is in another partition too` : null);
      if (wrong !== null) malformed.push(`${topic}/${partition}@${message.offset}: ${wrong}`);
      const known = events.get(record.id);
      if (known !== undefined) {
        known.times++;
        if (known.type !== record.type) malformed.push(`${record.id} is a ${known.type} and a ${record.type}`);
        return;
      }
      events.set(record.id, { type: record.type, times: 1 });
      types[record.type] = (types[record.type] ?? 0) + 1;
    },
    contents: () => ({ records, events, types, malformed }),
  };
}

interface ReadRecord {
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly wrong: string | null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Exported for its own test. */
export function readRecord(
  message: Pick<KafkaMessage, 'key' | 'value'> & { headers?: IHeaders | undefined },
): ReadRecord {
  const key = message.key?.toString() ?? null;
  const nothing = { id: '', type: '', key };
  let value: unknown;
  try {
    const text = utf8.decode(message.value ?? new Uint8Array());
    if (text.includes('\n')) return { ...nothing, wrong: 'more than one line' };
    value = JSON.parse(text);
  } catch (error) {
    return { ...nothing, wrong: String(error) };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { ...nothing, wrong: 'no object' };
  const event = value as Readonly<Record<string, unknown>>;
  const fields = Object.keys(event).slice(0, edgeFields.length);
  const user = event.user_id || event.anonymous_id || null;
  const found = { id: String(event.event_id), type: String(event.event_type), key };
  if (fields.join() !== edgeFields.join()) return { ...found, wrong: `begins with ${fields.join()}` };
  if (user !== key) return { ...found, wrong: `key ${key} of user ${user}` };
  return { ...found, wrong: null };
}

function setOnce(map: Map<string, number>, name: string, value: number): number {
  if (!map.has(name)) map.set(name, value);
  return map.get(name)!;
}

export function compareWithKafka({ acked, sent, rejected }: Ledger, contents: Contents): LogFinding {
  const { events, records, malformed } = contents;
  const foreign: string[] = [];
  let repeatedByUs = 0;
  for (const [id, { type, times }] of events) {
    const ackedType = acked.get(id);
    const timesSent = sent.get(id);
    if (timesSent === undefined || rejected.has(id) || (ackedType ?? type) !== type) foreign.push(id);
    else repeatedByUs += Math.max(0, times - timesSent);
  }
  const lost = [...acked.keys()].filter(id => !events.has(id));
  return { acked: acked.size, records, lost, foreign, malformed, repeated: records - events.size, repeatedByUs };
}
