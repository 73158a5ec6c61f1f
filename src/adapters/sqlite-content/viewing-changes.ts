// Where viewing stopped: events merged into one row a user and film, in the transaction of who calls. The later of two has
// the position; the furthest, the first and the first time it was watched are kept as their best.

import type { Change, ContentStore, Place, Viewing, ViewingRules } from '../../ports/content.ts';
import type { Connection } from './file.ts';
import type { Telling } from './tell.ts';

export interface ViewingChanges {
  savePlace(place: Parameters<ContentStore['savePlace']>[0], change: Change): Place;
  removePlace(filmId: string, change: Change): void;
  mergeViewings(viewings: readonly Viewing[]): void;
}

/** `at_ms` −1: taken from the history. */
export interface PlaceRow {
  readonly film_id: string;
  readonly at_ms: number;
  readonly position: number | null;
  readonly duration: number | null;
  readonly furthest: number;
  readonly first_at_ms: number;
  readonly watched_at_ms: number | null;
  readonly revision: number;
}

type KeptRow = PlaceRow & { readonly saved_event_id: string; readonly removed_at_ms: number };
type Merged = [string, string, number, string, number | null, number | null, number, number, number | null];

const isLater = '(excluded.at_ms, excluded.event_id) > (v.at_ms, v.event_id)';
const merging = `INSERT INTO viewings AS v
    (user_id, film_id, at_ms, event_id, position, duration, furthest, first_at_ms, watched_at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    position = CASE WHEN ${isLater} THEN coalesce(excluded.position, v.position) ELSE coalesce(v.position, excluded.position) END,
    duration = CASE WHEN ${isLater} THEN coalesce(excluded.duration, v.duration) ELSE coalesce(v.duration, excluded.duration) END,
    at_ms = max(v.at_ms, excluded.at_ms),
    event_id = CASE WHEN ${isLater} THEN excluded.event_id ELSE v.event_id END,
    furthest = max(v.furthest, excluded.furthest),
    first_at_ms = min(v.first_at_ms, excluded.first_at_ms),
    watched_at_ms = coalesce(min(v.watched_at_ms, excluded.watched_at_ms), v.watched_at_ms, excluded.watched_at_ms)`;

export const placeColumns = 'film_id, at_ms, position, duration, furthest, first_at_ms, watched_at_ms, revision';

export function viewingChanges(
  { prepare }: Connection,
  { tell }: Telling,
  { watchedShare }: ViewingRules,
): ViewingChanges {
  const find = prepare<KeptRow, [string, string]>(
    `SELECT ${placeColumns}, saved_event_id, removed_at_ms FROM viewings WHERE user_id = ? AND film_id = ?`,
  );
  const merge = prepare<unknown, Merged>(merging);
  // What was seen before it was removed is not in the history again.
  const mergeSeen = prepare<unknown, Merged>(`${merging} WHERE excluded.at_ms > v.removed_at_ms`);
  const number = prepare<unknown, [number, string, string, string]>(
    'UPDATE viewings SET revision = ?, saved_event_id = ? WHERE user_id = ? AND film_id = ?',
  );
  // As it would be if nothing had been seen: whatever is merged into it is all there is.
  const remove = prepare<unknown, [string, string, number, string, number]>(
    `INSERT INTO viewings AS v
        (user_id, film_id, at_ms, event_id, furthest, first_at_ms, removed_at_ms, saved_event_id, revision)
      VALUES (?, ?, -1, '', 0, ${Number.MAX_SAFE_INTEGER}, ?, ?, ?) ON CONFLICT DO UPDATE SET
        at_ms = -1, event_id = '', position = NULL, duration = NULL, furthest = 0, first_at_ms = excluded.first_at_ms,
        watched_at_ms = NULL, removed_at_ms = excluded.removed_at_ms, saved_event_id = excluded.saved_event_id,
        revision = excluded.revision`,
  );
  return {
    savePlace({ filmId, position, duration }, change) {
      const { userId, atMs, eventId } = change;
      const before = find.get(userId, filmId);
      const share = duration > 0 ? Math.min(1, position / duration) : 0;
      const watchedAtMs = share >= watchedShare ? atMs : null;
      if (before?.saved_event_id !== eventId) {
        const revision = (before?.revision ?? 0) + 1;
        merge.run(userId, filmId, atMs, eventId, position, duration, share, atMs, watchedAtMs);
        number.run(revision, eventId, userId, filmId);
        tell('progress_saved', change, { film_id: filmId, position, duration, revision });
      }
      const after = find.get(userId, filmId);
      if (after !== null && after.at_ms >= 0) return placeOf(after);
      // It was saved and removed by the same event: told as it was saved.
      const revision = after?.revision ?? 0;
      return { filmId, position, duration, atMs, revision, furthest: share, firstAtMs: atMs, watchedAtMs };
    },
    removePlace(filmId, change) {
      const { userId, atMs, eventId } = change;
      const before = find.get(userId, filmId);
      if (before?.saved_event_id === eventId) return;
      const removedAtMs = Math.max(before?.removed_at_ms ?? -1, before?.at_ms ?? -1, atMs);
      const isThere = before !== null && before.at_ms >= 0;
      const revision = (before?.revision ?? 0) + Number(isThere);
      remove.run(userId, filmId, removedAtMs, isThere ? eventId : (before?.saved_event_id ?? ''), revision);
      if (isThere) tell('progress_removed', change, { film_id: filmId, revision });
    },
    mergeViewings(viewings) {
      for (const { userId, filmId, atMs, eventId, position, duration, furthest, firstAtMs, watchedAtMs } of viewings)
        mergeSeen.run(userId, filmId, atMs, eventId, position, duration, furthest, firstAtMs, watchedAtMs);
    },
  };
}

export const placeOf = (row: PlaceRow): Place => ({
  filmId: row.film_id,
  position: row.position ?? 0,
  duration: row.duration ?? 0,
  atMs: row.at_ms,
  revision: row.revision,
  furthest: row.furthest,
  firstAtMs: row.first_at_ms,
  watchedAtMs: row.watched_at_ms,
});
