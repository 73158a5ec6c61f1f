// `ugc forget`: a person's data deleted, from the content store first, so that nothing more of it is published, then, once
// the buffer has nothing of it, from every table, and the dead letters. Afterwards it is counted again.
//
// Done twice it is done once, and what has broken off goes on when it is repeated. A place that cannot be reached is named
// and keeps no other from being cleared. Exit code 1 while anything is left where rows are read.

import { isatty } from 'node:tty';
import { type HeldRows, type PersonIds, type PersonTable, personIn } from '../adapters/clickhouse/ask/person.ts';
import { erasingIn } from '../adapters/clickhouse/write/erase.ts';
import type { KafkaConnection } from '../adapters/kafka/connect/options.ts';
import type { PulsarOptions } from '../adapters/pulsar/connect/options.ts';
import type { RabbitmqConnection } from '../adapters/rabbitmq/connect/options.ts';
import type { Config } from '../config/config.ts';
import { flag, integer, type Values } from '../config/kinds.ts';
import { brokerOf } from '../config/transport.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Forgotten } from '../ports/content.ts';
import { isoOf } from '../process/clock.ts';
import { command, type Exit } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import type { ContentOf } from './content-rebuild.ts';
import { inWords } from './failure.ts';
import { confirmed, progressOf, say, writeOut } from './output.ts';
import { heldInBuffer, personFlags, pseudonymsOf, readPerson } from './person.ts';
import { type Receipt, receiptText } from './receipt.ts';
import { aggregatesRemain, inArchive, inBuffer, inKafka, inPulsar, inRabbitmq, otherPlaces } from './remains.ts';
import { type Tables, withTables } from './tables.ts';

export const forgetFlags = {
  ...personFlags,
  keepReviews: flag({ default: false, help: 'Reviews stay, without their author' }),
  waitSeconds: integer({
    default: 30,
    min: 0,
    max: 86_400,
    help: 'Waits so long for a running instance to make rows of what the disk buffer holds of the person',
  }),
  dryRun: flag({ default: false, help: 'Count what would be deleted, change nothing' }),
  yes: flag({ default: false, help: 'Ask nothing' }),
  json: flag({ default: false, help: 'The receipt as one JSON object instead of text for people' }),
};

export interface Forgetting {
  readonly buffers: Pick<Buffers, 'path' | 'read' | 'isInUse'>;
  /** How the brokers are reached; called only where there is that one. */
  readonly kafkaOf: (config: Config) => KafkaConnection;
  readonly pulsarOf: (config: Config) => PulsarOptions;
  readonly rabbitmqOf: (config: Config) => RabbitmqConnection;
  readonly contentOf: ContentOf;
}

type Flags = Values<typeof forgetFlags>;

export const forgetCommand = (wiring: Forgetting) =>
  command(forgetFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      const person = readPerson(flags);
      if (args.length > 0 || person === null) {
        const why =
          args[0] === undefined ? 'forget takes --user-id=… or --anonymous-id=…' : `${args[0]} is not understood`;
        say(`ugc: ${why}; see ugc help forget`);
        return 2;
      }
      const ids = [...person.users, ...person.visitors];
      if (!flags.yes && !flags.dryRun && !confirmed(`Delete everything of ${ids.join(', ')}?`)) {
        say(`ugc: nothing was changed; ${isatty(0) ? 'only "yes" deletes' : '--yes deletes without a question'}`);
        return 2;
      }
      const receipt = await forget(person, flags, config, wiring);
      writeOut(flags.json ? `${JSON.stringify(receipt)}\n` : receiptText(receipt));
      return receipt.is_complete ? 0 : 1;
    }),
  );

