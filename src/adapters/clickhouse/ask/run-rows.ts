// Rows of a run of `ugc load`: they are told from all others by how their ids begin, and each by the number its id ends with.

import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { tableName } from '../schema/tables.ts';

export interface RunRowsOptions {
  readonly client: ClickhouseClient;
  readonly database: string;
  readonly types: readonly string[];
  /** The first ten bytes of the ids, as hex. */
  readonly prefix: string;
  /** No row was received before, epoch milliseconds. */
  readonly sinceMs: number;
}

/** Both reject with the sink's errors. */
export interface RunRows {
  count(): Promise<number>;
  /** The numbers from `from` to `to`, exclusive, as often as they have a row. */
  serials(from: number, to: number): Promise<readonly number[]>;
}

export function runRows({ client, database, types, prefix, sinceMs }: RunRowsOptions): RunRows {
  const number = 'reinterpretAsUInt64(reverse(substring(UUIDToNum(event_id), 11, 6)))';
  const rows = types
    .map(
      type =>
        `SELECT toUInt32(${number}) AS serial FROM ${tableName(database, type)}
         WHERE received_at >= fromUnixTimestamp64Milli(toInt64(${sinceMs}))
           AND substring(UUIDToNum(event_id), 1, 10) = unhex('${prefix}')`,
    )
    .join(' UNION ALL ');
  const ask = async <Row>(query: string): Promise<Row[]> => {
    try {
      return await client.read<Row>(query);
    } catch (cause) {
      throw sinkError(cause, 'counting the rows of the run');
    }
  };
  return {
    async count() {
      const [counted] = await ask<{ n: string | number }>(`SELECT count() AS n FROM (${rows})`);
      return Number(counted?.n ?? 0);
    },
    async serials(from, to) {
      const [found] = await ask<{ all: readonly number[] }>(
        `SELECT groupArray(serial) AS all FROM (${rows}) WHERE serial >= ${from} AND serial < ${to}`,
      );
      return found?.all ?? [];
    },
  };
}
