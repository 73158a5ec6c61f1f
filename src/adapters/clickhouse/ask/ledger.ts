// What the ledger and the tables say of each other, type by type and minute by minute; the counting is ClickHouse's.

import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { tableName } from '../schema/tables.ts';
import { everyTypeOf } from './event-tables.ts';

/** Of entries that no ingest instance wrote: what `ugc forget` has deleted. They have no numbers. */
export const noInstance = '00000000-0000-0000-0000-000000000000';

/** From and to, exclusive, whole minutes since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface LedgerMinute {
  readonly type: string;
  readonly minute: number;
  /** Events answered `accepted`, a repeated one as often as it was. */
  readonly accepted: number;
}

/** One minute of one type. */
export interface Tally {
  readonly minute: number;
  readonly accepted: number;
  /** Of the accepted, those that are the row that was received in this minute. */
  readonly counted: number;
  /** Distinct events accepted first in this minute that have no row at all. */
  readonly absent: number;
  readonly absentIds: readonly string[];
  /** Rows received in this minute. */
  readonly rows: number;
  /** Of the rows, those whose sender was told of a failure. */
  readonly unsure: number;
}

export interface LedgerInstance {
  readonly instance: string;
  readonly entries: number;
  /** The highest number of an entry. */
  readonly sequence: number;
  /** It has stopped, and written that it did. */
  readonly isClosed: boolean;
}

/** Everything rejects with the sink's errors. */
export interface LedgerBook {
  minutes(span: Span): Promise<readonly LedgerMinute[]>;
  /** Which of these have rows that were received in the span. */
  received(types: readonly string[], span: Span): Promise<readonly string[]>;
  /** Events of each type that rules dropped or diverted, as often as they were. */
  ruled(span: Span): Promise<readonly { readonly type: string; readonly events: number }[]>;
  /** Only minutes in which something was accepted or received. */
  tallies(type: string, span: Span): Promise<readonly Tally[]>;
  /** Those that wrote an entry of a minute in the span. */
  instances(span: Span): Promise<readonly LedgerInstance[]>;
}

export function ledgerIn(client: ClickhouseClient, database: string): LedgerBook {
  const ledger = tableName(database, 'ledger');
  const inSpan = (column: string): string =>
    `${column} >= fromUnixTimestamp64Milli({from:Int64} * 60000, 'UTC') AND ${column} < fromUnixTimestamp64Milli({to:Int64} * 60000, 'UTC')`;
  const minuteOf = (column: string): string => `toUInt32(intDiv(toUnixTimestamp64Milli(${column}), 60000))`;

  async function read<Row>(query: string, params: Record<string, unknown>): Promise<Row[]> {
    try {
      return await client.read<Row>(query, { params });
    } catch (cause) {
      throw sinkError(cause, 'reading the ledger');
    }
  }

  /** Without what was deleted with the data of a person: as if it had never been accepted. */
  const pairs = (column: 'ids' | 'unsure'): string =>
    `SELECT id, minute FROM (
       SELECT arrayJoin(${column}) AS id, ${minuteOf('timestamp')} AS minute FROM ${ledger} WHERE type = {type:String} AND ${inSpan('timestamp')}
     ) WHERE id GLOBAL NOT IN (SELECT arrayJoin(forgotten) FROM ${ledger} WHERE type = {type:String})`;

  return {
    minutes: span =>
      read<LedgerMinute>(
        `SELECT type, ${minuteOf('timestamp')} AS minute, toUInt32(sum(length(ids))) AS accepted
         FROM ${ledger} WHERE type <> '' AND ${inSpan('timestamp')} GROUP BY type, minute ORDER BY type, minute`,
        { ...span },
      ),

    ruled: span =>
      read<{ type: string; events: number }>(
        `SELECT type, toUInt32(sum(length(ruled))) AS events FROM ${ledger}
         WHERE notEmpty(ruled) AND ${inSpan('timestamp')} GROUP BY type ORDER BY type`,
        { ...span },
      ),

    async received(types, span) {
      const rows = await read<{ type: string }>(
        `SELECT DISTINCT toString(event_type) AS type FROM ${everyTypeOf(database, types)} WHERE ${inSpan('received_at')}`,
        { ...span },
      );
      return rows.map(({ type }) => type);
    },

    async tallies(type, span) {
      const table = tableName(database, type);
      const params = { ...span, type };
      const taken = await read<Omit<Tally, 'rows' | 'unsure'>>(
        `SELECT minute, toUInt32(sum(times)) AS accepted, toUInt32(countIf(at = minute)) AS counted,
           toUInt32(countIf(isNull(at) AND minute = first)) AS absent,
           groupArrayIf(toString(id), isNull(at) AND minute = first) AS absentIds
         FROM (
           SELECT id, minute, count() AS times, min(minute) OVER (PARTITION BY id) AS first
           FROM (${pairs('ids')}) GROUP BY id, minute
         ) AS taken
         LEFT JOIN (
           SELECT event_id, toNullable(${minuteOf('received_at')}) AS at FROM ${table}
           WHERE event_id IN (SELECT id FROM (${pairs('ids')}))
         ) AS there ON there.event_id = taken.id
         GROUP BY minute`,
        params,
      );
      const received = await read<Pick<Tally, 'minute' | 'rows' | 'unsure'>>(
        `SELECT ${minuteOf('received_at')} AS minute, toUInt32(count()) AS rows,
           toUInt32(countIf((event_id, minute) IN (${pairs('unsure')}) AND (event_id, minute) NOT IN (${pairs('ids')}))) AS unsure
         FROM ${table} WHERE ${inSpan('received_at')} GROUP BY minute`,
        params,
      );
      const nothing = { accepted: 0, counted: 0, absent: 0, absentIds: [], rows: 0, unsure: 0 };
      const tallies = new Map<number, Tally>();
      for (const found of [...taken, ...received])
        tallies.set(found.minute, { ...nothing, ...tallies.get(found.minute), ...found });
      return [...tallies.values()].toSorted((a, b) => a.minute - b.minute);
    },

    instances: span =>
      read<LedgerInstance>(
        `SELECT toString(instance) AS instance, toUInt32(count()) AS entries, toUInt32(max(sequence)) AS sequence,
           max(is_last) AS isClosed
         FROM ${ledger} WHERE toString(instance) <> '${noInstance}'
           AND instance IN (SELECT instance FROM ${ledger} WHERE ${inSpan('timestamp')})
         GROUP BY instance ORDER BY instance`,
        { ...span },
      ),
  };
}
