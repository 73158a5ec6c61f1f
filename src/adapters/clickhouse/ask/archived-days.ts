// What the exact tables have of days that are archived.

import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { tableName } from '../schema/tables.ts';

/** Days are YYYY-MM-DD of `received_at`, UTC. Rejects with the sink's errors. */
export interface ArchivedDays {
  /** Rows of each day of the span, both ends inclusive; null: there is no such table. */
  rows(type: string, from: string, to: string): Promise<ReadonlyMap<string, number> | null>;
  /** Of the rows of that day, the event_ids. */
  ids(type: string, day: string): AsyncIterable<readonly string[]>;
  /** Of these events, those that have a row, of whatever day. */
  present(type: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
}

const idsTogether = 50_000;
const unknownTable = '60';
const unknownDatabase = '81';

export function archivedDaysIn(client: ClickhouseClient, database: string): ArchivedDays {
  async function read<Row>(query: string, params: Record<string, unknown>): Promise<Row[]> {
    try {
      return await client.read<Row>(query, { params });
    } catch (cause) {
      throw sinkError(cause, 'reading the tables of archived days');
    }
  }
  return {
    async rows(type, from, to) {
      try {
        const days = await client.read<{ day: string; rows: number }>(
          `SELECT toString(toDate(received_at)) AS day, toUInt32(count()) AS rows FROM ${tableName(database, type)}
           WHERE received_at >= toDateTime64({from:String}, 3, 'UTC') AND received_at < toDateTime64({to:String}, 3, 'UTC') + INTERVAL 1 DAY
           GROUP BY day`,
          { params: { from, to } },
        );
        return new Map(days.map(({ day, rows }) => [day, rows]));
      } catch (cause) {
        const { code } = cause as { readonly code?: string };
        if (code === unknownTable || code === unknownDatabase) return null;
        throw sinkError(cause, 'counting the rows of archived days');
      }
    },
    async *ids(type, day) {
      for (let after = ''; ; ) {
        const rows = await read<{ id: string }>(
          `SELECT DISTINCT toString(event_id) AS id FROM ${tableName(database, type)}
           WHERE toDate(received_at) = toDate({day:String}) AND id > {after:String} ORDER BY id LIMIT ${idsTogether}`,
          { day, after },
        );
        if (rows.length > 0) yield rows.map(({ id }) => id);
        const last = rows.at(-1);
        if (last === undefined || rows.length < idsTogether) return;
        after = last.id;
      }
    },
    async present(type, ids) {
      const rows = await read<{ id: string }>(
        `SELECT DISTINCT toString(event_id) AS id FROM ${tableName(database, type)} WHERE event_id IN {ids:Array(UUID)}`,
        { ids },
      );
      return new Set(rows.map(({ id }) => id));
    },
  };
}
