// The statements, each giving one JSON value. Parameters are given as text and cast here, so that no driver guesses.

import type { ReviewOrder, ReviewQuery, ViewingRules } from '../../ports/content.ts';
import type { Param } from './client.ts';

export interface Statement {
  readonly sql: string;
  readonly params: readonly Param[];
}

type ParamType = 'text' | 'integer' | 'bigint' | 'boolean' | 'float8' | 'json';

const cast = (types: readonly ParamType[]): string => types.map((type, at) => `$${at + 1}::text::${type}`).join();

const call = (name: string, ...types: readonly ParamType[]): string => `SELECT ${name}(${cast(types)})::text AS answer`;

const change = ['text', 'bigint', 'text'] as const;

/** Those that change something: functions of the schema (migrations/002-changes.sql). */
export const changes = {
  vote: call('content_vote', 'text', 'integer', ...change),
  bookmark: call('content_bookmark', 'text', 'boolean', ...change),
  postReview: call('content_post_review', 'text', 'text', 'integer', 'text', 'text', ...change),
  changeReview: call('content_change_review', 'text', 'text', 'integer', 'text', 'text', 'bigint', ...change),
  voteReview: call('content_vote_review', 'text', 'integer', ...change),
  savePlace: call('content_save_place', 'text', 'float8', 'float8', 'float8', ...change),
  removePlace: call('content_remove_place', 'text', ...change),
  mergeViewings: call('content_merge_viewings', 'json'),
  claim: call('content_claim', 'text', 'text', 'text', 'bigint'),
  settle: `WITH done AS (UPDATE content_claims SET answer = $3::text WHERE user_id = $1::text AND key = $2::text)
    SELECT 'null' AS answer`,
  forget: call('content_forget', 'text', 'boolean'),
  fold: call('content_fold', 'integer'),
} as const;

/** Rows as one JSON array, in the order of `sql`. */
export const rowsOf = (sql: string): string => `SELECT coalesce(json_agg(t), '[]')::text AS answer FROM (${sql}) t`;

export const reads = {
  voteOf: `SELECT vote::text AS answer FROM content_likes WHERE film_id = $1::text AND user_id = $2::text`,
  // One snapshot: what is folded meanwhile is in the one or in the other.
  counts: `SELECT json_build_object('likes', sum(likes), 'dislikes', sum(dislikes), 'reviews', sum(reviews),
      'ratingSum', sum(rating_sum), 'bookmarks', sum(bookmarks))::text AS answer
    FROM (SELECT likes, dislikes, reviews, rating_sum, bookmarks FROM content_films WHERE film_id = $1::text
      UNION ALL SELECT likes, dislikes, reviews, rating_sum, bookmarks FROM content_deltas WHERE film_id = $1::text) t`,
  /** Of films as a JSON array, in its order: an array of what `counts` gives. */
  countsOfMany: `SELECT json_agg(json_build_object('likes', likes, 'dislikes', dislikes, 'reviews', reviews,
      'ratingSum', rating_sum, 'bookmarks', bookmarks) ORDER BY place)::text AS answer
    FROM (SELECT place, sum(likes) AS likes, sum(dislikes) AS dislikes, sum(reviews) AS reviews,
        sum(rating_sum) AS rating_sum, sum(bookmarks) AS bookmarks
      FROM json_array_elements_text($1::text::json) WITH ORDINALITY AS asked (id, place)
      LEFT JOIN LATERAL (
        SELECT likes, dislikes, reviews, rating_sum, bookmarks FROM content_films WHERE film_id = asked.id
        UNION ALL SELECT likes, dislikes, reviews, rating_sum, bookmarks FROM content_deltas WHERE film_id = asked.id
      ) f ON true GROUP BY place) t`,
  isBookmarked: `SELECT is_set::text AS answer FROM content_bookmarks WHERE film_id = $1::text AND user_id = $2::text`,
  bookmarks: rowsOf(`SELECT film_id AS "filmId", at_ms AS "atMs" FROM content_bookmarks
    WHERE user_id = $1::text AND is_set AND (at_ms, film_id) < ($2::text::bigint, $3::text)
    ORDER BY at_ms DESC, film_id DESC LIMIT $4::text::integer`),
  review: `SELECT content_review_json(r)::text AS answer FROM content_reviews r WHERE id = $1::text AND NOT is_deleted`,
  reviewVoteOf: `SELECT l.vote::text AS answer FROM content_review_likes l
    JOIN content_reviews r ON r.id = l.review_id AND NOT r.is_deleted
    WHERE l.review_id = $1::text AND l.user_id = $2::text`,
  place: `SELECT content_place_json(v)::text AS answer FROM content_viewings v
    WHERE film_id = $1::text AND user_id = $2::text AND at_ms >= 0`,
  outbox: `SELECT json_build_object('events', (SELECT count(*) FROM content_outbox),
    'oldestAtMs', (SELECT at_ms FROM content_outbox ORDER BY sequence LIMIT 1))::text AS answer`,
} as const;

const share = `CASE WHEN position IS NULL OR coalesce(duration, 0) <= 0 THEN 0 ELSE least(1, position / duration) END`;

/** By user, time and film of the last one before, and how many. */
export function places({ seenSeconds, seenShare, watchedShare }: ViewingRules, isResumable: boolean): string {
  // Numbers of the settings.
  const which = isResumable
    ? `position IS NOT NULL AND (position >= ${seenSeconds} OR ${share} >= ${seenShare}) AND ${share} < ${watchedShare}`
    : `(watched_at_ms IS NOT NULL OR furthest >= ${seenShare}
        OR greatest(coalesce(position, 0), furthest * coalesce(duration, 0)) >= ${seenSeconds})`;
  return `SELECT coalesce(json_agg(content_place_json(ROW(v.*)::content_viewings)), '[]')::text AS answer FROM (SELECT * FROM content_viewings
    WHERE user_id = $1::text AND at_ms >= 0 AND (at_ms, film_id) < ($2::text::bigint, $3::text) AND ${which}
    ORDER BY at_ms DESC, film_id DESC LIMIT $4::text::integer) v`;
}

const rankOf: Readonly<Record<ReviewOrder, string>> = {
  newest: 'created_at_ms',
  oldest: 'created_at_ms',
  highest: 'rating',
  lowest: 'rating',
  useful: '(likes - dislikes)',
};

export function reviewPage({ filmId, userId, states, order, after, countMax }: ReviewQuery): Statement {
  const direction = order === 'oldest' || order === 'lowest' ? 'ASC' : 'DESC';
  const params: Param[] = [];
  const param = (value: Param, type: ParamType): string => `$${params.push(value)}::text::${type}`;
  const conditions = ['NOT is_deleted', `state IN (${['', ...states].map(state => param(state, 'text')).join()})`];
  if (filmId !== undefined) conditions.push(`film_id = ${param(filmId, 'text')}`);
  if (userId !== undefined) conditions.push(`user_id = ${param(userId, 'text')} AND user_id <> ''`);
  if (after !== null) {
    const sign = direction === 'ASC' ? '>' : '<';
    conditions.push(`(${rankOf[order]}, id) ${sign} (${param(after.value, 'bigint')}, ${param(after.id, 'text')})`);
  }
  const sql = `SELECT coalesce(json_agg(content_review_json(ROW(r.*)::content_reviews)), '[]')::text AS answer
    FROM (SELECT * FROM content_reviews WHERE ${conditions.join(' AND ')}
      ORDER BY ${rankOf[order]} ${direction}, id ${direction} LIMIT ${param(countMax, 'integer')}) r`;
  return { sql, params };
}
