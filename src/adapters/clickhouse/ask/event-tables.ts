// Single events in the tables, by their ids, asked of the exact tables themselves: what is told of here can be read by
// everybody. `event_id IN (…)` is a binary search in the tables' key, whatever their size. Over all types it is asked of
// the storage behind them, of several rows of an event the first received as they do: `events`, a union of forty views,
// takes the engine ten times as long to plan. Dead letters have no key that knows an id, so all of them are looked
// through, within a bound of time.

import type { EventLetter, EventRow, EventTables, FoundEvent } from '../../../ports/event-tables.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { rowsTable, tableName } from '../schema/tables.ts';
import { quoteText } from '../sql.ts';

/** In one query, well below ClickHouse's max_query_size. */
const idsMax = 1_000;
/** Of looking through the dead letters; what was found by then counts. */
const lettersSecondsMax = 2;
const lettersMax = 1_000;

export interface EventTablesOptions {
  /** May throw while there is no server to ask. */
  readonly client: () => ClickhouseClient;
  readonly database: string;
  /** Event types that have tables. */
  readonly types: () => readonly string[];
}

export function eventTablesIn({ client, database, types }: EventTablesOptions): EventTables {
  const table = (name: string): string => tableName(database, name);
  const everyType = (): string => everyTypeOf(database, types());

  async function read<Row>(
    query: string,
    signal: AbortSignal,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<Row[]> {
    try {
      return await client().read<Row>(query, { settings: { max_threads: 1, ...settings }, signal });
    } catch (cause) {
      throw sinkError(cause, 'looking for events');
    }
  }

  return {
    async present(type, ids, signal) {
      const found = new Set<string>();
      for (let at = 0; at < ids.length; at += idsMax) {
        const list = listOf(ids.slice(at, at + idsMax));
        const query = `SELECT toString(event_id) AS id FROM ${table(type)} WHERE event_id IN (${list})`;
        for (const { id } of await read<{ id: string }>(query, signal)) found.add(id);
      }
      return found;
    },

    async find(ids, signal): Promise<readonly FoundEvent[]> {
      const list = listOf(ids);
      const rows = await read<Omit<EventRow, 'timestamp'> & { readonly happenedAt: string }>(
        `SELECT toString(event_id) AS id, toString(event_type) AS type, ${asIso('min(received_at)')} AS receivedAt,
           ${asIso('argMin(timestamp, received_at)')} AS happenedAt
         FROM ${everyType()} WHERE event_id IN (${list}) GROUP BY event_id, event_type`,
        signal,
      );
      const letters = await read<EventLetter>(
        `SELECT arrayJoin(arrayIntersect(${idsInRaw}, [${list}])) AS id, topic, partition,
           toString(dead_letters.position) AS position, index, log, reason, ${asIso('failed_at')} AS failedAt,
           if(isNull(replayed_at), NULL, ${asIso('assumeNotNull(replayed_at)')}) AS replayedAt
         FROM ${table('dead_letters')} LIMIT ${lettersMax}`,
        signal,
        { max_execution_time: lettersSecondsMax, timeout_overflow_mode: 'break' },
      );
      return [...rows.map(({ happenedAt, ...row }) => ({ ...row, timestamp: happenedAt })), ...letters];
    },
  };
}

/** The rows of all these types, not yet made exact, where a query reads a table. */
export const everyTypeOf = (database: string, types: readonly string[]): string =>
  `merge(${quoteText(database)}, ${quoteText(`^(${types.map(rowsTable).join('|')})$`)})`;

/** In the text of the query: in its URL, where parameters go, there is not enough room. */
const listOf = (ids: readonly string[]): string => ids.map(quoteText).join(', ');

/** Every event_id a record names, whichever producer wrote it. */
const idsInRaw = `arrayMap(found -> lower(found), extractAll(raw, '"event_id"\\\\s*:\\\\s*"([0-9A-Fa-f-]{36})"'))`;

/** Milliseconds, in UTC. */
const asIso = (column: string): string =>
  `concat(replaceOne(toString(toDateTime64(${column}, 3, 'UTC')), ' ', 'T'), 'Z')`;
