// The content store without a disk: the same contract in a few maps, for tests and as the model the real ones are held
// against. Nothing survives the process.

import type {
  Change,
  ContentStore,
  FilmCounts,
  Forgotten,
  PersonRow,
  StateRow,
  Viewing,
  ViewingRules,
  Vote,
} from '../../ports/content.ts';
import { memoryOutbox } from './outbox.ts';
import { type KeptVote, memoryReviews, recount, reviewRow } from './reviews.ts';
import { isResumable, isSeen, mergedViewing, placeOf, shareOf, viewingRow } from './viewings.ts';

export interface MemoryContentOptions {
  readonly viewing: ViewingRules;
}

interface Mark {
  readonly isSet: boolean;
  readonly atMs: number;
  readonly revision: number;
}

interface KeptViewing {
  /** Null = taken from the history, and not seen since. */
  viewing: Viewing | null;
  revision: number;
  /** Of the last place that was saved, or taken back. */
  eventId: string;
  removedAtMs: number;
}

const dayMs = 86_400_000;
const chunkRows = 1_000;

/** By film and user; the first map is what both are asked by. */
type ByFilm<T> = Map<string, Map<string, T>>;

export function memoryContent({ viewing: rules }: MemoryContentOptions): ContentStore {
  const outbox = memoryOutbox();
  const { kept: keptReviews, ...reviewing } = memoryReviews(outbox);
  const votes: ByFilm<KeptVote> = new Map();
  const marks: ByFilm<Mark> = new Map();
  const viewings: ByFilm<KeptViewing> = new Map();
  const claims = new Map<string, { readonly hash: string; readonly atMs: number; answer: string | null }>();

  const votesFor = (filmId: string, wanted: Vote): number =>
    [...(votes.get(filmId)?.values() ?? [])].filter(({ vote }) => vote === wanted).length;

  function countsOf(filmId: string): FilmCounts {
    const shown = [...keptReviews.values()].filter(
      ({ isDeleted, review }) => !isDeleted && review.filmId === filmId && review.state === 'approved',
    );
    return {
      likes: votesFor(filmId, 1),
      dislikes: votesFor(filmId, -1),
      reviews: shown.length,
      ratingSum: shown.reduce((sum, { review }) => sum + review.rating, 0),
      bookmarks: [...(marks.get(filmId)?.values() ?? [])].filter(({ isSet }) => isSet).length,
    };
  }

  function viewed(filmId: string, userId: string): KeptViewing {
    return orMade(orMade(viewings, filmId, newMap<KeptViewing>), userId, () => ({
      viewing: null,
      revision: 0,
      eventId: '',
      removedAtMs: Number.NEGATIVE_INFINITY,
    }));
  }

  function merge(viewing: Viewing): void {
    const kept = viewed(viewing.filmId, viewing.userId);
    if (viewing.atMs <= kept.removedAtMs) return;
    kept.viewing = kept.viewing === null ? viewing : mergedViewing(kept.viewing, viewing);
  }

  function saved(filmId: string, position: number, duration: number, { userId, atMs, eventId }: Change): Viewing {
    const share = shareOf(position, duration);
    return {
      ...{ userId, filmId, atMs, eventId, position, duration, furthest: share, firstAtMs: atMs },
      watchedAtMs: share >= rules.watchedShare ? atMs : null,
    };
  }

  return {
    ...reviewing,
    vote: async (filmId, vote, change) => {
      const ofFilm = orMade(votes, filmId, newMap<KeptVote>);
      const before = ofFilm.get(change.userId);
      if ((before?.vote ?? 0) === vote) return { vote, revision: before?.revision ?? 0 };
      const revision = (before?.revision ?? 0) + 1;
      ofFilm.set(change.userId, { vote, revision, atMs: change.atMs });
      if (vote === 0) outbox.tell('film_unliked', change, { film_id: filmId, revision });
      else outbox.tell('film_liked', change, { film_id: filmId, value: vote, revision });
      return { vote, revision };
    },
    voteOf: async (filmId, userId) => votes.get(filmId)?.get(userId)?.vote ?? 0,
    counts: async filmId => countsOf(filmId),

    bookmark: async (filmId, isSet, change) => {
      const ofFilm = orMade(marks, filmId, newMap<Mark>);
      const before = ofFilm.get(change.userId);
      if ((before?.isSet ?? false) === isSet) return { revision: before?.revision ?? 0 };
      const revision = (before?.revision ?? 0) + 1;
      ofFilm.set(change.userId, { isSet, atMs: change.atMs, revision });
      outbox.tell(isSet ? 'bookmark_added' : 'bookmark_removed', change, { film_id: filmId, revision });
      return { revision };
    },
    isBookmarked: async (filmId, userId) => marks.get(filmId)?.get(userId)?.isSet ?? false,
    bookmarks: async (userId, after, countMax) =>
      latestFirst(
        ofUser(marks, userId).filter(({ isSet }) => isSet),
        after,
        countMax,
      ).map(({ filmId, atMs }) => ({ filmId, atMs })),

    savePlace: async ({ filmId, position, duration }, change) => {
      const kept = viewed(filmId, change.userId);
      if (kept.eventId !== change.eventId) {
        kept.revision++;
        kept.eventId = change.eventId;
        const viewing = saved(filmId, position, duration, change);
        kept.viewing = kept.viewing === null ? viewing : mergedViewing(kept.viewing, viewing);
        outbox.tell('progress_saved', change, { film_id: filmId, position, duration, revision: kept.revision });
      }
      return placeOf(kept.viewing ?? saved(filmId, position, duration, change), kept.revision);
    },
    place: async (filmId, userId) => {
      const kept = viewings.get(filmId)?.get(userId);
      return kept?.viewing == null ? null : placeOf(kept.viewing, kept.revision);
    },
    places: async ({ userId, isResumable: isWanted, after, countMax }) => {
      const counts = isWanted ? isResumable : isSeen;
      const found = ofUser(viewings, userId).flatMap(({ viewing, revision }) =>
        viewing !== null && counts(viewing, rules) ? [placeOf(viewing, revision)] : [],
      );
      return latestFirst(found, after, countMax);
    },
    removePlace: async (filmId, change) => {
      const kept = viewed(filmId, change.userId);
      if (kept.eventId === change.eventId) return;
      kept.removedAtMs = Math.max(kept.removedAtMs, change.atMs, kept.viewing?.atMs ?? 0);
      if (kept.viewing === null) return;
      kept.viewing = null;
      kept.revision++;
      kept.eventId = change.eventId;
      outbox.tell('progress_removed', change, { film_id: filmId, revision: kept.revision });
    },
    mergeViewings: async merged => {
      for (const viewing of merged) merge(viewing);
    },

    claim: async (userId, key, hash, atMs) => {
      const name = JSON.stringify([userId, key]);
      const before = claims.get(name);
      if (before === undefined || before.atMs < atMs - dayMs) {
        claims.set(name, { hash, atMs, answer: null });
        return { outcome: 'first' };
      }
      if (before.hash !== hash) return { outcome: 'other' };
      return before.answer === null ? { outcome: 'again' } : { outcome: 'answered', answer: before.answer };
    },
    settle: async (userId, key, answer) => {
      const claimed = claims.get(JSON.stringify([userId, key]));
      if (claimed !== undefined) claimed.answer = answer;
    },

    lead: outbox.lead,
    outbox: async () => ({ events: outbox.waiting.length, oldestAtMs: outbox.waiting[0]?.atMs ?? null }),

    states: async function* (kind) {
      const rows = statesOf(kind).toSorted(byUserAndFilm);
      for (let at = 0; at < rows.length; at += chunkRows) yield rows.slice(at, at + chunkRows);
    },
    person: async function* (userId) {
      const rows = personOf(userId);
      if (rows.length > 0) yield rows;
    },
    forget: async (userId, keepReviews) => forgotten(userId, keepReviews),
    problem: () => null,
    close: async () => outbox.close(),
  };

  function statesOf(kind: 'likes' | 'bookmarks' | 'reviews'): StateRow[] {
    if (kind === 'reviews')
      return [...keptReviews.values()]
        .filter(({ isDeleted }) => !isDeleted)
        .map(({ review: { userId, filmId, id, rating, revision } }) => ({
          userId,
          filmId,
          id,
          value: rating,
          revision,
        }));
    if (kind === 'likes')
      return flat(votes)
        .filter(({ vote }) => vote !== 0)
        .map(({ userId, filmId, vote, revision }) => ({ userId, filmId, id: '', value: vote, revision }));
    return flat(marks)
      .filter(({ isSet }) => isSet)
      .map(({ userId, filmId, revision }) => ({ userId, filmId, id: '', value: 1, revision }));
  }

  function personOf(userId: string): PersonRow[] {
    const given = [...keptReviews.values()].filter(({ isDeleted }) => !isDeleted);
    return [
      ...ofUser(votes, userId)
        .filter(({ vote }) => vote !== 0)
        .map(({ filmId, vote, atMs }) => ({ kind: 'like' as const, film_id: filmId, value: vote, at_ms: atMs })),
      ...given.flatMap(({ review }) => (review.userId === userId ? [reviewRow(review)] : [])),
      ...given.flatMap(({ review, votes: found }) => {
        const { vote = 0, atMs = 0 } = found.get(userId) ?? {};
        return vote === 0 ? [] : [{ kind: 'review_like' as const, review_id: review.id, value: vote, at_ms: atMs }];
      }),
      ...ofUser(marks, userId)
        .filter(({ isSet }) => isSet)
        .map(({ filmId, atMs }) => ({ kind: 'bookmark' as const, film_id: filmId, at_ms: atMs })),
      ...ofUser(viewings, userId).flatMap(({ viewing }) => (viewing === null ? [] : [viewingRow(viewing)])),
    ];
  }

  function forgotten(userId: string, keepReviews: boolean): Forgotten {
    const own = [...keptReviews.entries()].filter(([, { review }]) => review.userId === userId);
    const result: Forgotten = {
      likes: ofUser(votes, userId).filter(({ vote }) => vote !== 0).length,
      reviews: own.filter(([, { isDeleted }]) => !isDeleted).length,
      reviewLikes: [...keptReviews.values()].filter(
        ({ isDeleted, votes: found }) => !isDeleted && (found.get(userId)?.vote ?? 0) !== 0,
      ).length,
      bookmarks: ofUser(marks, userId).filter(({ isSet }) => isSet).length,
      viewings: ofUser(viewings, userId).filter(({ viewing }) => viewing !== null).length,
      events: outbox.forget(userId),
    };
    for (const kept of [votes, marks, viewings]) for (const ofFilm of kept.values()) ofFilm.delete(userId);
    for (const [id, kept] of own)
      if (keepReviews && !kept.isDeleted) kept.review = { ...kept.review, userId: null };
      else keptReviews.delete(id);
    for (const kept of keptReviews.values()) if (kept.votes.delete(userId)) recount(kept);
    for (const name of claims.keys()) if (JSON.parse(name)[0] === userId) claims.delete(name);
    return result;
  }
}

