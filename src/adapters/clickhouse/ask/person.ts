// What the tables hold of a person. Which tables that are, the database says and not the catalogue: types of earlier
// versions count as well.
//
// - A row is of the person when its user_id or previous_id is one of theirs, or its anonymous_id is and nobody is its
//   user: on a device that several share the rows of another user stay the other's.
// - Statements name the hash of an id, never the id: query logs and the list of mutations outlive what was deleted.
// - Dead letters are bytes. An id of 16 characters or more is looked for anywhere in them; a shorter one may be a word of
//   anybody's, and counts only as the value of a field that names a person.

import { createHash } from 'node:crypto';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { deadLettersTable, tableName } from '../schema/tables.ts';
import { quoteName, quoteText } from '../sql.ts';

export interface PersonIds {
  readonly users: readonly string[];
  /** Of devices and visitors. */
  readonly visitors: readonly string[];
}

/** An event type's rows that can hold a person. */
export interface PersonTable {
  readonly type: string;
  /** Of those that name a person, the ones there are. */
  readonly columns: readonly string[];
}

export interface HeldRows {
  /** As readers count them. */
  readonly rows: number;
  /** Physically, repetitions included. */
  readonly copies: number;
}

/** The key of a dead letter. */
export interface LetterKey {
  readonly topic: string;
  readonly partition: number;
  /** Digits. */
  readonly position: string;
  readonly index: number;
  readonly log: string;
}

