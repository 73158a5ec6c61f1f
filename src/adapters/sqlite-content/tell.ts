// What every change shares: the event that tells of it, and the counts of its film. Both are part of its transaction.

import type { Change } from '../../ports/content.ts';
import type { Connection } from './file.ts';

export interface Telling {
  tell(type: string, change: Change, fields: Readonly<Record<string, string | number>>): void;
  /** So many more; 0 where it is left out. */
  count(filmId: string, delta: CountsDelta): void;
}

export interface CountsDelta {
  readonly likes?: number;
  readonly dislikes?: number;
  readonly reviews?: number;
  readonly ratingSum?: number;
  readonly bookmarks?: number;
}

export function telling({ prepare }: Connection): Telling {
  const insert = prepare<unknown, [string, string, string, number, string]>(
    'INSERT INTO outbox (event_id, type, user_id, at_ms, fields) VALUES (?, ?, ?, ?, ?)',
  );
  const add = prepare<unknown, [string, number, number, number, number, number]>(
    `INSERT INTO films AS f VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (film_id) DO UPDATE SET
      likes = f.likes + excluded.likes, dislikes = f.dislikes + excluded.dislikes,
      reviews = f.reviews + excluded.reviews, rating_sum = f.rating_sum + excluded.rating_sum,
      bookmarks = f.bookmarks + excluded.bookmarks`,
  );
  return {
    tell: (type, { eventId, userId, atMs }, fields) =>
      void insert.run(eventId, type, userId, atMs, JSON.stringify(fields)),
    count: (filmId, { likes = 0, dislikes = 0, reviews = 0, ratingSum = 0, bookmarks = 0 }) => {
      if (likes || dislikes || reviews || ratingSum || bookmarks)
        add.run(filmId, likes, dislikes, reviews, ratingSum, bookmarks);
    },
  };
}
