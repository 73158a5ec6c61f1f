// The whole account of a log and its tables: every record of the broker is a row or a dead letter, and there is nothing
// else. The broker is read as another team would, the tables over HTTP.

import { catalogue } from '../../schemas/catalogue.ts';
import { topicOf } from '../../schemas/topic.ts';
import type { EtlBroker } from './etl-broker.ts';
import type { Ledger } from './load.ts';
import { compareRows, type Finding } from './oracle.ts';
import { foreignBytesMax } from './other-team.ts';
import type { Ugc } from './ugc.ts';

/** Types that the load and the other team write. */
export const types = catalogue.types.filter(({ family }) => family === 'film');
export const topics = types.map(type => topicOf('ugc.{event_type}', type));

export interface Log {
  /** Of every event there is, once. */
  readonly ids: ReadonlySet<string>;
  /** `topic/partition/position` of what can never be a row. */
  readonly poison: ReadonlySet<string>;
  /** The same of what is dead-lettered and can be a row after all. */
  readonly tooLarge: ReadonlySet<string>;
  readonly records: number;
}

/** All that the broker has. What was never sent as an event, in the ledger, is poison. */
export async function readLog(broker: Pick<EtlBroker, 'eachRecord'>, { sent }: Ledger): Promise<Log> {
  const ids = new Set<string>();
  const poison = new Set<string>();
  const tooLarge = new Set<string>();
  let records = 0;
  await broker.eachRecord(topics, (place, value) => {
    records++;
    const id = idOf(value);
    if (id === null || !sent.has(id)) {
      poison.add(place);
      return;
    }
    ids.add(id);
    if (value!.length > foreignBytesMax) tooLarge.add(place);
  });
  return { ids, poison, tooLarge, records };
}

function idOf(value: Buffer | null): string | null {
  try {
    return (JSON.parse(String(value)) as { event_id?: string } | null)?.event_id ?? null;
  } catch {
    return null;
  }
}

export interface Account extends Finding {
  /** Events of the broker that are no row, and rows that are none of its events. */
  readonly unmoved: readonly string[];
  readonly unheard: readonly string[];
  /** Dead letters that are not there, that ought not to be, or are open or closed and ought not to be. */
  readonly letters: readonly string[];
  /** Tables and views whose count() is not their uniqExact(event_id). */
  readonly uneven: readonly string[];
}

export async function accountOf(query: Ugc['query'], ledger: Ledger, log: Log): Promise<Account> {
  const finding = await compareRows(query, ledger);
  const rows = new Set<string>();
  const uneven: string[] = [];
  for (const name of [...types.map(type => type.name), 'events']) {
    const found = await query<{ count: number; ids: number }>(
      `SELECT toUInt32(count()) AS count, toUInt32(uniqExact(event_id)) AS ids FROM ugc.${name}`,
    );
    if (found[0]!.count !== found[0]!.ids) uneven.push(`${name}: ${JSON.stringify(found[0])}`);
  }
  for (const { id } of await query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.events')) rows.add(id);
  return {
    ...finding,
    unmoved: [...log.ids].filter(id => !rows.has(id)),
    unheard: [...rows].filter(id => !log.ids.has(id)),
    letters: await strangeLetters(query, log),
    uneven,
  };
}

async function strangeLetters(query: Ugc['query'], { poison, tooLarge }: Log): Promise<string[]> {
  const found = await query<{ place: string; reason: string; open: boolean }>(
    `SELECT concat(topic, '/', toString(partition), '/', toString(dead_letters.position)) AS place, reason,
     replayed_at IS NULL AS open FROM ugc.dead_letters`,
  );
  const strange: string[] = [];
  const places = new Set<string>();
  for (const { place, reason, open } of found) {
    const isPoison = poison.has(place);
    if (places.has(place)) strange.push(`${place} twice`);
    else if (!isPoison && !tooLarge.has(place)) strange.push(`${place} is good, and dead for ${reason}`);
    else if (isPoison !== Boolean(open)) strange.push(`${place}, ${reason}, is ${open ? 'open' : 'a row'}`);
    places.add(place);
  }
  for (const place of [...poison, ...tooLarge]) if (!places.has(place)) strange.push(`${place} is nowhere`);
  return strange;
}

/** Each aggregate beside the same counted from the exact tables. */
const aggregates: Readonly<Record<string, readonly [string, string]>> = {
  events_per_minute: [
    'SELECT event_type, sum(events) AS n FROM ugc.events_per_minute GROUP BY event_type ORDER BY event_type',
    'SELECT event_type, count() AS n FROM ugc.events GROUP BY event_type ORDER BY event_type',
  ],
  active_users_daily: [
    'SELECT day, users, visitors, events FROM ugc.active_users_daily ORDER BY day',
    `SELECT toDate(timestamp) AS day, uniqExact(user_id) AS users, uniqExactIf(anonymous_id, user_id IS NULL) AS visitors,
     count() AS events FROM ugc.events GROUP BY day ORDER BY day`,
  ],
  film_views_daily: [
    'SELECT sum(completions) AS n, sum(completed_seconds) AS seconds FROM ugc.film_views_daily',
    'SELECT count() AS n, sum(duration) AS seconds FROM ugc.film_watched',
  ],
  quality_changes_daily: [
    'SELECT sum(changes) AS n FROM ugc.quality_changes_daily',
    'SELECT count() AS n FROM ugc.quality_change',
  ],
};

/** Names of the aggregates that do not say what the exact tables say, each computed anew before. */
export async function wrongAggregates(query: Ugc['query'], command: (sql: string) => Promise<void>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, [kept, counted]] of Object.entries(aggregates)) {
    await command(`SYSTEM REFRESH VIEW ugc.${name}`);
    await command(`SYSTEM WAIT VIEW ugc.${name}`);
    const [is, ought] = [JSON.stringify(await query(kept)), JSON.stringify(await query(counted))];
    if (is !== ought) wrong.push(`${name} says ${is}, the tables say ${ought}`);
  }
  return wrong;
}