/** Everything rejects with the sink's errors. */
export interface PersonTables {
  tables(): Promise<readonly PersonTable[]>;
  held(table: PersonTable): Promise<HeldRows>;
  /** event_ids of the rows as readers see them, the oldest first. */
  ids(table: PersonTable): Promise<readonly string[]>;
  /**
   * Events that readers see as the person's, of which an older or a newer copy is another's: without the one the other
   * would be seen.
   */
  mixed(table: PersonTable): Promise<readonly string[]>;
  /** The rows with these event_ids, as readers see them; numbers of 64 bits as text. */
  rows(table: PersonTable, ids: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  letters(): Promise<readonly LetterKey[]>;
  /** Ids of visitors and earlier ids that stand beside the person's, some of them. */
  alsoKnownAs(table: PersonTable): Promise<readonly string[]>;
}

const userColumns = ['user_id', 'previous_id'];
const visitorColumn = 'anonymous_id';
/** In one query, well below ClickHouse's max_query_size. */
const idsMax = 1_000;
const knownMax = 100;

export function personIn(client: ClickhouseClient, database: string, person: PersonIds): PersonTables {
  const exact = ({ type }: PersonTable): string => tableName(database, type);
  const stored = ({ type }: PersonTable): string => tableName(database, `${type}_rows`);

  async function read<Row>(query: string, asking: Parameters<ClickhouseClient['read']>[1] = {}): Promise<Row[]> {
    try {
      return await client.read<Row>(query, asking);
    } catch (cause) {
      throw sinkError(cause, 'looking for a person');
    }
  }

  const idsOf = async (query: string): Promise<readonly string[]> =>
    (await read<{ id: string }>(query)).map(({ id }) => id);

  return {
    async tables() {
      const names = [...userColumns, visitorColumn].map(quoteText).join(', ');
      const found = await read<{ rows: string; columns: string[] }>(
        `SELECT table AS rows, groupArray(name) AS columns FROM system.columns
         WHERE database = ${quoteText(database)} AND endsWith(table, '_rows') AND name IN (${names})
           AND table IN (SELECT concat(name, '_rows') FROM system.tables WHERE database = ${quoteText(database)})
         GROUP BY table ORDER BY table`,
      );
      return found.map(({ rows, columns }) => ({ type: rows.replace(/_rows$/, ''), columns }));
    },

    async held(table) {
      const where = personSql(table, person);
      const [seen] = await read<{ n: number }>(
        `SELECT toUInt32(count()) AS n FROM ${stored(table)} FINAL WHERE ${where}`,
      );
      const [all] = await read<{ n: number }>(`SELECT toUInt32(count()) AS n FROM ${stored(table)} WHERE ${where}`);
      return { rows: Number(seen?.n ?? 0), copies: Number(all?.n ?? 0) };
    },

    ids: table =>
      idsOf(
        `SELECT toString(event_id) AS id FROM ${stored(table)} FINAL WHERE ${personSql(table, person)}
         ORDER BY received_at, UUIDToNum(event_id)`,
      ),

    mixed: table =>
      idsOf(
        `SELECT DISTINCT toString(event_id) AS id FROM ${stored(table)}
         WHERE NOT (${personSql(table, person)}) AND event_id GLOBAL IN
           (SELECT event_id FROM ${stored(table)} FINAL WHERE ${personSql(table, person)})`,
      ),

    async rows(table, ids) {
      const found: Record<string, unknown>[] = [];
      for (let at = 0; at < ids.length; at += idsMax)
        found.push(
          ...(await read<Record<string, unknown>>(
            `SELECT * FROM ${exact(table)} WHERE event_id IN (${listOf(ids.slice(at, at + idsMax))})
             ORDER BY received_at, UUIDToNum(event_id)`,
            { settings: { output_format_json_quote_64bit_integers: 1, date_time_output_format: 'iso' } },
          )),
        );
      return found;
    },

    letters: () => {
      const { sql, params } = letterCondition(person);
      return read<LetterKey>(
        `SELECT DISTINCT topic, partition, toString(letters.position) AS position, index, log
         FROM ${tableName(database, deadLettersTable)} AS letters WHERE ${sql}
         ORDER BY topic, partition, letters.position, index, log`,
        { params },
      );
    },

    async alsoKnownAs(table) {
      const others = [visitorColumn, 'previous_id'].filter(column => table.columns.includes(column));
      if (others.length === 0) return [];
      const values = others.map(column => `ifNull(toString(${column}), '')`).join(', ');
      const known = await idsOf(
        `SELECT DISTINCT arrayJoin([${values}]) AS id FROM ${stored(table)} FINAL WHERE ${personSql(table, person)}
         LIMIT ${knownMax}`,
      );
      const asked = new Set(['', ...person.users, ...person.visitors]);
      return known.filter(id => !asked.has(id));
    },
  };
}

export const listOf = (ids: readonly string[]): string => ids.map(quoteText).join(', ');

/** True of a row of the person; never null. */
export function personSql({ columns }: PersonTable, { users, visitors }: PersonIds): string {
  const hasUser = columns.includes('user_id');
  const terms = userColumns
    .filter(column => columns.includes(column) && users.length > 0)
    .map(column => isOneOf(column, users));
  if (columns.includes(visitorColumn) && visitors.length > 0)
    terms.push(`(${isOneOf(visitorColumn, visitors)}${hasUser ? ` AND ifNull(toString(user_id), '') = ''` : ''})`);
  return terms.length === 0 ? '0' : terms.join(' OR ');
}

const isOneOf = (column: string, ids: readonly string[]): string =>
  `SHA256(ifNull(toString(${quoteName(column)}), '')) IN (${ids.map(id => `unhex('${hashOf(id)}')`).join(', ')})`;

/** SHA-256, hexadecimal. */
export const hashOf = (id: string): string => createHash('sha256').update(id).digest('hex');

const anywhereFrom = 16;
const personFields = 'user_?id|anonymous_?id|previous_?id';

/** The ids travel as parameters: a search in bytes needs them, and parameters are in no query's text. */
function letterCondition({ users, visitors }: PersonIds) {
  const ids = [...users, ...visitors];
  const spellings = (id: string): string[] => [...new Set([id, JSON.stringify(id).slice(1, -1)])];
  const long = ids.filter(({ length }) => length >= anywhereFrom).flatMap(spellings);
  const short = ids.filter(({ length }) => length < anywhereFrom).flatMap(spellings);
  const pattern = `(?i:"(?:${personFields})")\\s*:\\s*(?:"(?:${short.map(quoteRe).join('|')})"|(?:${short.map(quoteRe).join('|')})\\s*[,}])`;
  const terms = [
    long.length === 0 ? '0' : long.map((_, at) => `position(raw, {long${at}:String}) > 0`).join(' OR '),
    short.length === 0 ? '0' : 'match(raw, {short:String})',
  ];
  const params = {
    ...Object.fromEntries(long.map((id, at) => [`long${at}`, id])),
    ...(short.length > 0 && { short: pattern }),
  };
  return { sql: terms.join(' OR '), params };
}

const quoteRe = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
