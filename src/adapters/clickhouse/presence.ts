// Which events have a row, asked of the exact tables themselves: what is answered here can be read by everybody.
// `event_id IN (…)` is a binary search in the tables' key, whatever their size.

import type { Presence } from '../../ports.ts';
import type { ClickhouseClient } from './client.ts';
import { sinkError } from './errors.ts';
import { quoteText } from './sql.ts';
import { tableName } from './tables.ts';

/** In one query, well below ClickHouse's max_query_size. */
const idsMax = 1_000;

export function presenceIn(client: () => ClickhouseClient, database: string): Presence {
  return {
    async present(type, ids, signal) {
      const found = new Set<string>();
      for (let at = 0; at < ids.length; at += idsMax)
        for (const id of await ask(type, ids.slice(at, at + idsMax), signal)) found.add(id);
      return found;
    },
  };

  async function ask(type: string, ids: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    try {
      const answer = await client().query({
        query: `SELECT toString(event_id) AS id FROM ${tableName(database, type)} WHERE event_id IN (${listOf(ids)})`,
        format: 'JSONEachRow',
        clickhouse_settings: { max_threads: 1 },
        abort_signal: signal,
      });
      return (await answer.json<{ id: string }>()).map(({ id }) => id);
    } catch (cause) {
      throw sinkError(cause, `looking for rows of ${type}`);
    }
  }
}

/** In the text of the query: in its URL, where parameters go, there is not enough room. */
export const listOf = (ids: readonly string[]): string => ids.map(quoteText).join(', ');
