// The content store in PostgreSQL: each question one statement, each change one function of the schema, so one round trip
// and one transaction (migrations/002-changes.sql). It is opened whether the server is there or not: until its schema is up
// to date every question says why, and it is tried again each second.

import type { PipelineError } from '../../errors.ts';
import type {
  Change,
  Claim,
  ContentStore,
  FilmCounts,
  Forgotten,
  Place,
  Review,
  ViewingRules,
  Vote,
} from '../../ports/content.ts';
import { sleep } from '../../process/sleep.ts';
import { personRows, statesOf } from './all-rows.ts';
import { client, type Param } from './client.ts';
import { isWithoutSchema, toPipelineError } from './error.ts';
import { gathered } from './gathered.ts';
import { candidate } from './lead.ts';
import { migrate } from './migrate.ts';
import { changes, places, reads, reviewPage } from './statements.ts';
import type { DatabaseOptions } from './url.ts';

export interface PostgresContentOptions extends DatabaseOptions {
  readonly viewing: ViewingRules;
}

/** Nothing to sum is null. */
type Summed = FilmCounts | { readonly likes: null };

const tryAgainMs = 1_000;
const none: FilmCounts = { likes: 0, dislikes: 0, reviews: 0, ratingSum: 0, bookmarks: 0 };
/** After every moment and film. */
const fromTheFirst = { atMs: Number.MAX_SAFE_INTEGER, filmId: '' } as const;

export function postgresContent({ viewing: rules, ...database }: PostgresContentOptions): ContentStore {
  const { read, write, problem, close } = questions(database);
  const leading = candidate(database);
  const countsOf = gathered(async filmIds => {
    const [filmId = ''] = filmIds;
    const found =
      filmIds.length === 1
        ? [await read<Summed>(reads.counts, filmId)]
        : await read<readonly Summed[]>(reads.countsOfMany, JSON.stringify(filmIds));
    return found.map(counts => (counts.likes === null ? null : counts));
  });
  const listed = { resumable: places(rules, true), seen: places(rules, false) };

  return {
    vote: (filmId, vote, change) => write(changes.vote, filmId, vote, ...by(change)),
    voteOf: async (filmId, userId) => (await read<Vote | null>(reads.voteOf, filmId, userId)) ?? 0,
    counts: async filmId => (await countsOf(filmId)) ?? none,
    bookmark: (filmId, isSet, change) => write(changes.bookmark, filmId, isSet, ...by(change)),
    isBookmarked: async (filmId, userId) => (await read<boolean | null>(reads.isBookmarked, filmId, userId)) ?? false,
    bookmarks: (userId, after, countMax) => {
      const { atMs, filmId } = after ?? fromTheFirst;
      return read(reads.bookmarks, userId, atMs, filmId, countMax);
    },
    postReview: ({ id, filmId, rating, text, state }, change) =>
      write(changes.postReview, id, filmId, rating, text, state, ...by(change)),
    review: id => read<Review | null>(reads.review, id),
    reviews: query => {
      const { sql, params } = reviewPage(query);
      return read(sql, ...params);
    },
    editReview: (id, { rating = null, text = null, state = null, revision = null }, change) =>
      write(changes.changeReview, 'review_edited', id, rating, text, state, revision, ...by(change)),
    deleteReview: (id, revision, change) =>
      write(changes.changeReview, 'review_deleted', id, null, null, null, revision ?? null, ...by(change)),
    moderate: (id, state, change) =>
      write(changes.changeReview, 'review_moderated', id, null, null, state, null, ...by(change)),
    voteReview: (id, vote, change) => write(changes.voteReview, id, vote, ...by(change)),
    reviewVoteOf: async (id, userId) => (await read<Vote | null>(reads.reviewVoteOf, id, userId)) ?? 0,
    savePlace: ({ filmId, position, duration }, change) =>
      write(changes.savePlace, filmId, position, duration, rules.watchedShare, ...by(change)),
    place: (filmId, userId) => read<Place | null>(reads.place, filmId, userId),
    places: ({ userId, isResumable, after, countMax }) => {
      const { atMs, filmId } = after ?? fromTheFirst;
      return read(isResumable ? listed.resumable : listed.seen, userId, atMs, filmId, countMax);
    },
    removePlace: (filmId, change) => write(changes.removePlace, filmId, ...by(change)),
    mergeViewings: async viewings => {
      if (viewings.length === 0) return;
      // By user and film, for the order of locks.
      const key = ({ userId, filmId }: (typeof viewings)[number]): string => `${userId}\u0000${filmId}`;
      const sorted = viewings.toSorted((one, other) => Number(key(one) > key(other)) - Number(key(one) < key(other)));
      await write(changes.mergeViewings, JSON.stringify(sorted));
    },
    claim: (userId, key, hash, atMs) => write<Claim>(changes.claim, userId, key, hash, atMs),
    settle: (userId, key, answer) => write(changes.settle, userId, key, answer),
    lead: leading.lead,
    outbox: () => read(reads.outbox),
    states: kind => statesOf((sql, params) => read(sql, ...params), kind),
    person: userId => personRows((sql, params) => read(sql, ...params), userId),
    forget: (userId, keepReviews) => write<Forgotten>(changes.forget, userId, keepReviews),
    problem,
    async close() {
      await leading.close();
      await close();
    },
  };
}

const by = ({ userId, atMs, eventId }: Change): readonly [string, number, string] => [userId, atMs, eventId];

interface Questions {
  read<Answer>(sql: string, ...params: readonly Param[]): Promise<Answer>;
  write<Answer>(sql: string, ...params: readonly Param[]): Promise<Answer>;
  problem(): string | null;
  close(): Promise<void>;
}

/** A pool whose schema is known to be there, or is being made. */
function questions(database: DatabaseOptions): Questions {
  const pool = client(database);
  const closing = new AbortController();
  let lacking: PipelineError | null = null;
  /** Resolves when the schema is there; of one try. */
  let ready: Promise<void> | null = null;
  let isMending = false;

  const prepared = (): Promise<void> => {
    ready ??= migrate(pool).catch(error => {
      ready = null;
      throw error;
    });
    return ready;
  };

  async function ask<Answer>(sql: string, params: readonly Param[], isWrite: boolean): Promise<Answer> {
    try {
      // Known not to be there a moment ago: it is tried again below, not by each that asks.
      if (isMending && ready === null && lacking !== null) throw lacking;
      await prepared().catch(error => {
        throw toPipelineError(error, false);
      });
      const answer = await pool.ask<Answer>(sql, params, isWrite);
      lacking = null;
      return answer;
    } catch (error) {
      const failed = toPipelineError(error, isWrite);
      if (isWithoutSchema(failed.cause)) ready = null;
      if (failed.code !== 'invalid') void mend(failed);
      throw failed;
    }
  }

  /** Until it answers again, though nobody asks. */
  async function mend(failed: PipelineError): Promise<void> {
    lacking = failed;
    if (isMending) return;
    isMending = true;
    while (!closing.signal.aborted && lacking !== null) {
      await sleep(tryAgainMs, closing.signal);
      if (lacking === null || closing.signal.aborted) break;
      try {
        await prepared();
        await pool.ask("SELECT 'true' AS answer", [], false);
        lacking = null;
      } catch (error) {
        lacking = toPipelineError(error, false);
      }
    }
    isMending = false;
  }

  void prepared().catch(error => mend(toPipelineError(error, false)));
  return {
    read: (sql, ...params) => ask(sql, params, false),
    write: (sql, ...params) => ask(sql, params, true),
    problem: () => lacking?.message ?? null,
    async close() {
      closing.abort();
      await pool.close();
    },
  };
}