const newMap = <T>(): Map<string, T> => new Map();

function orMade<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

const flat = <T>(kept: ByFilm<T>): (T & { readonly filmId: string; readonly userId: string })[] =>
  [...kept].flatMap(([filmId, ofFilm]) => [...ofFilm].map(([userId, one]) => ({ ...one, filmId, userId })));

const ofUser = <T>(kept: ByFilm<T>, userId: string): (T & { readonly filmId: string })[] =>
  flat(kept).filter(one => one.userId === userId);

const byUserAndFilm = (one: StateRow, other: StateRow): number =>
  compareText(one.userId ?? '', other.userId ?? '') ||
  compareText(one.filmId, other.filmId) ||
  compareText(one.id, other.id);

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** By time and, of the same moment, by film, both descending. */
function latestFirst<T extends { readonly atMs: number; readonly filmId: string }>(
  found: readonly T[],
  after: { readonly atMs: number; readonly filmId: string } | null,
  countMax: number,
): readonly T[] {
  const compare = (one: (typeof found)[number] | NonNullable<typeof after>, other: typeof one): number =>
    other.atMs - one.atMs || compareText(other.filmId, one.filmId);
  return found
    .filter(one => after === null || compare(one, after) > 0)
    .toSorted(compare)
    .slice(0, countMax);
}
