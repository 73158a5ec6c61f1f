// `ugc trace <event_id>`: everything that can be found out about one event, place by place: its row and how often it is
// physically there, dead letters with their bytes, the disk buffer and its quarantine, the broker. A place that cannot be asked
// is named with the reason, and keeps no other from being asked.

import { topicOf } from '../../schemas/topic.ts';
import { tracedIn } from '../adapters/clickhouse/ask/traced.ts';
import type { KafkaConnection } from '../adapters/kafka/connect/options.ts';
import { type KafkaRecord, searchKafka } from '../adapters/kafka/read/search.ts';
import type { PulsarOptions } from '../adapters/pulsar/connect/options.ts';
import { type PulsarRecord, searchPulsar } from '../adapters/pulsar/read/search.ts';
import type { RabbitmqConnection } from '../adapters/rabbitmq/connect/options.ts';
import { type RabbitmqRecord, searchRabbitmq } from '../adapters/rabbitmq/read/search.ts';
import { catalogueFor, topicsFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, instant } from '../config/kinds.ts';
import { brokerOf } from '../config/transport.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { TracedRow } from '../ports/event-tables.ts';
import { isoOf } from '../process/clock.ts';
import { isId } from '../record/stamp.ts';
import { command, type Exit } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import { plain, progressOf, say, writeOut } from './output.ts';
import { type Tables, withTables } from './tables.ts';

const since = instant({
  help: 'Looks at what Kafka has from then on; without it the row’s received_at or the time in a UUIDv7 is used',
});

export const traceFlags = { json: flag({ default: false, help: 'One JSON object instead of text for people' }), since };

export interface Tracing {
  readonly buffers: Pick<Buffers, 'read'>;
  /** How Kafka is reached; called only where there is one. */
  readonly kafkaOf: (config: Config) => KafkaConnection;
  readonly pulsarOf: (config: Config) => PulsarOptions;
  readonly rabbitmqOf: (config: Config) => RabbitmqConnection;
}

interface Found {
  readonly rows: readonly Omit<TracedRow, 'type' | 'receivedAtMs'>[];
  readonly dead_letters: readonly Readonly<Record<string, unknown>>[];
  readonly buffer: readonly Readonly<Record<string, unknown>>[];
  readonly quarantine: readonly Readonly<Record<string, unknown>>[];
  readonly kafka: readonly KafkaRecord[];
  /** Only where events go through it. */
  readonly pulsar?: readonly PulsarRecord[];
  readonly rabbitmq?: readonly RabbitmqRecord[];
  /** Place → why it could not be asked. */
  readonly unasked: Readonly<Record<string, string>>;
}

export const traceCommand = (tracing: Tracing) =>
  command(traceFlags, async ({ args, flags, config }): Promise<Exit> => {
    const id = args[0]?.toLowerCase() ?? '';
    if (args.length !== 1 || !isId(id)) {
      say('ugc: trace takes one event_id, a UUID; see ugc help trace');
      return 2;
    }
    const found = await trace(id, config, flags.since, tracing);
    writeOut(flags.json ? `${JSON.stringify({ event_id: id, ...found })}\n` : textOf(id, found, config));
    const { unasked: _, ...places } = found;
    return Object.values(places).some(items => items.length > 0) ? 0 : 1;
  });

async function trace(id: string, config: Config, sinceMs: number | null, tracing: Tracing): Promise<Found> {
  const unasked: Record<string, string> = {};
  const ask = async <T>(place: string, otherwise: T, look: () => T | Promise<T>): Promise<T> => {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      unasked[place] = messageOf(error).trim();
      return otherwise;
    }
  };
  const tables = await ask('clickhouse', { rows: [], letters: [] }, () =>
    withTables(config, ({ client }) => inTables(client, id, config)),
  );
  const disk = await ask('buffer', { buffer: [], quarantine: [] }, () => inBuffer(id, config, tracing));
  const receivedAt = tables.rows.map(({ receivedAtMs }) => receivedAtMs);
  const kafka = await ask('kafka', [], () => {
    if (brokerOf(config) !== 'kafka') return [];
    const types = [
      ...tables.rows.map(({ row }) => String(row.event_type)),
      ...disk.buffer.map(({ type }) => String(type)),
    ];
    return inKafka({ id, types, receivedAt, sinceMs, config, connection: tracing.kafkaOf(config) });
  });
  const seeking = { id, receivedAt, sinceMs, config };
  const pulsar = await ask('pulsar', [], () =>
    brokerOf(config) === 'pulsar' ? searchPulsar({ ...tracing.pulsarOf(config), ...wantedOf(seeking) }) : [],
  );
  const rabbitmq = await ask('rabbitmq', [], () =>
    brokerOf(config) === 'rabbitmq' ? searchRabbitmq({ ...tracing.rabbitmqOf(config), ...wantedOf(seeking) }) : [],
  );
  const rows = tables.rows.map(({ receivedAtMs: _, ...row }) => row);
  return {
    rows,
    dead_letters: tables.letters,
    ...disk,
    kafka,
    ...(brokerOf(config) === 'pulsar' && { pulsar }),
    ...(brokerOf(config) === 'rabbitmq' && { rabbitmq }),
    unasked,
  };
}

