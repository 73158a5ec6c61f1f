// Bookmarks: films a user means to come back to.

import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/route.ts';
import { nothing, told } from './answers.ts';
import { type Content, changeBy, surely, userOf } from './content.ts';
import { filmIdOf, filmIdProblem, queryOf } from './ids.ts';
import { limitOf, pageOf, readCursor } from './page.ts';

export const putBookmark = (content: Content, call: Call): Promise<Answer> => bookmarked(content, call, filmIdOf(call));

export async function bookmarked(content: Content, call: Call, filmId: string): Promise<Answer> {
  const change = changeBy(call, content);
  await surely(() => content.store.bookmark(filmId, true, change));
  return told(200, { film_id: filmId, is_bookmarked: true });
}

export const deleteBookmark = (content: Content, call: Call): Promise<Answer> =>
  unbookmarked(content, call, filmIdOf(call));

export async function unbookmarked(content: Content, call: Call, filmId: string): Promise<Answer> {
  const change = changeBy(call, content);
  await surely(() => content.store.bookmark(filmId, false, change));
  return nothing;
}

export async function getBookmark({ store }: Content, call: Call): Promise<Answer> {
  const filmId = filmIdOf(call);
  return told(200, { film_id: filmId, is_bookmarked: await store.isBookmarked(filmId, userOf(call)) });
}

export async function getBookmarks({ store }: Content, call: Call): Promise<Answer> {
  const userId = userOf(call);
  const query = queryOf(call, ['limit', 'cursor']);
  const limit = limitOf(query.limit);
  const last = readCursor('bookmarks', query.cursor, id => filmIdProblem(id) === null);
  const after = last === null ? null : { atMs: last.value, filmId: last.id };
  const found = await store.bookmarks(userId, after, limit + 1);
  const { items, next } = pageOf('bookmarks', found, limit, ({ atMs, filmId }) => ({ value: atMs, id: filmId }));
  const bookmarks = items.map(({ filmId, atMs }) => ({ film_id: filmId, added_at: new Date(atMs).toISOString() }));
  return told(200, { bookmarks, next });
}
