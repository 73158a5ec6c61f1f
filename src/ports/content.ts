// The content store: likes, reviews, bookmarks and where viewing stopped, and the outbox of the events that tell of it.
//
// - Every change is one statement or one transaction: state, counts and the event that tells of it, or nothing. Resolved =
//   durable. What changes nothing (the same like again) tells of nothing.
// - Every write may be repeated with the same arguments, also after `store_unknown` (the connection was lost at its commit):
//   ids and times come from the caller, so it is done once and answered as the first time.
// - `revision` counts the changes of one like, bookmark, review or place: it is what `If-Match` names, and the order of its
//   events, whatever clocks say.
// - Rejects with `store_unavailable` (nothing was done), `store_unknown` (it may have been done), `store_halted` (an operator
//   has to repair something).

/** Who did it and when; what its event will be called. */
export interface Change {
  readonly userId: string;
  /** Epoch milliseconds, of the server. */
  readonly atMs: number;
  /** UUIDv7, made before the first try; also of the review that is posted. */
  readonly eventId: string;
}

export type Vote = -1 | 0 | 1;

/** Of a film. `ratings`: how many shown reviews, `ratingSum` the sum of what they give. */
export interface FilmCounts {
  readonly likes: number;
  readonly dislikes: number;
  readonly reviews: number;
  readonly ratingSum: number;
  readonly bookmarks: number;
}

export const reviewStates = ['pending', 'approved', 'rejected', 'spam'] as const;
export type ReviewState = (typeof reviewStates)[number];

export interface Review {
  readonly id: string;
  readonly filmId: string;
  /** Null: its author was forgotten, the review was kept. */
  readonly userId: string | null;
  readonly rating: number;
  readonly text: string;
  readonly state: ReviewState;
  readonly likes: number;
  readonly dislikes: number;
  readonly revision: number;
  readonly createdAtMs: number;
  readonly editedAtMs: number | null;
}

export const reviewOrders = ['newest', 'oldest', 'highest', 'lowest', 'useful'] as const;
/** useful: likes less dislikes, then the newest. */
export type ReviewOrder = (typeof reviewOrders)[number];

/** The value a review is ordered by. */
export const rankOf: Readonly<Record<ReviewOrder, (review: Review) => number>> = {
  newest: ({ createdAtMs }) => createdAtMs,
  oldest: ({ createdAtMs }) => createdAtMs,
  highest: ({ rating }) => rating,
  lowest: ({ rating }) => rating,
  useful: ({ likes, dislikes }) => likes - dislikes,
};

/** The last review of the page before: the value it was ordered by, and its id. */
export interface ReviewKey {
  readonly value: number;
  readonly id: string;
}

export interface ReviewQuery {
  /** Absent = of all films. */
  readonly filmId?: string;
  /** Absent = of all users. */
  readonly userId?: string;
  readonly states: readonly ReviewState[];
  readonly order: ReviewOrder;
  readonly after: ReviewKey | null;
  readonly countMax: number;
}

/** What a change of a review came to. `stale`: it is of another revision than was asked for. */
export type ReviewChange =
  | { readonly outcome: 'done'; readonly review: Review }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'not_own' }
  | { readonly outcome: 'stale'; readonly review: Review };

/** Position and length in seconds; `share` from 0 to 1. */
export interface Place {
  readonly filmId: string;
  readonly position: number;
  readonly duration: number;
  readonly atMs: number;
  readonly revision: number;
  /** The furthest it has ever been seen, as a part of the length. */
  readonly furthest: number;
  readonly firstAtMs: number;
  /** Once watched, always watched; null = never. */
  readonly watchedAtMs: number | null;
}

/**
 * What is known of a user and a film from one or many events. Merging is commutative and idempotent: the latest
 * (`atMs`, then `eventId`) has the position, the furthest and the earliest are kept, what was watched stays watched.
 */
export interface Viewing {
  readonly userId: string;
  readonly filmId: string;
  readonly atMs: number;
  readonly eventId: string;
  /** Null: nothing says where. */
  readonly position: number | null;
  readonly duration: number | null;
  readonly furthest: number;
  readonly firstAtMs: number;
  readonly watchedAtMs: number | null;
}

export interface PlaceQuery {
  readonly userId: string;
  /** Only places to resume at; else all films that count as seen, by the rules the store was opened with. */
  readonly isResumable: boolean;
  readonly after: { readonly atMs: number; readonly filmId: string } | null;
  readonly countMax: number;
}

/** From when on something was seen, and from when on it was watched. */
export interface ViewingRules {
  /** Seen, and a place to resume at, from so many seconds or such a share on, whichever comes first. */
  readonly seenSeconds: number;
  readonly seenShare: number;
  /** Watched, and nothing to resume, from this share on. */
  readonly watchedShare: number;
}

/** An event that waits to be published. */
export interface OutboxEvent {
  /** The order of the queue; says nothing of what was published. */
  readonly sequence: string;
  readonly eventId: string;
  readonly type: string;
  readonly userId: string;
  readonly atMs: number;
  /** Fields of its own type, by name. */
  readonly fields: Readonly<Record<string, string | number>>;
}

