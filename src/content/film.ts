// What all users together make of a film.

import type { Answer } from '../http/answer.ts';
import { type Call, showsSomething } from '../http/route.ts';
import { revalidated } from './answers.ts';
import type { Content } from './content.ts';
import { filmIdOf } from './ids.ts';

export async function getFilm({ store }: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const { likes, dislikes, reviews, ratingSum, bookmarks } = await store.counts(filmId);
  const average = reviews === 0 ? null : Math.round((ratingSum / reviews) * 100) / 100;
  const counts = { film_id: filmId, likes, dislikes, reviews, average_rating: average, bookmarks };
  return revalidated(call, counts, !showsSomething(call.request));
}
