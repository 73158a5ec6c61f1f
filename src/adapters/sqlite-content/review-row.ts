// A review as it lies in its table, and as the port has it.

import type { Review, ReviewState } from '../../ports/content.ts';

export interface ReviewRow {
  readonly id: string;
  readonly film_id: string;
  /** '' = its author was forgotten. */
  readonly user_id: string;
  readonly rating: number;
  readonly text: string;
  readonly state: ReviewState;
  readonly likes: number;
  readonly dislikes: number;
  readonly revision: number;
  readonly created_at_ms: number;
  readonly edited_at_ms: number | null;
}

export const reviewColumns =
  'id, film_id, user_id, rating, text, state, likes, dislikes, revision, created_at_ms, edited_at_ms';

export const reviewOf = (row: ReviewRow): Review => ({
  id: row.id,
  filmId: row.film_id,
  userId: row.user_id === '' ? null : row.user_id,
  rating: row.rating,
  text: row.text,
  state: row.state,
  likes: row.likes,
  dislikes: row.dislikes,
  revision: row.revision,
  createdAtMs: row.created_at_ms,
  editedAtMs: row.edited_at_ms,
});
