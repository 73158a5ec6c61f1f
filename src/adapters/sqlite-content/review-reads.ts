// Reviews by id and by page. A page is asked for by what it is ordered by and the last id before it, so that it costs the
// same wherever it is.

import type { SQLQueryBindings } from 'bun:sqlite';
import type { Review, ReviewOrder, ReviewQuery, Vote } from '../../ports/content.ts';
import type { Connection, Prepared } from './file.ts';
import { type ReviewRow, reviewColumns, reviewOf } from './review-row.ts';

export interface ReviewReads {
  review(id: string): Review | null;
  reviews(query: ReviewQuery): readonly Review[];
  reviewVoteOf(id: string, userId: string): Vote;
}

const rankOf: Readonly<Record<ReviewOrder, string>> = {
  newest: 'created_at_ms',
  oldest: 'created_at_ms',
  highest: 'rating',
  lowest: 'rating',
  useful: '(likes - dislikes)',
};

export function reviewReads({ prepare }: Connection): ReviewReads {
  const byId = prepare<ReviewRow, [string]>(`SELECT ${reviewColumns} FROM reviews WHERE id = ? AND is_deleted = 0`);
  const vote = prepare<{ vote: Vote }, [string, string]>(
    `SELECT l.vote FROM review_likes l JOIN reviews r ON r.id = l.review_id AND r.is_deleted = 0
      WHERE l.review_id = ? AND l.user_id = ?`,
  );
  /** One statement a kind of question, made when it is first asked. */
  const pages = new Map<string, Prepared<ReviewRow, SQLQueryBindings[]>>();

  function page(sql: string): Prepared<ReviewRow, SQLQueryBindings[]> {
    const known = pages.get(sql) ?? prepare<ReviewRow, SQLQueryBindings[]>(sql);
    pages.set(sql, known);
    return known;
  }

  return {
    review: id => {
      const row = byId.get(id);
      return row && reviewOf(row);
    },
    reviews({ filmId, userId, states, order, after, countMax }) {
      const direction = order === 'oldest' || order === 'lowest' ? 'ASC' : 'DESC';
      const value = rankOf[order];
      const conditions = ['is_deleted = 0', `state IN (${states.map(() => '?').join()})`];
      const params: SQLQueryBindings[] = [...states];
      if (filmId !== undefined) {
        conditions.push('film_id = ?');
        params.push(filmId);
      }
      if (userId !== undefined) {
        conditions.push("user_id = ? AND user_id <> ''");
        params.push(userId);
      }
      if (after !== null) {
        conditions.push(`(${value}, id) ${direction === 'ASC' ? '>' : '<'} (?, ?)`);
        params.push(after.value, after.id);
      }
      const sql = `SELECT ${reviewColumns} FROM reviews WHERE ${conditions.join(' AND ')}
        ORDER BY ${value} ${direction}, id ${direction} LIMIT ?`;
      return page(sql)
        .all(...params, countMax)
        .map(reviewOf);
    },
    reviewVoteOf: (id, userId) => vote.get(id, userId)?.vote ?? 0,
  };
}
