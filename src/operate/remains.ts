// What of a person lies where `ugc forget` deletes nothing, named so that an operator knows when it is gone.

import type { PersonIds } from '../adapters/clickhouse/ask/person.ts';
import type { KafkaConnection } from '../adapters/kafka/connect/options.ts';
import { retentionOf, type TopicRetention } from '../adapters/kafka/read/retention.ts';
import type { PulsarOptions } from '../adapters/pulsar/connect/options.ts';
import { retentionOf as retentionInPulsar } from '../adapters/pulsar/read/retention.ts';
import type { RabbitmqConnection } from '../adapters/rabbitmq/connect/options.ts';
import { retentionOf as retentionInRabbitmq } from '../adapters/rabbitmq/read/retention.ts';
import { topicsFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { isoOf } from '../process/clock.ts';
import type { Buffers } from './buffer.ts';
import { heldInBuffer } from './person.ts';
import type { Remainder } from './receipt.ts';

/** What counts whichever settings there are. */
export const aggregatesRemain = (refreshSeconds: number): Remainder => ({
  place: 'aggregates',
  records: null,
  what: `numbers alone, no ids; they are counted anew from the tables every ${refreshSeconds} to ${refreshSeconds * 5} s, and then without the person`,
  until: null,
});

export const otherPlaces: readonly Remainder[] = [
  {
    place: 'ledger',
    records: null,
    what: 'event_ids of what was accepted, and nothing else of it (retention 90 days)',
    until: null,
  },
  {
    place: 'copies of yours',
    records: null,
    what: 'cold files of others, backups of the database, of ClickHouse and of the data folder, and whatever else reads the topics: ugc does not know of them',
    until: null,
  },
];

/** Files are kept for ever as they are, so that they can be proven to be what the log was. */
export const inArchive = ({ archiveUrl }: Pick<Config, 'archiveUrl'>): readonly Remainder[] =>
  archiveUrl === ''
    ? []
    : [
        {
          place: `cold archive: ${archiveUrl}`,
          records: null,
          what: 'events of the person, in files that are never changed: after ugc archive restore run this again',
          until: null,
        },
      ];

/** Rejects with what reading the buffer throws. */
export function inBuffer(person: PersonIds, config: Config, buffers: Pick<Buffers, 'path' | 'read'>): Remainder[] {
  const { waiting, quarantined } = heldInBuffer(person, config, buffers);
  const found: Remainder[] = [];
  if (waiting > 0)
    found.push({
      place: 'disk buffer',
      records: waiting,
      what: 'events that still become rows: repeat the command once ugc buffer stat says that nothing waits',
      until: null,
    });
  if (quarantined > 0)
    found.push({
      place: 'quarantine of the disk buffer',
      records: quarantined,
      what: 'records that were set aside (ugc buffer inspect --quarantine)',
      until: null,
    });
  return found;
}

/** Topics that are kept equally long make one line. Rejects with a PipelineError when no broker can be asked. */
export async function inKafka(config: Config, connection: KafkaConnection, nowMs: number): Promise<Remainder[]> {
  const byTime = Map.groupBy(await retentionOf(connection, topicsFor(config)), ({ keepsMs }) => keepsMs);
  return [...byTime].flatMap(([keepsMs, group]) => {
    const names = group.map(({ topic }) => topic).join(', ');
    return [{ place: `Kafka: ${names}`, records: null, ...fateOf(keepsMs, nowMs) }];
  });
}

const again = 'reading the log again makes rows of them (docs/operate/persons.md)';

function fateOf(keepsMs: TopicRetention['keepsMs'], nowMs: number): Pick<Remainder, 'what' | 'until'> {
  if (keepsMs === 'unlimited') return { what: `records of the person, kept for ever; ${again}`, until: null };
  if (keepsMs === null)
    return { what: 'records of the person, if there are any; the brokers do not say for how long', until: null };
  return { what: `records of the person; ${again}`, until: isoOf(nowMs + keepsMs) };
}

/** The same of Pulsar, which keeps what some subscription has not passed, whatever else it was told. */
export async function inPulsar(config: Config, connection: PulsarOptions, nowMs: number): Promise<Remainder[]> {
  const byTime = Map.groupBy(await retentionInPulsar(connection, topicsFor(config)), ({ keepsMs }) => keepsMs);
  return [...byTime].map(([keepsMs, group]) => ({
    place: `Pulsar: ${group.map(({ topic }) => topic).join(', ')}`,
    records: null,
    ...fateInPulsar(keepsMs, nowMs),
  }));
}

function fateInPulsar(keepsMs: TopicRetention['keepsMs'], nowMs: number): Pick<Remainder, 'what' | 'until'> {
  const passed = 'until every subscription has passed them, and then with the ledger they lie in';
  if (keepsMs === 'unlimited') return { what: `records of the person, kept for ever; ${again}`, until: null };
  if (keepsMs === null)
    return { what: 'records of the person, if there are any; this token may not ask for how long', until: null };
  if (keepsMs === 0) return { what: `records of the person, if there are any, ${passed}`, until: null };
  return { what: `records of the person, at least until then, and ${passed}; ${again}`, until: isoOf(nowMs + keepsMs) };
}
/** Queues that keep equally long make one line. Rejects with a PipelineError when no node can be asked. */
export async function inRabbitmq(config: Config, connection: RabbitmqConnection): Promise<Remainder[]> {
  const there = await retentionInRabbitmq(connection, topicsFor(config));
  const kept = ({ age, bytes }: (typeof there)[number]): string => {
    if (connection.kind === 'quorum')
      return 'events of the person that wait to become rows, if there are any: repeat the command once ugc_etl_lag_events says 0';
    const bounds = [...(age === null ? [] : [`for ${age}`]), ...(bytes === null ? [] : [`up to ${bytes} bytes`])];
    const long = bounds.length === 0 ? 'for ever, unless a policy says otherwise' : bounds.join(' and ');
    return `records of the person, kept ${long}, whole segments at a time, the last of them until it is full; ${again}`;
  };
  return [...Map.groupBy(there, kept)].map(([what, group]) => ({
    place: `RabbitMQ: ${group.map(({ topic }) => topic).join(', ')}`,
    ...{ records: null, what, until: null },
  }));
}
