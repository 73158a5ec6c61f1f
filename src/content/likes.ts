// Likes of films: one of a user and a film, for it or against it.

import { numbered } from '../../schemas/field.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import type { Vote } from '../ports/content.ts';
import { nothing, revalidated, told } from './answers.ts';
import { type Body, type Fields, maybeBodyOf } from './body.ts';
import { type Content, changeBy, maybeUserOf, surely } from './content.ts';
import { filmIdOf } from './ids.ts';

/** Absent = 1. */
export const voteFields: Fields = [
  { name: 'value', ...numbered({ about: 'Which', words: { [-1]: 'dislike', 1: 'like' } }), absent: 'null' },
];

export const voteIn = (body: Body): Vote => (body.value === -1 ? -1 : 1);

export async function putLike(content: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  return liked(content, call, filmId, voteIn(await maybeBodyOf(call, voteFields, content)));
}

export async function liked(content: Content, call: Call, filmId: string, value: Vote): Promise<Answer> {
  const change = changeBy(call, content);
  const { vote } = await surely(() => content.store.vote(filmId, value, change));
  return told(200, { film_id: filmId, value: vote });
}

export const deleteLike = (content: Content, call: Call): Promise<Answer> => unliked(content, call, filmIdOf(call));

export async function unliked(content: Content, call: Call, filmId: string): Promise<Answer> {
  const change = changeBy(call, content);
  await surely(() => content.store.vote(filmId, 0, change));
  return nothing;
}

/** One's own, where it is known whose, and those of all. */
export async function getLike({ store }: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  const userId = maybeUserOf(call);
  const [{ likes, dislikes }, value] = await Promise.all([
    store.counts(filmId),
    userId === null ? null : store.voteOf(filmId, userId),
  ]);
  return revalidated(call, { film_id: filmId, value, likes, dislikes }, userId === null);
}
