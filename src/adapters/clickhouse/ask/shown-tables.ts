// The tables as a whole, for people who look on: what was rejected, and what is kept ready of the events.

import type { RejectionGroup, Row, ShownTables } from '../../../ports/shown-tables.ts';
import type { AggregateDefinition } from '../../../ports/tables.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { tableName } from '../schema/tables.ts';
import { everyTypeOf } from './event-tables.ts';

export interface ShownTablesOptions {
  /** May throw while there is nobody to ask. */
  readonly client: () => ClickhouseClient;
  readonly database: string;
  /** Event types that have tables. */
  readonly types: () => readonly string[];
  readonly aggregates: readonly AggregateDefinition[];
}

const asJson = { output_format_json_quote_64bit_integers: 1, date_time_output_format: 'iso' };

export function shownTablesIn({ client, database, types, aggregates }: ShownTablesOptions): ShownTables {
  async function read<R>(query: string, params: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<R[]> {
    try {
      return await client().read<R>(query, { params, settings: asJson, signal });
    } catch (cause) {
      throw sinkError(cause, 'reading the tables');
    }
  }

  return {
    hasEvents: async signal =>
      (await read(`SELECT 1 AS one FROM ${everyTypeOf(database, types())} LIMIT 1`, {}, signal)).length > 0,

    rejections: (asked, signal) =>
      read<RejectionGroup>(
        `SELECT type, reason, path, source, toFloat64(sum(rejected)) AS rejected,
           toFloat64(toUnixTimestamp64Milli(min(timestamp))) AS firstAtMs,
           toFloat64(toUnixTimestamp64Milli(max(timestamp))) AS lastAtMs, argMax(example, timestamp) AS example
         FROM ${tableName(database, 'rejections')} WHERE timestamp >= now64(3) - toIntervalHour({hours:UInt32})
         GROUP BY type, reason, path, source ORDER BY rejected DESC, type, reason, path, source LIMIT {limit:UInt32}`,
        asked,
        signal,
      ),

    async aggregate(name, asked, signal) {
      const { key, columns } = aggregates.find(one => one.name === name) ?? unknown(name);
      const [when] = key;
      const names = columns.map(column => column.name).join(', ');
      const rows = await read<Row>(
        `SELECT ${names} FROM ${tableName(database, name)} WHERE ${when} >= today() - {days:UInt32}
         ORDER BY ${key.map((column, at) => (at === 0 ? `${column} DESC` : column)).join(', ')} LIMIT {limit:UInt32}`,
        asked,
        signal,
      );
      return rows.reverse();
    },
  };
}

function unknown(name: string): never {
  throw new Error(`there is no aggregate ${name}`);
}
