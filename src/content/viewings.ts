// What events of a player come to: who has seen which film, how far, and where they are in it. Pure; a projection of the
// log and a rebuilding from the tables make the same of the same events, in any order and however often.
//
// - film_opened says where playing begins. From the start it says nothing: who opens a film has not lost their place yet.
// - film_progress and film_closed say where the viewer is; film_watched, that it is the end.
// - An event counts at its own time, but not later than it was received: a client's clock that is ahead hides no place that
//   is saved afterwards.

import type { Viewing } from '../ports/content.ts';

/** The types it reads; a place that was saved is in the store already. */
export const viewedTypes = ['film_opened', 'film_progress', 'film_closed', 'film_watched'] as const;
export type ViewedType = (typeof viewedTypes)[number];

export const isViewedType = (type: string): type is ViewedType => viewedTypes.some(name => name === type);

/** An event as it stands in the log, parsed. */
export type StoredEvent = Readonly<Record<string, unknown>>;

/** Null: it says nothing of a user. Undefined: it is no such event. */
export function viewingOf(event: StoredEvent, watchedShare: number): Viewing | null | undefined {
  const { event_type: type, event_id: eventId, user_id: userId, video_id: filmId, duration } = event;
  if (userId === null || userId === '') return null;
  const atMs = Math.min(msOf(event.timestamp), msOf(event.received_at));
  const position = type === 'film_watched' ? duration : event.position;
  if (typeof eventId !== 'string' || typeof userId !== 'string' || typeof filmId !== 'string') return undefined;
  if (typeof type !== 'string' || !isViewedType(type)) return undefined;
  if (!isAmount(position) || !isAmount(duration) || Number.isNaN(atMs)) return undefined;
  if (type === 'film_opened' && position === 0) return null;
  const furthest = type === 'film_watched' ? 1 : furthestOf(position, duration, event.share);
  const watchedAtMs = furthest >= watchedShare ? atMs : null;
  return { userId, filmId, atMs, eventId, position, duration, furthest, firstAtMs: atMs, watchedAtMs };
}

const msOf = (time: unknown): number => (typeof time === 'string' ? Date.parse(time) : Number.NaN);

const isAmount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < Infinity;

/** As far as the event says itself, or as far as its place in the length is, whichever is more. */
const furthestOf = (position: number, duration: number, share: unknown): number =>
  Math.min(1, Math.max(isAmount(share) ? share : 0, duration > 0 ? position / duration : 0));

/** By user and film. The store merges them with what it has; here they are as few as can be. */
export function merged(viewings: Iterable<Viewing>): readonly Viewing[] {
  const found = new Map<string, Viewing>();
  for (const viewing of viewings) {
    const part = JSON.stringify([viewing.userId, viewing.filmId]);
    const before = found.get(part);
    found.set(part, before === undefined ? viewing : mergedTwo(before, viewing));
  }
  return [...found.values()];
}

function mergedTwo(one: Viewing, other: Viewing): Viewing {
  const isLater = one.atMs === other.atMs ? one.eventId >= other.eventId : one.atMs > other.atMs;
  return {
    ...(isLater ? one : other),
    furthest: Math.max(one.furthest, other.furthest),
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
    watchedAtMs: earliest(one.watchedAtMs, other.watchedAtMs),
  };
}

const earliest = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);
