// Everything of a kind, and everything of a person, in chunks. A chunk is a question of its own: no transaction stays open
// while it is looked at, and writers are not kept from folding their log.

import type { SQLQueryBindings } from 'bun:sqlite';
import type { PersonRow, StateRow } from '../../ports/content.ts';

/** Rejects as the port says. */
export type Ask = <Row>(sql: string, params: readonly SQLQueryBindings[]) => readonly Row[];

const chunkRows = 1_000;

interface RawStateRow {
  readonly user_id: string;
  readonly film_id: string;
  readonly id: string;
  readonly value: number;
  readonly revision: number;
}

const stateSql = {
  likes: `SELECT user_id, film_id, '' AS id, vote AS value, revision FROM likes
    WHERE vote <> 0 AND (user_id, film_id) > (?1, ?2) AND ?3 = ?3 ORDER BY user_id, film_id LIMIT ?4`,
  bookmarks: `SELECT user_id, film_id, '' AS id, 1 AS value, revision FROM bookmarks
    WHERE is_set = 1 AND (user_id, film_id) > (?1, ?2) AND ?3 = ?3 ORDER BY user_id, film_id LIMIT ?4`,
  reviews: `SELECT user_id, film_id, id, rating AS value, revision FROM reviews
    WHERE is_deleted = 0 AND (user_id, film_id, id) > (?1, ?2, ?3) ORDER BY user_id, film_id, id LIMIT ?4`,
} as const;

export async function* statesOf(ask: Ask, kind: keyof typeof stateSql): AsyncGenerator<readonly StateRow[]> {
  let after: readonly [string, string, string] = ['', '', ''];
  for (;;) {
    const rows = ask<RawStateRow>(stateSql[kind], [...after, chunkRows]);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ user_id, film_id, id, value, revision }) => ({
      ...{ userId: user_id === '' ? null : user_id, filmId: film_id, id, value, revision },
    }));
    if (rows.length < chunkRows) return;
    after = [last.user_id, last.film_id, last.id];
  }
}

/** By kind, what it is asked by in its table, and what is told. */
const personSql = {
  like: `SELECT film_id AS at, film_id, vote AS value, at_ms FROM likes WHERE user_id = ? AND vote <> 0
    AND film_id > ? ORDER BY film_id LIMIT ?`,
  review: `SELECT id AS at, id AS review_id, film_id, rating, text, state, created_at_ms, edited_at_ms FROM reviews
    WHERE user_id = ? AND is_deleted = 0 AND id > ? ORDER BY id LIMIT ?`,
  review_like: `SELECT l.review_id AS at, l.review_id, l.vote AS value, l.at_ms FROM review_likes l
    JOIN reviews r ON r.id = l.review_id AND r.is_deleted = 0
    WHERE l.user_id = ? AND l.vote <> 0 AND l.review_id > ? ORDER BY l.review_id LIMIT ?`,
  bookmark: `SELECT film_id AS at, film_id, at_ms FROM bookmarks WHERE user_id = ? AND is_set = 1
    AND film_id > ? ORDER BY film_id LIMIT ?`,
  viewing: `SELECT film_id AS at, film_id, position, duration, furthest, at_ms, first_at_ms, watched_at_ms FROM viewings
    WHERE user_id = ? AND at_ms >= 0 AND film_id > ? ORDER BY film_id LIMIT ?`,
} as const satisfies Record<PersonRow['kind'], string>;

export async function* personRows(ask: Ask, userId: string): AsyncGenerator<readonly PersonRow[]> {
  for (const [kind, sql] of Object.entries(personSql) as [PersonRow['kind'], string][]) {
    let after = '';
    for (;;) {
      const rows = ask<{ at: string; [field: string]: string | number | null }>(sql, [userId, after, chunkRows]);
      if (rows.length > 0) yield rows.map(({ at: _, ...fields }) => ({ kind, ...fields }));
      if (rows.length < chunkRows) break;
      after = rows.at(-1)?.at ?? '';
    }
  }
}
