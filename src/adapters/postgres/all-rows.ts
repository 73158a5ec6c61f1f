// Everything of a kind, and everything of a person, in chunks, each a question of its own.

import type { PersonRow, StateRow } from '../../ports/content.ts';
import type { Param } from './client.ts';
import { rowsOf } from './statements.ts';

/** Rejects as the port says. */
export type Ask = <Answer>(sql: string, params: readonly Param[]) => Promise<Answer>;

const chunkRows = 1_000;
const limit = (at: number): string => `LIMIT $${at}::text::integer`;

const stateSql = {
  likes: rowsOf(`SELECT user_id AS "userId", film_id AS "filmId", '' AS id, vote AS value, revision FROM content_likes
    WHERE vote <> 0 AND (user_id, film_id) > ($1::text, $2::text) AND $3::text IS NOT NULL
    ORDER BY user_id, film_id ${limit(4)}`),
  bookmarks: rowsOf(`SELECT user_id AS "userId", film_id AS "filmId", '' AS id, 1 AS value, revision
    FROM content_bookmarks WHERE is_set AND (user_id, film_id) > ($1::text, $2::text) AND $3::text IS NOT NULL
    ORDER BY user_id, film_id ${limit(4)}`),
  reviews: rowsOf(`SELECT user_id AS "userId", film_id AS "filmId", id, rating AS value, revision FROM content_reviews
    WHERE NOT is_deleted AND (user_id, film_id, id) > ($1::text, $2::text, $3::text)
    ORDER BY user_id, film_id, id ${limit(4)}`),
} as const;

export async function* statesOf(ask: Ask, kind: keyof typeof stateSql): AsyncGenerator<readonly StateRow[]> {
  let after: readonly [string, string, string] = ['', '', ''];
  for (;;) {
    const rows = await ask<readonly (StateRow & { readonly userId: string })[]>(stateSql[kind], [...after, chunkRows]);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(row => (row.userId === '' ? { ...row, userId: null } : row));
    if (rows.length < chunkRows) return;
    after = [last.userId, last.filmId, last.id];
  }
}

const personSql = {
  like: `SELECT film_id AS at, film_id, vote AS value, at_ms FROM content_likes WHERE user_id = $1::text AND vote <> 0
    AND film_id > $2::text ORDER BY film_id`,
  review: `SELECT id AS at, id AS review_id, film_id, rating, text, state, created_at_ms, edited_at_ms
    FROM content_reviews WHERE user_id = $1::text AND NOT is_deleted AND id > $2::text ORDER BY id`,
  review_like: `SELECT l.review_id AS at, l.review_id, l.vote AS value, l.at_ms FROM content_review_likes l
    JOIN content_reviews r ON r.id = l.review_id AND NOT r.is_deleted
    WHERE l.user_id = $1::text AND l.vote <> 0 AND l.review_id > $2::text ORDER BY l.review_id`,
  bookmark: `SELECT film_id AS at, film_id, at_ms FROM content_bookmarks WHERE user_id = $1::text AND is_set
    AND film_id > $2::text ORDER BY film_id`,
  viewing: `SELECT film_id AS at, film_id, position, duration, furthest, at_ms, first_at_ms, watched_at_ms
    FROM content_viewings WHERE user_id = $1::text AND at_ms >= 0 AND film_id > $2::text ORDER BY film_id`,
} as const satisfies Record<PersonRow['kind'], string>;

type Told = Omit<PersonRow, 'kind'> & { readonly at: string };

export async function* personRows(ask: Ask, userId: string): AsyncGenerator<readonly PersonRow[]> {
  for (const [kind, sql] of Object.entries(personSql) as [PersonRow['kind'], string][]) {
    let after = '';
    for (;;) {
      const rows = await ask<readonly Told[]>(rowsOf(`${sql} ${limit(3)}`), [userId, after, chunkRows]);
      if (rows.length > 0) yield rows.map(({ at: _, ...fields }) => ({ kind, ...fields }));
      if (rows.length < chunkRows) break;
      after = rows.at(-1)?.at ?? '';
    }
  }
}
