// Idempotency keys, the outbox's end, and a person who is forgotten: changed in the transaction of who calls.

import { PipelineError } from '../../errors.ts';
import type { Claim, Forgotten } from '../../ports/content.ts';
import type { Connection } from './file.ts';
import type { Telling } from './tell.ts';

export interface PersonChanges {
  claim(userId: string, key: string, hash: string, atMs: number): Claim;
  settle(userId: string, key: string, answer: string): void;
  takeLead(token: string): void;
  published(sequences: readonly string[], token: string): void;
  forget(userId: string, keepReviews: boolean): Forgotten;
}

const dayMs = 86_400_000;

export function personChanges({ prepare }: Connection, { count }: Telling): PersonChanges {
  const claimed = prepare<{ hash: string; at_ms: number; answer: string | null }, [string, string]>(
    'SELECT hash, at_ms, answer FROM claims WHERE user_id = ? AND key = ?',
  );
  const putClaim = prepare<unknown, [string, string, string, number]>(
    'INSERT OR REPLACE INTO claims (user_id, key, hash, at_ms, answer) VALUES (?, ?, ?, ?, NULL)',
  );
  // More than one goes for each that comes: the table does not grow.
  const sweepClaims = prepare<unknown, [number]>(
    `DELETE FROM claims WHERE (user_id, key) IN (SELECT user_id, key FROM claims WHERE at_ms < ? ORDER BY at_ms LIMIT 4)`,
  );
  const putAnswer = prepare<unknown, [string, string, string]>(
    'UPDATE claims SET answer = ? WHERE user_id = ? AND key = ?',
  );
  const putLeader = prepare<unknown, [string]>('INSERT OR REPLACE INTO leader VALUES (1, ?)');
  const leader = prepare<{ token: string }>('SELECT token FROM leader');
  const takeOut = prepare<unknown, [string]>('DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?))');

  const likes = prepare<{ film_id: string; vote: number }, [string]>(
    'SELECT film_id, vote FROM likes WHERE user_id = ? AND vote <> 0',
  );
  const reviews = prepare<{ film_id: string; rating: number; state: string }, [string]>(
    'SELECT film_id, rating, state FROM reviews WHERE user_id = ? AND is_deleted = 0',
  );
  const marked = prepare<{ film_id: string }, [string]>(
    'SELECT film_id FROM bookmarks WHERE user_id = ? AND is_set = 1',
  );
  const viewed = prepare<{ n: number }, [string]>(
    'SELECT count(*) AS n FROM viewings WHERE user_id = ? AND at_ms >= 0',
  );
  const votedReviews = prepare<{ n: number }, [string]>(
    `SELECT count(*) AS n FROM review_likes l JOIN reviews r ON r.id = l.review_id
      WHERE l.user_id = ? AND l.vote <> 0 AND r.is_deleted = 0`,
  );
  const takeVotes = prepare<unknown, [string]>(
    `UPDATE reviews SET likes = reviews.likes - (l.vote = 1), dislikes = reviews.dislikes - (l.vote = -1)
      FROM review_likes l WHERE l.user_id = ? AND l.review_id = reviews.id`,
  );
  const withoutAuthor = prepare<unknown, [string]>(
    "UPDATE reviews SET user_id = '' WHERE user_id = ? AND is_deleted = 0",
  );
  const votesOfReviews = prepare<unknown, [string]>(
    'DELETE FROM review_likes WHERE review_id IN (SELECT id FROM reviews WHERE user_id = ?)',
  );
  const ofUser = (['likes', 'bookmarks', 'viewings', 'claims', 'review_likes'] as const).map(table =>
    prepare<unknown, [string]>(`DELETE FROM ${table} WHERE user_id = ?`),
  );
  const deleteReviews = prepare<unknown, [string]>('DELETE FROM reviews WHERE user_id = ?');
  const deleteEvents = prepare<unknown, [string]>('DELETE FROM outbox WHERE user_id = ?');

  return {
    claim(userId, key, hash, atMs) {
      const before = claimed.get(userId, key);
      if (before === null || before.at_ms < atMs - dayMs) {
        putClaim.run(userId, key, hash, atMs);
        sweepClaims.run(atMs - dayMs);
        return { outcome: 'first' };
      }
      if (before.hash !== hash) return { outcome: 'other' };
      return before.answer === null ? { outcome: 'again' } : { outcome: 'answered', answer: before.answer };
    },
    settle: (userId, key, answer) => void putAnswer.run(answer, userId, key),
    takeLead: token => void putLeader.run(token),
    published(sequences, token) {
      if (leader.get()?.token !== token)
        throw new PipelineError('store_unavailable', 'Another process publishes what changes by now');
      takeOut.run(`[${sequences.map(Number).join()}]`);
    },
    forget(userId, keepReviews) {
      const [liked, written, bookmarks] = [likes.all(userId), reviews.all(userId), marked.all(userId)];
      const reviewLikes = votedReviews.get(userId)?.n ?? 0;
      const viewings = viewed.get(userId)?.n ?? 0;
      for (const { film_id, vote } of liked) count(film_id, vote === 1 ? { likes: -1 } : { dislikes: -1 });
      for (const { film_id } of bookmarks) count(film_id, { bookmarks: -1 });
      takeVotes.run(userId);
      for (const statement of ofUser) statement.run(userId);
      if (keepReviews) withoutAuthor.run(userId);
      else
        for (const { film_id, rating, state } of written)
          if (state === 'approved') count(film_id, { reviews: -1, ratingSum: -rating });
      votesOfReviews.run(userId);
      deleteReviews.run(userId);
      return {
        likes: liked.length,
        reviews: written.length,
        reviewLikes,
        bookmarks: bookmarks.length,
        viewings,
        events: deleteEvents.run(userId).changes,
      };
    },
  };
}
