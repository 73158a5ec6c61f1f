// Reviews: posted, and told in lists: of a film, of oneself, and those that wait for a moderator.

import { hintOf } from '../../schemas/nearest.ts';
import { isUuid } from '../../schemas/uuid.ts';
import { PipelineError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import { type Review, type ReviewQuery, rankOf, reviewOrders, reviewStates } from '../ports/content.ts';
import { told } from './answers.ts';
import { bodyOf } from './body.ts';
import { type Content, surely, userOf } from './content.ts';
import { checkedFilm, filmIdOf, queryOf } from './ids.ts';
import type { Once } from './once.ts';
import { limitOf, pageOf, readCursor } from './page.ts';
import { reviewFields, spelledReview, tagOf } from './review-form.ts';

export async function postReview(content: Content, once: Once, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const body = await bodyOf(call, reviewFields(content.reviewLengthMax), content);
  return posted(content, once, call, { filmId, rating: Number(body.rating), text: String(body.text) });
}

export function posted(
  content: Content,
  once: Once,
  call: Call,
  { filmId, rating, text: written }: Pick<Review, 'filmId' | 'rating' | 'text'>,
): Promise<Answer> {
  userOf(call);
  return once(call, ['review', filmId, rating, written], async change => {
    const id = change.eventId;
    const state = content.isShownAtOnce ? 'approved' : 'pending';
    const review = { id, filmId, rating, text: written.trim(), state } as const;
    const result = await surely(() => content.store.postReview(review, change));
    if (result.outcome !== 'done')
      throw new PipelineError('conflict', 'another user has a review of this id: try again');
    return told(201, spelledReview(result.review), { location: `/v1/reviews/${id}`, etag: tagOf(result.review) });
  });
}

export function getReviews(content: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const query = queryOf(call, ['order', 'limit', 'cursor']);
  const order = oneOf('order', query.order ?? 'newest', reviewOrders);
  return listed(content, query, { filmId, states: ['approved'], order });
}

/** In whatever state. */
export function getOwnReviews(content: Content, call: Call): Promise<Answer> {
  const query = queryOf(call, ['order', 'limit', 'cursor']);
  const order = oneOf('order', query.order ?? 'newest', reviewOrders);
  return listed(content, query, { userId: userOf(call), states: reviewStates, order });
}

/** For moderators: of one state, and of all films or of one. */
export function getModeratedReviews(content: Content, call: Call): Promise<Answer> {
  userOf(call);
  const query = queryOf(call, ['state', 'film_id', 'order', 'limit', 'cursor']);
  const state = oneOf('state', query.state ?? 'pending', reviewStates);
  const order = oneOf('order', query.order ?? 'oldest', reviewOrders);
  const filmId = query.film_id === undefined ? {} : { filmId: checkedFilm(query.film_id) };
  return listed(content, query, { ...filmId, states: [state], order });
}

type Listed = Omit<ReviewQuery, 'after' | 'countMax'>;

async function listed(
  { store }: Content,
  { limit: limitText, cursor }: { readonly limit?: string; readonly cursor?: string },
  chosen: Listed,
): Promise<Answer> {
  const limit = limitOf(limitText);
  const list = JSON.stringify([chosen.filmId, chosen.userId, chosen.states, chosen.order]);
  const after = readCursor(list, cursor, isUuid);
  const found = await store.reviews({ ...chosen, after, countMax: limit + 1 });
  const keyOf = (review: Review) => ({ value: rankOf[chosen.order](review), id: review.id });
  const { items, next } = pageOf(list, found, limit, keyOf);
  return told(200, { reviews: items.map(spelledReview), next });
}

function oneOf<const W extends string>(name: string, said: string, words: readonly W[]): W {
  const found = words.find(word => word === said);
  if (found !== undefined) return found;
  throw new PipelineError('bad_request', `${name} must be one of ${words.join(', ')}${hintOf(said, words)}`);
}
