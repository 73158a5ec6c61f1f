// Viewings merged, and what a place is by the rules: the arithmetic of the history, without a store.

import type { PersonRow, Place, Viewing, ViewingRules } from '../../ports/content.ts';

/** The later of two has the position; the rest is kept as its best. Commutative and idempotent. */
export function mergedViewing(one: Viewing, other: Viewing): Viewing {
  const isLater = one.atMs === other.atMs ? one.eventId >= other.eventId : one.atMs > other.atMs;
  const [late, early] = isLater ? [one, other] : [other, one];
  const placed = late.position === null ? early : late;
  return {
    ...late,
    position: placed.position,
    duration: late.duration ?? early.duration,
    furthest: Math.max(one.furthest, other.furthest),
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
    watchedAtMs: earliest(one.watchedAtMs, other.watchedAtMs),
  };
}

const earliest = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** Of a length; 0 where it is not known. */
export const shareOf = (position: number | null, duration: number | null): number =>
  position === null || duration === null || duration <= 0 ? 0 : Math.min(1, position / duration);

/** It counts as seen. */
export function isSeen(viewing: Viewing, { seenSeconds, seenShare }: ViewingRules): boolean {
  const { position, duration, furthest, watchedAtMs } = viewing;
  const seconds = Math.max(position ?? 0, furthest * (duration ?? 0));
  return watchedAtMs !== null || furthest >= seenShare || seconds >= seenSeconds;
}

/** There is something to go on with: it was begun in earnest, and is not at its end. */
export function isResumable({ position, duration }: Viewing, rules: ViewingRules): boolean {
  const share = shareOf(position, duration);
  const isBegun = (position ?? 0) >= rules.seenSeconds || share >= rules.seenShare;
  return position !== null && isBegun && share < rules.watchedShare;
}

export const placeOf = (viewing: Viewing, revision: number): Place => ({
  filmId: viewing.filmId,
  position: viewing.position ?? 0,
  duration: viewing.duration ?? 0,
  atMs: viewing.atMs,
  revision,
  furthest: viewing.furthest,
  firstAtMs: viewing.firstAtMs,
  watchedAtMs: viewing.watchedAtMs,
});

export const viewingRow = (viewing: Viewing): PersonRow => ({
  kind: 'viewing',
  film_id: viewing.filmId,
  position: viewing.position,
  duration: viewing.duration,
  furthest: viewing.furthest,
  at_ms: viewing.atMs,
  first_at_ms: viewing.firstAtMs,
  watched_at_ms: viewing.watchedAtMs,
});