async function forget(person: PersonIds, flags: Flags, config: Config, wiring: Forgetting): Promise<Receipt> {
  const startedAtMs = Date.now();
  const unreached: { place: string; why: string }[] = [];
  const reach = async <T>(place: string, otherwise: T, act: () => T | Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      unreached.push({ place, why: messageOf(error).trim() });
      return otherwise;
    }
  };
  const content = await reach('content store', null, () => fromContent(person, flags, config, wiring.contentOf));
  if (!flags.dryRun)
    await reach('disk buffer', undefined, () => drained(person, flags.waitSeconds, config, wiring.buffers));
  const tables = await reach('ClickHouse', nothingInTables, () =>
    withTables(config, ({ client }) => fromTables(client, person, flags.dryRun, config)),
  );
  const buffered = await reach('disk buffer', [], () => inBuffer(person, config, wiring.buffers));
  const kafka = await reach('Kafka', [], () =>
    config.kafkaBrokers === '' ? [] : inKafka(config, wiring.kafkaOf(config), Date.now()),
  );
  const pulsar = await reach('Pulsar', [], () =>
    brokerOf(config) === 'pulsar' ? inPulsar(config, wiring.pulsarOf(config), Date.now()) : [],
  );
  const rabbitmq = await reach('RabbitMQ', [], () =>
    brokerOf(config) === 'rabbitmq' ? inRabbitmq(config, wiring.rabbitmqOf(config)) : [],
  );
  const isLeft = !flags.dryRun && (tables.left > 0 || buffered.some(({ place }) => place === 'disk buffer'));
  return {
    person: pseudonymsOf(person),
    dry_run: flags.dryRun,
    started_at: isoOf(startedAtMs),
    finished_at: isoOf(Date.now()),
    is_complete: unreached.length === 0 && !isLeft,
    content: content === null ? null : { ...content, keeps_reviews: flags.keepReviews },
    tables: tables.held,
    dead_letters: tables.letters,
    remains: [
      ...(tables.left > 0 && !flags.dryRun
        ? [{ place: 'tables', records: tables.left, what: 'rows that came while others were deleted', until: null }]
        : []),
      ...buffered,
      ...kafka,
      ...pulsar,
      ...rabbitmq,
      ...inArchive(config),
      aggregatesRemain(config.clickhouseRefreshSeconds),
      ...otherPlaces,
    ],
    unreached,
    also_known_as: tables.others,
  };
}

/** Null where there is no content store. */
async function fromContent(
  { users }: PersonIds,
  { keepReviews, dryRun }: Flags,
  config: Config,
  contentOf: ContentOf,
): Promise<Forgotten | null> {
  const store = await contentOf(config);
  if (store === null) return null;
  try {
    const sum = { likes: 0, reviews: 0, reviewLikes: 0, bookmarks: 0, viewings: 0, events: 0 };
    const words = {
      like: 'likes',
      review: 'reviews',
      review_like: 'reviewLikes',
      bookmark: 'bookmarks',
      viewing: 'viewings',
    } as const;
    for (const user of users)
      if (dryRun) {
        for await (const rows of store.person(user)) for (const { kind } of rows) sum[words[kind]]++;
      } else {
        const done = await store.forget(user, keepReviews);
        for (const word of Object.keys(sum) as (keyof Forgotten)[]) sum[word] += done[word];
      }
    return sum;
  } finally {
    await store.close();
  }
}

/** A running instance makes rows of what its buffer holds; those are deleted with the others. */
async function drained(
  person: PersonIds,
  seconds: number,
  config: Config,
  buffers: Forgetting['buffers'],
): Promise<void> {
  const untilMs = performance.now() + seconds * 1000;
  const progress = progressOf('waiting for', 'events in the disk buffer');
  while (buffers.isInUse(config) && performance.now() < untilMs) {
    const { waiting } = heldInBuffer(person, config, buffers);
    if (waiting === 0) break;
    progress.at(waiting, 0);
    await Bun.sleep(200);
  }
  progress.end();
}

interface InTables {
  readonly held: Receipt['tables'];
  readonly letters: number;
  /** Rows counted afterwards. */
  readonly left: number;
  readonly others: readonly string[];
}

const nothingInTables: InTables = { held: [], letters: 0, left: 0, others: [] };

async function fromTables(
  client: Tables['client'],
  person: PersonIds,
  isDry: boolean,
  { clickhouseDatabase: database, clickhouseCluster: cluster }: Config,
): Promise<InTables> {
  const found = personIn(client, database, person);
  const progress = progressOf('writing anew', 'parts');
  const erasing = erasingIn({ client, database, cluster, person, onWaiting: (_, parts) => progress.at(parts, 0) });
  const tables = await found.tables();
  const held: { table: string; rows: number; copies: number }[] = [];
  const others = new Set<string>();
  let left = 0;
  try {
    for (const table of tables) {
      const before = await found.held(table);
      if (before.copies === 0) continue;
      for (const id of await found.alsoKnownAs(table)) others.add(id);
      held.push({ table: `${database}.${table.type}`, ...before });
      if (!isDry) {
        await erasing.note(table);
        await erasing.events(table, await found.mixed(table));
        await erasing.rows(table);
      }
    }
    const letters = await found.letters();
    if (!isDry) {
      await erasing.letters(letters);
      left = await leftIn(tables, found.held);
      left += (await found.letters()).length;
    }
    return { held, letters: letters.length, left, others: [...others] };
  } finally {
    progress.end();
  }
}

async function leftIn(
  tables: readonly PersonTable[],
  heldIn: (table: PersonTable) => Promise<HeldRows>,
): Promise<number> {
  let sum = 0;
  for (const table of tables) sum += (await heldIn(table)).copies;
  return sum;
}
