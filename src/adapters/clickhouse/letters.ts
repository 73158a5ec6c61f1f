// Dead letters for who looks after them: read in the order of where they came from, and marked once they became rows.

import type { DeadReason } from '../../errors.ts';
import type { DeadLetter } from '../../ports.ts';
import type { ClickhouseClient } from './client.ts';
import { sinkError } from './errors.ts';
import { deadLetterColumns, deadLettersTable, namesOf, tableName } from './tables.ts';

export interface FoundLetter extends DeadLetter {
  /** When it became a row after all, epoch milliseconds, or null. */
  readonly replayedAtMs: number | null;
}

/** Where a letter lies: what tells it from every other. */
export type LetterPlace = Pick<DeadLetter, 'topic' | 'partition' | 'position' | 'index'>;

export interface LetterFilter {
  readonly topic?: string | undefined;
  readonly reason?: string | undefined;
  /** Also those that became rows. */
  readonly all?: boolean | undefined;
  readonly place?: LetterPlace | undefined;
  /** Only those behind it. */
  readonly after?: LetterPlace | undefined;
  readonly limit: number;
}

/** Everything rejects with the sink's errors. */
export interface Letters {
  find(filter: LetterFilter): Promise<readonly FoundLetter[]>;
  /** How many there are that fit, whatever the limit. */
  count(filter: Omit<LetterFilter, 'limit'>): Promise<readonly { readonly reason: string; readonly letters: number }[]>;
  /** They became rows. Idempotent. */
  markReplayed(places: readonly LetterPlace[], atMs: number): Promise<void>;
}

export function lettersIn(client: ClickhouseClient, database: string): Letters {
  const view = tableName(database, 'dead_letters');
  const rows = tableName(database, deadLettersTable);

  async function read<Row>(query: string, query_params: Record<string, unknown>): Promise<Row[]> {
    try {
      return await (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();
    } catch (cause) {
      throw sinkError(cause, 'reading dead letters');
    }
  }

  return {
    find: async filter => {
      const { where, params } = conditionOf(filter);
      const found = await read<Found>(
        `SELECT topic, partition, toString(position) AS position, index, reason, detail, base64Encode(raw) AS raw,
           toString(toUnixTimestamp64Milli(recorded_at)) AS recorded, toString(toUnixTimestamp64Milli(failed_at)) AS failed,
           toString(toUnixTimestamp64Milli(replayed_at)) AS replayed
         FROM ${view} WHERE ${where} ORDER BY topic, partition, dead_letters.position, index LIMIT {limit:UInt32}`,
        { ...params, limit: filter.limit },
      );
      return found.map(({ recorded, failed, replayed, position, raw, ...rest }) => ({
        ...rest,
        position: Number(position),
        raw: Buffer.from(raw, 'base64'),
        atMs: Number(recorded),
        failedAtMs: Number(failed),
        replayedAtMs: replayed === null ? null : Number(replayed),
      }));
    },
    count: async filter => {
      const { where, params } = conditionOf(filter);
      return read(
        `SELECT reason, toUInt32(count()) AS letters FROM ${view} WHERE ${where} GROUP BY reason ORDER BY letters DESC, reason`,
        params,
      );
    },
    markReplayed: async (places, atMs) => {
      if (places.length === 0) return;
      const columns = namesOf(deadLetterColumns);
      const given = places.map(({ topic, partition, position, index }) => [topic, partition, String(position), index]);
      const query = `INSERT INTO ${rows} (${columns}, replayed_at)
         SELECT ${columns}, fromUnixTimestamp64Milli({at:Int64}, 'UTC') FROM ${rows} FINAL
         WHERE (topic, partition, position, index) IN (
           SELECT (t.1, toUInt32(t.2), toUInt64(t.3), toUInt32(t.4))
           FROM (SELECT arrayJoin(JSONExtract({places:String}, 'Array(Tuple(String, UInt32, String, UInt32))')) AS t))`;
      try {
        await client.command({ query, query_params: { at: String(atMs), places: JSON.stringify(given) } });
      } catch (cause) {
        throw sinkError(cause, `marking ${places.length} dead letters as replayed`);
      }
    },
  };
}

interface Found extends LetterPlaceText {
  readonly reason: DeadReason;
  readonly detail: string;
  readonly raw: string;
  readonly recorded: string;
  readonly failed: string;
  readonly replayed: string | null;
}

interface LetterPlaceText {
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly index: number;
}

function conditionOf({ topic, reason, all, place, after }: Omit<LetterFilter, 'limit'>) {
  const params: Record<string, unknown> = {};
  const conditions = ['1'];
  if (all !== true) conditions.push('replayed_at IS NULL');
  const add = (condition: string, values: Record<string, unknown>): void => {
    conditions.push(condition);
    Object.assign(params, values);
  };
  const tuple = (name: string) =>
    `({${name}_topic:String}, {${name}_partition:UInt32}, {${name}_position:UInt64}, {${name}_index:UInt32})`;
  const valuesOf = (name: string, at: LetterPlace) => ({
    [`${name}_topic`]: at.topic,
    [`${name}_partition`]: at.partition,
    [`${name}_position`]: String(at.position),
    [`${name}_index`]: at.index,
  });
  const key = '(topic, partition, dead_letters.position, index)';
  if (topic !== undefined) add('topic = {topic:String}', { topic });
  if (reason !== undefined) add('reason = {reason:String}', { reason });
  if (place !== undefined) add(`${key} = ${tuple('place')}`, valuesOf('place', place));
  if (after !== undefined) add(`${key} > ${tuple('after')}`, valuesOf('after', after));
  return { where: conditions.join(' AND '), params };
}
