// `ugc reconcile`: what the ingest instances say they have accepted, held against the tables. For each type and minute
//
//   rows = accepted − repeated − waiting − dead − missing + failed + unledgered
//
// where every accepted event and every row is in exactly one of the words: repeated, an event taken again whose row was
// received before; waiting, in the disk buffer; dead, in dead_letters; missing, nowhere, which is what must not be; failed,
// rows whose sender was told of a failure; unledgered, rows no ledger knows (other producers, instances without a ledger,
// or the last seconds of a killed one). It closes when nothing is missing and no ledger has a gap.

import { eventTablesIn } from '../adapters/clickhouse/ask/event-tables.ts';
import { type LedgerInstance, ledgerIn, type Span, type Tally } from '../adapters/clickhouse/ask/ledger.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, instant, integer } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { command, type Exit } from './arguments.ts';
import type { Buffers } from './buffer.ts';
import { type ContentOf, noStore } from './content-rebuild.ts';
import { progressOf, say, table, writeOut } from './output.ts';
import { type ContentBooks, contentBalanceOf, contentText } from './reconcile-content.ts';
import { type Tables, withTables } from './tables.ts';

const minuteMs = 60_000;

export const reconcileFlags = {
  from: instant({ help: 'From the minute of this time on; a day before the end if not given' }),
  to: instant({ help: 'Up to the minute of this time, without it; the minute that runs if not given' }),
  content: flag({
    default: false,
    help: 'Hold the content store against the tables instead: likes, bookmarks, reviews',
  }),
  waitSeconds: integer({
    default: 10,
    min: 0,
    max: 3_600,
    help: 'With --content: what differs may be on its way for so long',
  }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

interface Line {
  readonly accepted: number;
  readonly repeated: number;
  readonly waiting: number;
  readonly dead: number;
  readonly missing: number;
  readonly failed: number;
  readonly unledgered: number;
  readonly rows: number;
}

interface Minute extends Line {
  readonly type: string;
  readonly minute: string;
  /** Some of them. */
  readonly missing_ids: readonly string[];
}

interface Balance {
  readonly from: string;
  readonly to: string;
  readonly closes: boolean;
  readonly types: readonly (Line & { readonly type: string })[];
  /** Dropped or diverted, as rules said: answered with success and no row. */
  readonly ruled: readonly { readonly type: string; readonly events: number }[];
  /** Those that do not close. */
  readonly minutes: readonly Minute[];
  /** Those that have not written that they stopped, or lack entries. */
  readonly instances: readonly (LedgerInstance & { readonly lacking: number })[];
}

/** Accepted events of one question: what ClickHouse joins at once. */
const togetherMax = 500_000;

export const reconcileCommand = (buffers: Pick<Buffers, 'read'>, contentOf: ContentOf) =>
  command(reconcileFlags, async ({ args, flags, config }): Promise<Exit> => {
    const to = Math.floor((flags.to ?? Date.now()) / minuteMs);
    const from = flags.from === null ? to - 24 * 60 : Math.floor(flags.from / minuteMs);
    if (args.length > 0 || from >= to) {
      say(
        `ugc: ${args[0] === undefined ? '--from has to be before --to' : `${args[0]} is not understood`}; see ugc help reconcile`,
      );
      return 2;
    }
    try {
      if (flags.content)
        return await reconcileContent({ config, buffers, contentOf, waitMs: flags.waitSeconds * 1_000 }, flags.json);
      const balance = await withTables(config, ({ client }) => balanceOf({ client, config, buffers }, { from, to }));
      writeOut(flags.json ? `${JSON.stringify(balance)}\n` : textOf(balance));
      return balance.closes ? 0 : 1;
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      say(`ugc: ${messageOf(error).trim()}`);
      return error.code === 'config_invalid' ? 2 : 1;
    }
  });

interface ContentAsked extends Omit<ContentBooks, 'store'> {
  readonly contentOf: ContentOf;
}

async function reconcileContent({ contentOf, ...books }: ContentAsked, asJson: boolean): Promise<Exit> {
  const store = await contentOf(books.config);
  if (store === null) throw noStore();
  try {
    const balance = await contentBalanceOf({ ...books, store });
    writeOut(asJson ? `${JSON.stringify(balance)}\n` : contentText(balance));
    return balance.closes ? 0 : 1;
  } finally {
    await store.close();
  }
}

interface Books {
  readonly client: Tables['client'];
  readonly config: Config;
  readonly buffers: Pick<Buffers, 'read'>;
}

async function balanceOf(books: Books, span: Span): Promise<Balance> {
  const ledger = ledgerIn(books.client, books.config.clickhouseDatabase);
  const known = await ledger.minutes(span);
  const instances = await ledger.instances(span);
  const ruled = await ledger.ruled(span);
  if (known.length === 0 && instances.length === 0)
    throw new PipelineError(
      'not_found',
      'the ledger has no entry of this time yet: ingest writes what it has accepted about five seconds later, and etl makes a row of that, so ask again in a moment; if there is none then, ingest runs without UGC_LEDGER=true',
    );
  const progress = progressOf('compared', 'types');
  const minutes: Minute[] = [];
  const all = catalogueFor(books.config).types.map(({ name }) => name);
  const received = new Set(await ledger.received(all, span));
  const types = all.filter(type => received.has(type) || known.some(minute => minute.type === type));
  for (const [at, type] of types.entries()) {
    const ofType = known.filter(minute => minute.type === type);
    for (const part of partsOf(ofType, span))
      for (const tally of await ledger.tallies(type, part)) minutes.push(await minuteOf(type, tally, books));
    progress.at(at + 1, types.length);
  }
  progress.end();
  const unclosed = instances.map(instance => ({ ...instance, lacking: instance.sequence - instance.entries }));
  const open = minutes.filter(({ missing }) => missing > 0);
  return {
    from: minuteText(span.from),
    to: minuteText(span.to),
    closes: open.length === 0 && unclosed.every(({ lacking }) => lacking === 0),
    types: [...Map.groupBy(minutes, ({ type }) => type)].map(([type, lines]) => ({ type, ...sumOf(lines) })),
    ruled,
    minutes: open,
    instances: unclosed.filter(({ isClosed, lacking }) => !isClosed || lacking > 0),
  };
}

/** The span in parts of so many accepted events, one minute at least. */
function partsOf(minutes: readonly { readonly minute: number; readonly accepted: number }[], span: Span): Span[] {
  const parts: Span[] = [];
  let { from } = span;
  let accepted = 0;
  for (const { minute, accepted: more } of minutes) {
    if (accepted > 0 && accepted + more > togetherMax) {
      parts.push({ from, to: minute });
      [from, accepted] = [minute, 0];
    }
    accepted += more;
  }
  return [...parts, { from, to: span.to }];
}

async function minuteOf(type: string, tally: Tally, books: Books): Promise<Minute> {
  const { accepted, counted, absent, absentIds, rows, unsure } = tally;
  const { dead, waiting } = await lookFor(type, absentIds, books);
  const missingIds = absentIds.filter(id => !dead.has(id) && !waiting.has(id));
  return {
    type,
    minute: minuteText(tally.minute),
    accepted,
    repeated: accepted - counted - absent,
    waiting: waiting.size,
    dead: dead.size,
    missing: absent - dead.size - waiting.size,
    failed: unsure,
    unledgered: rows - counted - unsure,
    rows,
    missing_ids: missingIds.slice(0, 20),
  };
}

/** Where accepted events without a row are, as far as that can be seen from here. */
async function lookFor(type: string, ids: readonly string[], { client, config, buffers }: Books) {
  const waiting = inBuffer(type, new Set(ids), config, buffers);
  const rest = ids.filter(id => !waiting.has(id)).slice(0, deadMax);
  const events = eventTablesIn({ client: () => client, database: config.clickhouseDatabase, types: () => [type] });
  const dead = new Set<string>();
  for (let at = 0; at < rest.length; at += askedMax)
    for (const event of await events.find(rest.slice(at, at + askedMax), AbortSignal.timeout(60_000)))
      if ('failedAt' in event) dead.add(event.id);
  return { dead, waiting };
}

/** Events of a minute looked for among the dead letters; of one question. */
const deadMax = 10_000;
const askedMax = 1_000;

function inBuffer(
  type: string,
  ids: ReadonlySet<string>,
  config: Config,
  buffers: Books['buffers'],
): ReadonlySet<string> {
  const waiting = new Set<string>();
  if (ids.size === 0) return waiting;
  let file: ReturnType<Buffers['read']>;
  try {
    file = buffers.read(config);
  } catch (error) {
    if (error instanceof PipelineError) return waiting; // no buffer here
    throw error;
  }
  try {
    for (const { body } of file.records({ type }, () => {})) {
      const id = Buffer.from(body).toString('latin1', 13, 49);
      if (ids.has(id)) waiting.add(id);
    }
  } finally {
    file.close();
  }
  return waiting;
}

const words = ['accepted', 'repeated', 'waiting', 'dead', 'missing', 'failed', 'unledgered', 'rows'] as const;

const sumOf = (lines: readonly Line[]): Line =>
  Object.fromEntries(words.map(word => [word, lines.reduce((sum, line) => sum + line[word], 0)])) as unknown as Line;

const minuteText = (minute: number): string => `${new Date(minute * minuteMs).toISOString().slice(0, 16)}Z`;

function textOf({ from, to, closes, types, ruled, minutes, instances }: Balance): string {
  const signs = {
    repeated: '− repeated',
    waiting: '− waiting',
    dead: '− dead',
    missing: '− missing',
    failed: '+ failed',
  };
  const head = words.map(
    word => ({ ...signs, unledgered: '+ unledgered', rows: '= rows', accepted: 'accepted' })[word],
  );
  const cells = (line: Line): number[] => words.map(word => line[word]);
  const all = [...types.map(line => [line.type, ...cells(line)]), ['all', ...cells(sumOf(types))]];
  const parts = [`${from} to ${to}\n\n${table(['type', ...head], all)}`];
  if (ruled.length > 0)
    parts.push(
      `By rules, and so without a row (ugc rules ls):\n${table(
        ['type', 'events'],
        ruled.map(({ type, events }) => [type, events]),
      )}`,
    );
  if (minutes.length > 0)
    parts.push(
      `Accepted and nowhere to be found, unless still in the broker (ugc trace <event_id>):\n${table(
        ['minute', 'type', 'missing', 'for example'],
        minutes.map(({ minute, type, missing, missing_ids: [id = ''] }) => [minute, type, missing, id]),
      )}`,
    );
  for (const { instance, lacking, isClosed } of instances)
    parts.push(
      lacking > 0
        ? `The ledger of instance ${instance} lacks ${lacking} of its entries: lost, or on their way.\n`
        : isClosed
          ? ''
          : `Instance ${instance} has not closed its ledger: it runs, or was killed, and its last seconds may be unledgered.\n`,
    );
  return `${parts.join('\n')}\n${closes ? 'The balance closes.' : 'The balance does not close.'}\n`;
}
