// Likes of films, and bookmarks: changed in the transaction of who calls.

import type { Change, ContentStore, Vote } from '../../ports/content.ts';
import type { Connection } from './file.ts';
import type { CountsDelta, Telling } from './tell.ts';

type Answer<Name extends 'vote' | 'bookmark'> = Awaited<ReturnType<ContentStore[Name]>>;

export interface Marks {
  vote(filmId: string, vote: Vote, change: Change): Answer<'vote'>;
  bookmark(filmId: string, isSet: boolean, change: Change): Answer<'bookmark'>;
}

interface Kept<Value> {
  readonly value: Value;
  readonly revision: number;
}

type Put = [filmId: string, userId: string, value: number, revision: number, atMs: number];

export function marks({ prepare }: Connection, { tell, count }: Telling): Marks {
  const like = prepare<Kept<Vote>, [string, string]>(
    'SELECT vote AS value, revision FROM likes WHERE film_id = ? AND user_id = ?',
  );
  const putLike = prepare<unknown, Put>(
    `INSERT INTO likes (film_id, user_id, vote, revision, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
      SET vote = excluded.vote, revision = excluded.revision, at_ms = excluded.at_ms`,
  );
  const mark = prepare<Kept<number>, [string, string]>(
    'SELECT is_set AS value, revision FROM bookmarks WHERE film_id = ? AND user_id = ?',
  );
  const putMark = prepare<unknown, Put>(
    `INSERT INTO bookmarks (film_id, user_id, is_set, revision, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
      SET is_set = excluded.is_set, revision = excluded.revision, at_ms = excluded.at_ms`,
  );
  return {
    vote(filmId, vote, change) {
      const before = like.get(filmId, change.userId) ?? { value: 0, revision: 0 };
      if (before.value === vote) return { vote, revision: before.revision };
      const revision = before.revision + 1;
      putLike.run(filmId, change.userId, vote, revision, change.atMs);
      count(filmId, votesDelta(before.value, vote));
      if (vote === 0) tell('film_unliked', change, { film_id: filmId, revision });
      else tell('film_liked', change, { film_id: filmId, value: vote, revision });
      return { vote, revision };
    },
    bookmark(filmId, isSet, change) {
      const before = mark.get(filmId, change.userId) ?? { value: 0, revision: 0 };
      if (before.value === Number(isSet)) return { revision: before.revision };
      const revision = before.revision + 1;
      putMark.run(filmId, change.userId, Number(isSet), revision, change.atMs);
      count(filmId, { bookmarks: isSet ? 1 : -1 });
      tell(isSet ? 'bookmark_added' : 'bookmark_removed', change, { film_id: filmId, revision });
      return { revision };
    },
  };
}

export const votesDelta = (before: number, after: number): Required<Pick<CountsDelta, 'likes' | 'dislikes'>> => ({
  likes: Number(after === 1) - Number(before === 1),
  dislikes: Number(after === -1) - Number(before === -1),
});
