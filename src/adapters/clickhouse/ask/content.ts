// What the exact tables say of content: where each user is in each film, and the last word on each like, bookmark and review.
// The counting is ClickHouse's; what is read at once is a part of it, by a hash of the key, so that nobody's memory is short.

import type { Viewing } from '../../../ports/content.ts';
import type { ClickhouseClient } from '../client.ts';
import { sinkError } from '../errors.ts';
import { tableName } from '../schema/tables.ts';

/** One part of `of`, by the CRC-32 of a key. */
export interface Part {
  readonly part: number;
  readonly of: number;
}

export type StateKind = 'likes' | 'bookmarks' | 'reviews';

/** The last event of a user and a film, or of a review. */
export interface LastWord {
  readonly userId: string;
  readonly filmId: string;
  /** Of a review; else ''. */
  readonly id: string;
  /** As StateRow has it; 0 = taken back. */
  readonly value: number;
  readonly revision: number;
}

/** Everything rejects with the sink's errors. */
export interface ContentTables {
  /** About how many users and films there are events of. */
  viewings(userId: string | null): Promise<number>;
  /** By the id of the user. What a user took from the history is not in it. */
  viewingsOf(part: Part, userId: string | null, watchedShare: number): Promise<readonly Viewing[]>;
  /** About how many there are, those taken back included. */
  states(kind: StateKind, source: string): Promise<number>;
  /** By the id of the user, of reviews by their own. Those of `source` that have a revision. */
  statesOf(kind: StateKind, part: Part, source: string): Promise<readonly LastWord[]>;
}

const atMs = 'toFloat64(toUnixTimestamp64Milli(least(timestamp, received_at)))';
const shareOf = 'if(duration > 0, position / duration, 0)';

/** Of what each table says: `position`, `duration`, `furthest`, under which name the film stands, and which rows count. */
const viewed = [
  { type: 'film_opened', film: 'video_id', position: 'position', furthest: shareOf, where: 'position > 0' },
  {
    type: 'film_progress',
    film: 'video_id',
    position: 'position',
    furthest: `greatest(share, ${shareOf})`,
    where: '1',
  },
  { type: 'film_closed', film: 'video_id', position: 'position', furthest: `greatest(share, ${shareOf})`, where: '1' },
  { type: 'film_watched', film: 'video_id', position: 'duration', furthest: '1', where: '1' },
  { type: 'progress_saved', film: 'film_id', position: 'position', furthest: shareOf, where: '1' },
] as const;

/** By kind: which types tell of it, and what each says the value is; null = it says none. */
const told: Readonly<Record<StateKind, Readonly<Record<string, string | null>>>> = {
  likes: { film_liked: 'value', film_unliked: '0' },
  bookmarks: { bookmark_added: '1', bookmark_removed: '0' },
  reviews: { review_posted: 'rating', review_edited: 'rating', review_moderated: null, review_deleted: '0' },
};

export function contentIn(client: ClickhouseClient, database: string): ContentTables {
  const table = (type: string): string => tableName(database, type);

  async function read<Row>(query: string, params: Readonly<Record<string, unknown>>): Promise<Row[]> {
    try {
      return await client.read<Row>(query, { params });
    } catch (cause) {
      throw sinkError(cause, 'reading the tables of content');
    }
  }

  const ofUser = (userId: string | null): string => (userId === null ? '' : ' AND user_id = {userId:String}');
  const inPart = (column: string): string => `CRC32(${column}) % {of:UInt32} = {part:UInt32}`;

  const viewedRows = (userId: string | null, also: string): string =>
    viewed
      .map(
        ({ type, film, position, furthest, where }) =>
          `SELECT assumeNotNull(user_id) AS user, ${film} AS film, ${atMs} AS at, toString(event_id) AS id,
             toFloat64(${position}) AS place, duration AS length, toFloat64(least(1, ${furthest})) AS far
           FROM ${table(type)} WHERE ifNull(user_id, '') <> '' AND ${where}${ofUser(userId)}${also}`,
      )
      .join(' UNION ALL ');

  const lastWords = (kind: StateKind): string => {
    const review = kind === 'reviews' ? 'toString(review_id)' : "''";
    return Object.entries(told[kind])
      .map(
        ([type, value]) =>
          `SELECT user_id AS user, film_id AS film, ${review} AS id, toInt32(${value ?? '0'}) AS said,
             ${value === null ? 'false' : 'true'} AS says, ${type === 'review_moderated' ? 'false' : 'true'} AS isAuthor,
             toFloat64(assumeNotNull(revision)) AS nth
           FROM ${table(type)} WHERE source = {source:String} AND isNotNull(revision)`,
      )
      .join(' UNION ALL ');
  };

  return {
    async viewings(userId) {
      const query = `SELECT toFloat64(uniq(user, film)) AS found FROM (${viewedRows(userId, '')})`;
      const [row] = await read<{ found: number }>(query, userId === null ? {} : { userId });
      return row?.found ?? 0;
    },

    viewingsOf: (part, userId, watchedShare) =>
      read<Viewing>(
        `SELECT user AS userId, film AS filmId, max(at) AS atMs, (argMax((id, place, length), (at, id)) AS last).1 AS eventId,
           last.2 AS position, last.3 AS duration, max(far) AS furthest, min(at) AS firstAtMs,
           if(countIf(far >= {watchedShare:Float64}) = 0, NULL, minIf(at, far >= {watchedShare:Float64})) AS watchedAtMs
         FROM (${viewedRows(userId, ` AND ${inPart('assumeNotNull(user_id)')}`)}) AS seen
         LEFT JOIN (
           SELECT user_id AS removedBy, film_id AS removed, max(${atMs}) AS removedAt
           FROM ${table('progress_removed')} WHERE ${inPart('user_id')}${ofUser(userId)} GROUP BY user_id, film_id
         ) AS gone ON gone.removedBy = seen.user AND gone.removed = seen.film
         WHERE at > removedAt
         GROUP BY user, film`,
        { ...part, watchedShare, ...(userId === null ? {} : { userId }) },
      ),

    async states(kind, source) {
      const key = kind === 'reviews' ? 'id' : 'user, film';
      const query = `SELECT toFloat64(uniq(${key})) AS found FROM (${lastWords(kind)})`;
      const [row] = await read<{ found: number }>(query, { source });
      return row?.found ?? 0;
    },

    statesOf: (kind, part, source) =>
      read<LastWord>(
        `SELECT argMinIf(user, nth, isAuthor) AS userId, any(film) AS filmId, id,
           if(argMax(said, nth) = 0 AND argMax(says, nth), 0, argMaxIf(said, nth, says)) AS value, max(nth) AS revision
         FROM (${lastWords(kind)}) WHERE ${inPart(kind === 'reviews' ? 'id' : 'user')}
         GROUP BY ${kind === 'reviews' ? 'id' : 'user, film, id'}`,
        { ...part, source },
      ),
  };
}
