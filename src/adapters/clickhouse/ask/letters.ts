// Dead letters for who looks after them: read in the order of where they came from, and marked once they became rows or
// were given up. A mark is the letter once more with the mark set; which letters it is on is ClickHouse's to find.

import type { DeadReason } from '../../../errors.ts';
import type { LetterPlace, LetterSelection, LetterState, Letters } from '../../../ports/letters.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { deadLetterColumns, deadLettersTable, namesOf, tableName } from '../schema/tables.ts';

export function lettersIn(client: ClickhouseClient, database: string): Letters {
  const view = tableName(database, 'dead_letters');
  const rows = tableName(database, deadLettersTable);

  async function read<Row>(query: string, params: Record<string, unknown>): Promise<Row[]> {
    try {
      return await client.read<Row>(query, { params });
    } catch (cause) {
      throw sinkError(cause, 'reading dead letters');
    }
  }

  return {
    find: async filter => {
      const { rawBytesMax } = filter;
      const { where, params } = conditionOf(filter);
      const found = await read<Found>(
        `SELECT topic, partition, toString(position) AS position, index, log, reason, detail,
           base64Encode(${rawBytesMax === undefined ? 'raw' : 'substring(raw, 1, {rawBytes:UInt32})'}) AS raw,
           toString(toUnixTimestamp64Milli(recorded_at)) AS recorded, toString(toUnixTimestamp64Milli(failed_at)) AS failed,
           toString(toUnixTimestamp64Milli(replayed_at)) AS replayed,
           toString(toUnixTimestamp64Milli(dismissed_at)) AS dismissed, dismissed_why AS dismissedWhy
         FROM ${view} WHERE ${where} ORDER BY topic, partition, dead_letters.position, index, log LIMIT {limit:UInt32}`,
        { ...params, limit: filter.limit, ...(rawBytesMax !== undefined && { rawBytes: rawBytesMax }) },
      );
      return found.map(({ recorded, failed, replayed, dismissed, position, raw, ...rest }) => ({
        ...rest,
        position: Number(position),
        raw: Buffer.from(raw, 'base64'),
        atMs: Number(recorded),
        failedAtMs: Number(failed),
        replayedAtMs: replayed === null ? null : Number(replayed),
        dismissedAtMs: dismissed === null ? null : Number(dismissed),
      }));
    },
    count: async filter => {
      const { where, params } = conditionOf(filter);
      return read(
        `SELECT reason, toUInt32(count()) AS letters FROM ${view} WHERE ${where} GROUP BY reason ORDER BY letters DESC, reason`,
        params,
      );
    },
    countByTopic: async filter => {
      const { where, params } = conditionOf(filter);
      return read(
        `SELECT topic, reason, toUInt32(count()) AS letters FROM ${view} WHERE ${where}
         GROUP BY topic, reason ORDER BY letters DESC, topic, reason`,
        params,
      );
    },
    markReplayed: async (places, atMs) => {
      if (places.length === 0) return;
      await mark({ places, state: 'any' }, { replayed_at: at, ...kept('dismissed_at', 'dismissed_why') }, { at: atMs });
    },
    dismiss: (filter, { atMs, why }) =>
      mark(
        { ...filter, state: 'open' },
        { dismissed_at: at, dismissed_why: '{why:String}', ...kept('replayed_at') },
        { at: atMs, why },
      ),
    reopen: filter =>
      mark(
        { ...filter, state: 'dismissed' },
        { dismissed_at: 'NULL', dismissed_why: "''", ...kept('replayed_at') },
        {},
      ),
  };

  /** `marks`: each mark's column and its new value, in SQL. */
  async function mark(
    filter: LetterSelection,
    marks: Readonly<Record<string, string>>,
    values: { readonly at?: number; readonly why?: string },
  ): Promise<void> {
    const { where, params } = conditionOf(filter);
    const columns = namesOf(deadLetterColumns);
    const query = `INSERT INTO ${rows} (${columns}, ${Object.keys(marks).join(', ')})
       SELECT ${columns}, ${Object.values(marks).join(', ')} FROM ${rows} AS dead_letters FINAL WHERE ${where}`;
    try {
      await client.run(query, {
        params: { ...params, ...values },
        settings: { min_insert_block_size_bytes: blockBytes }, // letters may be megabytes
      });
    } catch (cause) {
      throw sinkError(cause, 'marking dead letters');
    }
  }
}

const at = "fromUnixTimestamp64Milli({at:Int64}, 'UTC')";
const kept = (...columns: readonly string[]): Record<string, string> =>
  Object.fromEntries(columns.map(column => [column, column]));
const blockBytes = String(16 * 2 ** 20);

interface Found extends LetterPlaceText {
  readonly reason: DeadReason;
  readonly detail: string;
  readonly raw: string;
  readonly recorded: string;
  readonly failed: string;
  readonly replayed: string | null;
  readonly dismissed: string | null;
  readonly dismissedWhy: string;
}

interface LetterPlaceText {
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly index: number;
  readonly log: string;
}

const states: Readonly<Record<LetterState, string>> = {
  open: 'replayed_at IS NULL AND dismissed_at IS NULL',
  dismissed: 'dismissed_at IS NOT NULL',
  any: '1',
};

function conditionOf({ topic, reason, beforeMs, state = 'open', places, after }: LetterSelection) {
  const params: Record<string, unknown> = {};
  const conditions = [states[state]];
  const add = (condition: string, values: Record<string, unknown>): void => {
    conditions.push(condition);
    Object.assign(params, values);
  };
  const key = '(topic, partition, dead_letters.position, index, log)';
  const valuesOf = (found: LetterPlace) =>
    [found.topic, found.partition, String(found.position), found.index, found.log] as const;
  if (topic !== undefined) add('topic = {topic:String}', { topic });
  if (reason !== undefined) add('reason = {reason:String}', { reason });
  if (beforeMs !== undefined)
    add("failed_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')", { before: String(beforeMs) });
  if (places !== undefined && places.length > 0)
    add(
      `${key} IN (SELECT (t.1, toUInt32(t.2), toUInt64(t.3), toUInt32(t.4), t.5)
         FROM (SELECT arrayJoin(JSONExtract({places:String}, 'Array(Tuple(String, UInt32, String, UInt32, String))')) AS t))`,
      { places: JSON.stringify(places.map(valuesOf)) },
    );
  if (after !== undefined) {
    const [afterTopic, afterPartition, afterPosition, afterIndex, afterLog] = valuesOf(after);
    add(
      `${key} > ({afterTopic:String}, {afterPartition:UInt32}, {afterPosition:UInt64}, {afterIndex:UInt32}, {afterLog:String})`,
      {
        afterTopic,
        afterPartition,
        afterPosition,
        afterIndex,
        afterLog,
      },
    );
  }
  return { where: conditions.join(' AND '), params };
}
