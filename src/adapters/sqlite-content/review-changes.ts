// Reviews and the votes for them: changed in the transaction of who calls.

import type { Change, ContentStore, Review, ReviewChange, Vote } from '../../ports/content.ts';
import type { Connection } from './file.ts';
import { votesDelta } from './marks.ts';
import { type ReviewRow, reviewColumns, reviewOf } from './review-row.ts';
import type { Telling } from './tell.ts';

type Post = Parameters<ContentStore['postReview']>[0];
type Edit = Parameters<ContentStore['editReview']>[1];

export interface ReviewChanges {
  postReview(review: Post, change: Change): ReviewChange;
  editReview(id: string, edit: Edit, change: Change): ReviewChange;
  /** `revision` null: whichever it is of. */
  deleteReview(id: string, revision: number | null, change: Change): ReviewChange;
  moderate(id: string, state: Review['state'], change: Change): ReviewChange;
  voteReview(id: string, vote: Vote, change: Change): ReviewChange;
}

interface Kept {
  readonly review: Review;
  readonly eventId: string;
  readonly isDeleted: boolean;
}

export function reviewChanges({ prepare }: Connection, { tell, count }: Telling): ReviewChanges {
  const find = prepare<ReviewRow & { event_id: string; is_deleted: number }, [string]>(
    `SELECT ${reviewColumns}, event_id, is_deleted FROM reviews WHERE id = ?`,
  );
  const insert = prepare<unknown, [string, string, string, number, string, string, number, string]>(
    `INSERT INTO reviews (id, film_id, user_id, rating, text, state, revision, created_at_ms, event_id)
      VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)`,
  );
  const update = prepare<unknown, [number, string, string, number, number | null, string, number, string]>(
    `UPDATE reviews SET rating = ?, text = ?, state = ?, revision = ?, edited_at_ms = ?, event_id = ?, is_deleted = ?
      WHERE id = ?`,
  );
  const vote = prepare<{ vote: number; revision: number }, [string, string]>(
    'SELECT vote, revision FROM review_likes WHERE review_id = ? AND user_id = ?',
  );
  const putVote = prepare<unknown, [string, string, number, number, number]>(
    `INSERT INTO review_likes (review_id, user_id, vote, revision, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
      SET vote = excluded.vote, revision = excluded.revision, at_ms = excluded.at_ms`,
  );
  const addVotes = prepare<unknown, [number, number, string]>(
    'UPDATE reviews SET likes = likes + ?, dislikes = dislikes + ? WHERE id = ?',
  );

  function found(id: string): Kept | null {
    const row = find.get(id);
    return row && { review: reviewOf(row), eventId: row.event_id, isDeleted: row.is_deleted === 1 };
  }

  const there = (kept: Kept | null): Kept | null => (kept === null || kept.isDeleted ? null : kept);

  /** The next revision of it, counted and told of. */
  function changed({ review: before }: Kept, next: Partial<Review>, type: string, change: Change): ReviewChange {
    const isDeleted = type === 'review_deleted';
    const review: Review = { ...before, ...next, revision: before.revision + 1 };
    const { id, filmId, rating, text, state, revision, editedAtMs } = review;
    update.run(rating, text, state, revision, editedAtMs, change.eventId, Number(isDeleted), id);
    const [was, is] = [before.state === 'approved', state === 'approved' && !isDeleted];
    count(filmId, {
      reviews: Number(is) - Number(was),
      ratingSum: (is ? rating : 0) - (was ? before.rating : 0),
    });
    tell(type, change, { ...fieldsOf(type, review), revision });
    return { outcome: 'done', review };
  }

  /** What keeps its author from changing it; null = nothing. */
  function refusal({ review }: Kept, revision: number | null | undefined, { userId }: Change): ReviewChange | null {
    if (review.userId !== userId) return { outcome: 'not_own' };
    return revision == null || revision === review.revision ? null : { outcome: 'stale', review };
  }

  return {
    postReview({ id, filmId, rating, text, state }, change) {
      const { userId, atMs, eventId } = change;
      const before = find.get(id);
      if (before !== null)
        return before.user_id === userId ? { outcome: 'done', review: reviewOf(before) } : { outcome: 'not_own' };
      insert.run(id, filmId, userId, rating, text, state, atMs, eventId);
      if (state === 'approved') count(filmId, { reviews: 1, ratingSum: rating });
      const review: Review = {
        ...{ id, filmId, userId, rating, text, state, likes: 0, dislikes: 0 },
        ...{ revision: 1, createdAtMs: atMs, editedAtMs: null },
      };
      tell('review_posted', change, { ...fieldsOf('review_posted', review), revision: 1 });
      return { outcome: 'done', review };
    },
    editReview(id, { revision, ...edit }, change) {
      const before = there(found(id));
      if (before === null) return { outcome: 'missing' };
      const { review } = before;
      if (before.eventId === change.eventId) return { outcome: 'done', review };
      const refused = refusal(before, revision, change);
      if (refused !== null) return refused;
      const { rating = review.rating, text = review.text, state = review.state } = edit;
      if (rating === review.rating && text === review.text && state === review.state)
        return { outcome: 'done', review };
      return changed(before, { rating, text, state, editedAtMs: change.atMs }, 'review_edited', change);
    },
    deleteReview(id, revision, change) {
      const before = found(id);
      if (before?.isDeleted && before.eventId === change.eventId) return { outcome: 'done', review: before.review };
      if (before === null || before.isDeleted) return { outcome: 'missing' };
      return refusal(before, revision, change) ?? changed(before, { text: '' }, 'review_deleted', change);
    },
    moderate(id, state, change) {
      const before = there(found(id));
      if (before === null) return { outcome: 'missing' };
      const { review, eventId } = before;
      if (eventId === change.eventId || review.state === state) return { outcome: 'done', review };
      return changed(before, { state }, 'review_moderated', change);
    },
    voteReview(id, value, change) {
      const kept = there(found(id));
      if (kept === null) return { outcome: 'missing' };
      const { review } = kept;
      if (review.userId === change.userId) return { outcome: 'not_own' };
      const before = vote.get(id, change.userId) ?? { vote: 0, revision: 0 };
      if (before.vote === value) return { outcome: 'done', review };
      const revision = before.revision + 1;
      putVote.run(id, change.userId, value, revision, change.atMs);
      const { likes, dislikes } = votesDelta(before.vote, value);
      addVotes.run(likes, dislikes, id);
      const fields = { review_id: id, film_id: review.filmId, revision };
      if (value === 0) tell('review_unliked', change, fields);
      else tell('review_liked', change, { ...fields, value });
      return {
        outcome: 'done',
        review: { ...review, likes: review.likes + likes, dislikes: review.dislikes + dislikes },
      };
    },
  };
}

function fieldsOf(type: string, { id, filmId, rating, text, state }: Review): Record<string, string | number> {
  const named = { review_id: id, film_id: filmId };
  if (type === 'review_deleted') return named;
  return type === 'review_moderated' ? { ...named, state } : { ...named, rating, text };
}
