// The same in plain words, for clients that say what they mean in the body or the query and not in the path: like, comment,
// fav, and whether.

import { text } from '../../schemas/field.ts';
import { PipelineError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import { told } from './answers.ts';
import { bodyOf, type Fields } from './body.ts';
import { bookmarked, unbookmarked } from './bookmarks.ts';
import { type Content, userOf } from './content.ts';
import { checkedFilm, checkedReview, filmIdLengthMax, queryOf } from './ids.ts';
import { liked, unliked, voteFields, voteIn } from './likes.ts';
import type { Once } from './once.ts';
import { deleted } from './review.ts';
import { reviewFields } from './review-form.ts';
import { posted } from './reviews.ts';

export const filmField: Fields = [
  { name: 'film_id', ...text({ about: 'The film', lengthMin: 1, lengthMax: filmIdLengthMax }) },
];
export const likeFields: Fields = [...filmField, ...voteFields];
export const commentFields = (lengthMax: number): Fields => [...filmField, ...reviewFields(lengthMax)];

export async function postLike(content: Content, call: Call): Promise<Answer> {
  const body = await bodyOf(call, likeFields, content);
  return liked(content, call, String(body.film_id), voteIn(body));
}

export const deleteLikeOf = async (content: Content, call: Call): Promise<Answer> =>
  unliked(content, call, await filmNamed(content, call));

export async function isLiked({ store }: Content, call: Call): Promise<Answer> {
  const vote = await store.voteOf(filmAsked(call), userOf(call));
  return told(200, { is_liked: vote === 1 });
}

export async function postComment(content: Content, once: Once, call: Call): Promise<Answer> {
  const body = await bodyOf(call, commentFields(content.reviewLengthMax), content);
  const { film_id: filmId, rating, text: written } = body;
  return posted(content, once, call, { filmId: String(filmId), rating: Number(rating), text: String(written) });
}

export async function deleteComment(content: Content, call: Call): Promise<Answer> {
  const { id } = queryOf(call, ['id']);
  if (id === undefined) throw new PipelineError('bad_request', 'say which: ?id=');
  return deleted(content, call, checkedReview(id));
}

export async function postFav(content: Content, call: Call): Promise<Answer> {
  const body = await bodyOf(call, filmField, content);
  return bookmarked(content, call, String(body.film_id));
}

export const deleteFav = async (content: Content, call: Call): Promise<Answer> =>
  unbookmarked(content, call, await filmNamed(content, call));

export async function isFav({ store }: Content, call: Call): Promise<Answer> {
  return told(200, { is_fav: await store.isBookmarked(filmAsked(call), userOf(call)) });
}

function filmAsked(call: Call): string {
  const { film_id: filmId } = queryOf(call, ['film_id']);
  if (filmId === undefined) throw new PipelineError('bad_request', 'say which film: ?film_id=');
  return checkedFilm(filmId);
}

/** In the query, or in the body: not every client sends one with DELETE, nor every proxy passes it on. */
const filmNamed = async (content: Content, call: Call): Promise<string> =>
  call.arrival.isOver() ? filmAsked(call) : String((await bodyOf(call, filmField, content)).film_id);