async function inTables(client: Tables['client'], id: string, config: Config) {
  const types = catalogueFor(config).types.map(({ name }) => name);
  const traced = tracedIn({ client: () => client, database: config.clickhouseDatabase, types: () => types });
  const { rows, letters } = await traced.trace(id, AbortSignal.timeout(60_000));
  return {
    rows: rows.map(({ type: _, ...row }) => row),
    letters: letters.map(({ raw, atMs, failedAtMs, replayedAtMs, dismissedAtMs, dismissedWhy, ...letter }) => ({
      ...letter,
      recorded_at: isoOf(atMs),
      failed_at: isoOf(failedAtMs),
      replayed_at: replayedAtMs === null ? null : isoOf(replayedAtMs),
      dismissed_at: dismissedAtMs === null ? null : isoOf(dismissedAtMs),
      dismissed_why: dismissedWhy,
      raw: Buffer.from(raw).toString(),
      raw_base64: Buffer.from(raw).toString('base64'),
    })),
  };
}

function inBuffer(id: string, config: Config, { buffers }: Tracing): Pick<Found, 'buffer' | 'quarantine'> {
  const file = buffers.read(config);
  try {
    const body = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
    return {
      buffer: [...file.records({ id }, () => {})].map(({ topic, type, position, key, receivedAtMs, body: bytes }) => ({
        topic,
        type,
        position,
        key,
        received_at: isoOf(receivedAtMs),
        body: body(bytes),
      })),
      quarantine: [...file.quarantined({ id })].map(({ topic, type, position, index, reason, atMs, raw }) => ({
        topic,
        type,
        position,
        index,
        reason,
        set_aside_at: isoOf(atMs),
        body: body(raw),
      })),
    };
  } finally {
    file.close();
  }
}

interface Seeking {
  readonly id: string;
  /** Known ones; none = it may be of any. */
  readonly types: readonly string[];
  /** Of its rows, epoch milliseconds. */
  readonly receivedAt: readonly number[];
  readonly sinceMs: number | null;
  readonly config: Config;
  readonly connection: KafkaConnection;
}

/** A record’s time is its received_at, or that of the oldest it lay with on the disk. */
const marginMs = 60_000;
const dayMs = 86_400_000;

async function inKafka({
  id,
  types,
  receivedAt,
  sinceMs,
  config,
  connection,
}: Seeking): Promise<readonly KafkaRecord[]> {
  const { types: known } = catalogueFor(config);
  const wanted = types.length === 0 ? known : known.filter(({ name }) => types.includes(name));
  const progress = progressOf('looked at', 'records in Kafka');
  const [oldest, newest] = [Math.min(...receivedAt), Math.max(...receivedAt)];
  const isKnown = receivedAt.length > 0 && sinceMs === null;
  try {
    const { records } = await searchKafka({
      ...connection,
      id,
      topics: [...new Set(wanted.map(type => topicOf(config.topic, type)))],
      sinceMs: sinceMs ?? (isKnown ? oldest - marginMs : madeAt(id)),
      untilMs: isKnown ? newest + marginMs : null,
      onProgress: progress.at,
    });
    return records;
  } finally {
    progress.end();
  }
}

/** Pulsar and RabbitMQ go by when they took a record, which is never before the edge did; an event of the disk came much later. */
function wantedOf({ id, receivedAt, sinceMs, config }: Omit<Seeking, 'types' | 'connection'>) {
  const oldest = Math.min(...receivedAt);
  const since = sinceMs ?? (Number.isFinite(oldest) ? oldest - marginMs : madeAt(id));
  return { id, topics: topicsFor(config), sinceMs: since };
}

/** A day before what a UUIDv7 says, in case its maker's clock was ahead; null for any other. */
const madeAt = (id: string): number | null =>
  id[14] === '7' ? Math.max(0, Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - dayMs) : null;

function textOf(id: string, { unasked, ...found }: Found, config: Config): string {
  const lines = [id];
  const tell = (place: string, texts: readonly string[], nothing: string): void => {
    lines.push('', place, ...(texts.length === 0 ? [nothing] : texts).map(text => `  ${plain(text)}`));
  };
  const absent = (place: string): string => (unasked[place] ? `not asked: ${unasked[place]}` : 'nothing');
  const json = (value: unknown): string => JSON.stringify(value);
  tell(
    'ClickHouse',
    found.rows.map(
      ({ table, row, copies }) => `${table}${copies === 1 ? '' : `, ${copies} copies that read as one`}: ${json(row)}`,
    ),
    absent('clickhouse'),
  );
  tell(
    'Dead letters',
    found.dead_letters.map(({ raw_base64: _, ...letter }) => json(letter)),
    absent('clickhouse'),
  );
  tell(
    'Disk buffer',
    found.buffer.map(event => json(event)),
    absent('buffer'),
  );
  tell(
    'Quarantine of the buffer',
    found.quarantine.map(event => json(event)),
    absent('buffer'),
  );
  tell(
    'Kafka',
    found.kafka.map(({ topic, partition, offset, body }) => `${topic}/${partition} at offset ${offset}: ${body}`),
    brokerOf(config) === 'kafka' ? absent('kafka') : notKafka(config),
  );
  if (found.pulsar !== undefined)
    tell(
      'Pulsar',
      found.pulsar.map(({ topic, partition, message_id, body }) => `${topic}/${partition}, ${message_id}: ${body}`),
      absent('pulsar'),
    );
  if (found.rabbitmq !== undefined)
    tell(
      'RabbitMQ',
      found.rabbitmq.map(({ topic, offset, body }) => `${topic} at offset ${offset}: ${body}`),
      absent('rabbitmq'),
    );
  return `${lines.join('\n')}\n`;
}

/** Why Kafka was not asked. */
const notKafka = (config: Config): string =>
  brokerOf(config) === null ? 'there is none (UGC_KAFKA_BROKERS)' : `the log is ${brokerOf(config)}`;
