// What is asked of the content store, on the thread that asks: rows by their key, a few microseconds each.

import type { ContentStore, FilmCounts, OutboxEvent, OutboxState, ViewingRules, Vote } from '../../ports/content.ts';
import type { Connection } from './file.ts';
import { reviewReads } from './review-reads.ts';
import { type PlaceRow, placeColumns, placeOf } from './viewing-changes.ts';

/** As the port has it, without the promises. */
type Sync<Names extends keyof ContentStore> = {
  readonly [Name in Names]: ContentStore[Name] extends (...args: infer Args) => Promise<infer Answer>
    ? (...args: Args) => Answer
    : never;
};

type Asked =
  | 'voteOf'
  | 'counts'
  | 'isBookmarked'
  | 'bookmarks'
  | 'review'
  | 'reviews'
  | 'reviewVoteOf'
  | 'place'
  | 'places'
  | 'outbox';

export interface Reads extends Sync<Asked> {
  waiting(countMax: number): readonly OutboxEvent[];
}

interface EventRow {
  readonly sequence: number;
  readonly event_id: string;
  readonly type: string;
  readonly user_id: string;
  readonly at_ms: number;
  readonly fields: string;
}

const none: FilmCounts = { likes: 0, dislikes: 0, reviews: 0, ratingSum: 0, bookmarks: 0 };
/** After every moment and film. */
const fromTheFirst = { atMs: Number.MAX_SAFE_INTEGER, filmId: '' } as const;

const share = 'CASE WHEN position IS NULL OR coalesce(duration, 0) <= 0 THEN 0 ELSE min(1, position / duration) END';

export function readsOver(connection: Connection, rules: ViewingRules): Reads {
  const { prepare } = connection;
  const { seenSeconds, seenShare, watchedShare } = rules;
  const vote = prepare<{ vote: Vote }, [string, string]>('SELECT vote FROM likes WHERE film_id = ? AND user_id = ?');
  const counts = prepare<FilmCounts, [string]>(
    'SELECT likes, dislikes, reviews, rating_sum AS ratingSum, bookmarks FROM films WHERE film_id = ?',
  );
  const mark = prepare<{ is_set: number }, [string, string]>(
    'SELECT is_set FROM bookmarks WHERE film_id = ? AND user_id = ?',
  );
  const marked = prepare<{ filmId: string; atMs: number }, [string, number, string, number]>(
    `SELECT film_id AS filmId, at_ms AS atMs FROM bookmarks
      WHERE user_id = ? AND is_set = 1 AND (at_ms, film_id) < (?, ?) ORDER BY at_ms DESC, film_id DESC LIMIT ?`,
  );
  const place = prepare<PlaceRow, [string, string]>(
    `SELECT ${placeColumns} FROM viewings WHERE film_id = ? AND user_id = ? AND at_ms >= 0`,
  );
  const places = (which: string) =>
    prepare<PlaceRow, [string, number, string, ...number[]]>(
      `SELECT ${placeColumns} FROM viewings WHERE user_id = ? AND at_ms >= 0 AND (at_ms, film_id) < (?, ?) AND ${which}
        ORDER BY at_ms DESC, film_id DESC LIMIT ?`,
    );
  const resumable = places(`position IS NOT NULL AND (position >= ? OR ${share} >= ?) AND ${share} < ?`);
  const seen = places(
    `(watched_at_ms IS NOT NULL OR furthest >= ? OR max(coalesce(position, 0), furthest * coalesce(duration, 0)) >= ?)`,
  );
  const state = prepare<OutboxState, []>('SELECT count(*) AS events, NULL AS oldestAtMs FROM outbox');
  const oldest = prepare<{ at_ms: number }, []>('SELECT at_ms FROM outbox ORDER BY sequence LIMIT 1');
  const waiting = prepare<EventRow, [number]>('SELECT * FROM outbox ORDER BY sequence LIMIT ?');

  return {
    ...reviewReads(connection),
    voteOf: (filmId, userId) => vote.get(filmId, userId)?.vote ?? 0,
    counts: filmId => counts.get(filmId) ?? none,
    isBookmarked: (filmId, userId) => mark.get(filmId, userId)?.is_set === 1,
    bookmarks: (userId, after, countMax) => {
      const { atMs, filmId } = after ?? fromTheFirst;
      return marked.all(userId, atMs, filmId, countMax);
    },
    place: (filmId, userId) => {
      const row = place.get(filmId, userId);
      return row && placeOf(row);
    },
    places: ({ userId, isResumable, after, countMax }) => {
      const { atMs, filmId } = after ?? fromTheFirst;
      const rows = isResumable
        ? resumable.all(userId, atMs, filmId, seenSeconds, seenShare, watchedShare, countMax)
        : seen.all(userId, atMs, filmId, seenShare, seenSeconds, countMax);
      return rows.map(placeOf);
    },
    outbox: () => ({ events: state.get()?.events ?? 0, oldestAtMs: oldest.get()?.at_ms ?? null }),
    waiting: countMax =>
      waiting.all(countMax).map(({ sequence, event_id, type, user_id, at_ms, fields }) => ({
        sequence: String(sequence),
        eventId: event_id,
        type,
        userId: user_id,
        atMs: at_ms,
        fields: JSON.parse(fields),
      })),
  };
}