export interface OutboxState {
  readonly events: number;
  /** Epoch milliseconds; null = it is empty. */
  readonly oldestAtMs: number | null;
}

/** The one relay there is, as long as it is. */
export interface Outbox {
  /** The first of those that wait, in order per user and film; does not take them out. */
  read(countMax: number): Promise<readonly OutboxEvent[]>;
  /** They are in the log. Rejects when another has the outbox by now; nothing is lost, they are published again. */
  published(events: readonly OutboxEvent[]): Promise<void>;
  /** Resolves, with the reason, once another may have it. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}

export type Claim =
  /** It was not seen before, or has had no answer yet: do it (again). */
  | { readonly outcome: 'first' | 'again' }
  | { readonly outcome: 'answered'; readonly answer: string }
  /** The key stands for another request. */
  | { readonly outcome: 'other' };

/** What is there of a person, a line each. */
export interface PersonRow {
  readonly kind: 'like' | 'review' | 'review_like' | 'bookmark' | 'viewing';
  readonly [field: string]: string | number | null;
}

export interface Forgotten {
  readonly likes: number;
  readonly reviews: number;
  readonly reviewLikes: number;
  readonly bookmarks: number;
  readonly viewings: number;
  /** Waited in the outbox, and will never be published. */
  readonly events: number;
}

/** One row of the state, for who compares it with the tables; `id` of a review. What was taken back is none. */
export interface StateRow {
  readonly userId: string | null;
  readonly filmId: string;
  readonly id: string;
  /** Of a like 1 or -1, of a review its rating, of a bookmark 1. */
  readonly value: number;
  readonly revision: number;
}

export interface ContentStore {
  /** Resolves with how it is now. 0 takes it back. */
  vote(filmId: string, vote: Vote, change: Change): Promise<{ readonly vote: Vote; readonly revision: number }>;
  voteOf(filmId: string, userId: string): Promise<Vote>;
  counts(filmId: string): Promise<FilmCounts>;

  bookmark(filmId: string, isSet: boolean, change: Change): Promise<{ readonly revision: number }>;
  isBookmarked(filmId: string, userId: string): Promise<boolean>;
  /** The latest first. */
  bookmarks(
    userId: string,
    after: { readonly atMs: number; readonly filmId: string } | null,
    countMax: number,
  ): Promise<readonly { readonly filmId: string; readonly atMs: number }[]>;

  /** `id`: of the review; the same one again is the same review, as it is now. */
  postReview(
    review: Pick<Review, 'id' | 'filmId' | 'rating' | 'text' | 'state'>,
    change: Change,
  ): Promise<Extract<ReviewChange, { outcome: 'done' | 'not_own' }>>;
  review(id: string): Promise<Review | null>;
  reviews(query: ReviewQuery): Promise<readonly Review[]>;
  /** `state`: what it is in from now on; absent = as it was. `revision`: absent = whichever it is of. */
  editReview(
    id: string,
    edit: {
      readonly rating?: number;
      readonly text?: string;
      readonly state?: ReviewState;
      readonly revision?: number;
    },
    change: Change,
  ): Promise<ReviewChange>;
  /** What it said is gone; that it was there is kept. */
  deleteReview(id: string, revision: number | undefined, change: Change): Promise<ReviewChange>;
  /** By a moderator, who is `change.userId`. */
  moderate(id: string, state: ReviewState, change: Change): Promise<ReviewChange>;
  /** Of a review; one's own cannot be voted for (`not_own` says so). */
  voteReview(id: string, vote: Vote, change: Change): Promise<ReviewChange>;
  reviewVoteOf(id: string, userId: string): Promise<Vote>;

  savePlace(
    place: { readonly filmId: string; readonly position: number; readonly duration: number },
    change: Change,
  ): Promise<Place>;
  place(filmId: string, userId: string): Promise<Place | null>;
  /** The latest first. */
  places(query: PlaceQuery): Promise<readonly Place[]>;
  /** What was seen up to now is taken from the history; what is seen later is in it again. */
  removePlace(filmId: string, change: Change): Promise<void>;
  /** At once or not at all. */
  mergeViewings(viewings: readonly Viewing[]): Promise<void>;

  /** `hash`: of the request. Kept for a day. */
  claim(userId: string, key: string, hash: string, atMs: number): Promise<Claim>;
  settle(userId: string, key: string, answer: string): Promise<void>;

  /** Waits until no other has it; resolves with null at the abort. Of all processes at most one has it. */
  lead(signal: AbortSignal): Promise<Outbox | null>;
  outbox(): Promise<OutboxState>;

  /** Everything of a kind, in chunks, by user and film. */
  states(kind: 'likes' | 'bookmarks' | 'reviews'): AsyncIterable<readonly StateRow[]>;
  person(userId: string): AsyncIterable<readonly PersonRow[]>;
  /** `keepReviews`: they stay, without their author. */
  forget(userId: string, keepReviews: boolean): Promise<Forgotten>;

  /** In words what keeps it from answering just now; null = nothing. */
  problem(): string | null;
  /** Idempotent. Waits for what is under way. */
  close(): Promise<void>;
}
