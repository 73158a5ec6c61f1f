// Reviews and the votes for them, in two maps.

import {
  type Change,
  type ContentStore,
  type PersonRow,
  type Review,
  type ReviewChange,
  type ReviewOrder,
  type ReviewQuery,
  rankOf,
  type Vote,
} from '../../ports/content.ts';
import type { MemoryOutbox } from './outbox.ts';

export interface KeptReview {
  review: Review;
  /** Of its last change: the same one again has been done. */
  eventId: string;
  isDeleted: boolean;
  readonly votes: Map<string, KeptVote>;
}

export interface KeptVote {
  readonly vote: Vote;
  readonly revision: number;
  readonly atMs: number;
}

type Reviewing = Pick<
  ContentStore,
  'postReview' | 'review' | 'reviews' | 'editReview' | 'deleteReview' | 'moderate' | 'voteReview' | 'reviewVoteOf'
>;

export interface MemoryReviews extends Reviewing {
  /** All that ever were, by id; the deleted ones too. */
  readonly kept: Map<string, KeptReview>;
}

/** With the value ascends the id, too: equals have an order of their own. */
const isAscending = (order: ReviewOrder): boolean => order === 'oldest' || order === 'lowest';

export function memoryReviews(outbox: MemoryOutbox): MemoryReviews {
  const kept = new Map<string, KeptReview>();

  const done = ({ review }: KeptReview): ReviewChange => ({ outcome: 'done', review });
  const there = (id: string): KeptReview | null => {
    const found = kept.get(id);
    return found === undefined || found.isDeleted ? null : found;
  };

  /** The next revision of it, told of. */
  function change(of: KeptReview, next: Partial<Review>, type: string, by: Change): ReviewChange {
    of.review = { ...of.review, ...next, revision: of.review.revision + 1 };
    of.eventId = by.eventId;
    outbox.tell(type, by, { ...fieldsOf(type, of.review), revision: of.review.revision });
    return done(of);
  }

  /** What keeps its author from changing it; null = nothing. */
  function refusal(of: KeptReview | null, revision: number | undefined, by: Change): ReviewChange | null {
    if (of === null) return { outcome: 'missing' };
    if (of.review.userId !== by.userId) return { outcome: 'not_own' };
    if (revision !== undefined && revision !== of.review.revision) return { outcome: 'stale', review: of.review };
    return null;
  }

  function chosen({ filmId, userId, states, order, after, countMax }: ReviewQuery): readonly Review[] {
    const sign = isAscending(order) ? 1 : -1;
    const compare = (one: { value: number; id: string }, other: { value: number; id: string }): number =>
      sign * (one.value - other.value || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
    return [...kept.values()]
      .filter(({ isDeleted, review }) => !isDeleted && states.includes(review.state))
      .map(({ review }) => ({ review, id: review.id, value: rankOf[order](review) }))
      .filter(({ review }) => filmId === undefined || review.filmId === filmId)
      .filter(({ review }) => userId === undefined || review.userId === userId)
      .filter(found => after === null || compare(found, after) > 0)
      .toSorted(compare)
      .slice(0, countMax)
      .map(({ review }) => review);
  }

  return {
    kept,
    postReview: async (posted, by) => {
      const before = kept.get(posted.id);
      if (before !== undefined)
        return before.review.userId === by.userId ? { outcome: 'done', review: before.review } : { outcome: 'not_own' };
      const { id, filmId, rating, text, state } = posted;
      const review: Review = {
        ...{ id, filmId, rating, text, state, userId: by.userId },
        ...{ likes: 0, dislikes: 0, revision: 1, createdAtMs: by.atMs, editedAtMs: null },
      };
      kept.set(id, { review, eventId: by.eventId, isDeleted: false, votes: new Map() });
      outbox.tell('review_posted', by, { ...fieldsOf('review_posted', review), revision: 1 });
      return { outcome: 'done', review };
    },
    review: async id => there(id)?.review ?? null,
    reviews: async query => chosen(query),
    editReview: async (id, { revision, ...edit }, by) => {
      const found = there(id);
      if (found?.eventId === by.eventId) return done(found);
      const refused = refusal(found, revision, by);
      if (refused !== null || found === null) return refused ?? { outcome: 'missing' };
      const { rating = found.review.rating, text = found.review.text, state = found.review.state } = edit;
      const isSame = rating === found.review.rating && text === found.review.text && state === found.review.state;
      if (isSame) return done(found);
      return change(found, { rating, text, state, editedAtMs: by.atMs }, 'review_edited', by);
    },
    deleteReview: async (id, revision, by) => {
      const before = kept.get(id);
      if (before?.isDeleted === true && before.eventId === by.eventId) return done(before);
      const found = there(id);
      const refused = refusal(found, revision, by);
      if (refused !== null || found === null) return refused ?? { outcome: 'missing' };
      found.isDeleted = true;
      return change(found, { text: '' }, 'review_deleted', by);
    },
    moderate: async (id, state, by) => {
      const found = there(id);
      if (found === null) return { outcome: 'missing' };
      if (found.eventId === by.eventId || found.review.state === state) return done(found);
      return change(found, { state }, 'review_moderated', by);
    },
    voteReview: async (id, vote, by) => {
      const found = there(id);
      if (found === null) return { outcome: 'missing' };
      if (found.review.userId === by.userId) return { outcome: 'not_own' };
      const before = found.votes.get(by.userId);
      if ((before?.vote ?? 0) === vote) return done(found);
      const revision = (before?.revision ?? 0) + 1;
      found.votes.set(by.userId, { vote, revision, atMs: by.atMs });
      recount(found);
      const fields = { review_id: id, film_id: found.review.filmId, revision };
      if (vote === 0) outbox.tell('review_unliked', by, fields);
      else outbox.tell('review_liked', by, { ...fields, value: vote });
      return done(found);
    },
    reviewVoteOf: async (id, userId) => there(id)?.votes.get(userId)?.vote ?? 0,
  };
}

/** Its votes, counted anew; they are no change of the review. */
export function recount(of: KeptReview): void {
  const votes = [...of.votes.values()];
  const likes = votes.filter(({ vote }) => vote === 1).length;
  const dislikes = votes.filter(({ vote }) => vote === -1).length;
  of.review = { ...of.review, likes, dislikes };
}

function fieldsOf(
  type: string,
  { id, filmId, rating, text, state }: Review,
): Readonly<Record<string, string | number>> {
  const named = { review_id: id, film_id: filmId };
  if (type === 'review_deleted') return named;
  return type === 'review_moderated' ? { ...named, state } : { ...named, rating, text };
}

export const reviewRow = (review: Review): PersonRow => ({
  kind: 'review',
  review_id: review.id,
  film_id: review.filmId,
  rating: review.rating,
  text: review.text,
  state: review.state,
  created_at_ms: review.createdAtMs,
  edited_at_ms: review.editedAtMs,
});
