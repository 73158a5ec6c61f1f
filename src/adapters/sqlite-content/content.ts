// The content store in one SQLite file: ContentStore over a thread that writes (thread.ts, worker.ts) and a connection that
// reads (reads.ts). What is resolved has been fsynced, and is read by the next question.
//
// A folder without room, one that may not be written, a damaged file: each question says so in words, and the next one is
// tried on the file as it is then.

import { PipelineError } from '../../errors.ts';
import type { ContentStore, Outbox, ReviewChange, ViewingRules } from '../../ports/content.ts';
import { persistently } from '../../process/sleep.ts';
import { type Ask, personRows, statesOf } from './all-rows.ts';
import { type Connection, openContent, toPipelineError } from './file.ts';
import { holdLead } from './lead.ts';
import { type Reads, readsOver } from './reads.ts';
import { writingThread } from './thread.ts';

export interface SqliteContentOptions {
  readonly path: string;
  readonly viewing: ViewingRules;
}

type Leading = Pick<ContentStore, 'lead'> & { close(): void };
type Posted = Extract<ReviewChange, { outcome: 'done' | 'not_own' }>;

const leadAgainMs = 1_000;

export function sqliteContent({ path, viewing }: SqliteContentOptions): ContentStore {
  const thread = writingThread({ path, viewing });
  let open: { readonly connection: Connection; readonly reads: Reads } | null = null;
  let unread: PipelineError | null = null;
  let isClosed = false;

  function read<T>(ask: (reads: Reads, connection: Connection) => T): T {
    if (isClosed) throw new PipelineError('store_unavailable', 'The content store is closed');
    try {
      open ??= opened();
      const answer = ask(open.reads, open.connection);
      unread = null;
      return answer;
    } catch (error) {
      open?.connection.close();
      open = null;
      unread = toPipelineError(error, path);
      throw unread;
    }
  }

  function opened(): NonNullable<typeof open> {
    const connection = openContent(path);
    try {
      return { connection, reads: readsOver(connection, viewing) };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  const ask: Ask = <Row>(sql: string, params: Parameters<Ask>[1]) =>
    read((_, { once }) => once(sql, params) as readonly Row[]);
  const leading = leadOf(path, thread, read);

  return {
    vote: (filmId, vote, change) => thread.do('vote', filmId, vote, change),
    voteOf: async (filmId, userId) => read(({ voteOf }) => voteOf(filmId, userId)),
    counts: async filmId => read(({ counts }) => counts(filmId)),
    bookmark: (filmId, isSet, change) => thread.do('bookmark', filmId, isSet, change),
    isBookmarked: async (filmId, userId) => read(({ isBookmarked }) => isBookmarked(filmId, userId)),
    bookmarks: async (userId, after, countMax) => read(({ bookmarks }) => bookmarks(userId, after, countMax)),
    postReview: (review, change) => thread.do('postReview', review, change) as Promise<Posted>,
    review: async id => read(({ review }) => review(id)),
    reviews: async query => read(({ reviews }) => reviews(query)),
    editReview: (id, edit, change) => thread.do('editReview', id, edit, change),
    deleteReview: (id, revision, change) => thread.do('deleteReview', id, revision ?? null, change),
    moderate: (id, state, change) => thread.do('moderate', id, state, change),
    voteReview: (id, vote, change) => thread.do('voteReview', id, vote, change),
    reviewVoteOf: async (id, userId) => read(({ reviewVoteOf }) => reviewVoteOf(id, userId)),
    savePlace: (place, change) => thread.do('savePlace', place, change),
    place: async (filmId, userId) => read(({ place }) => place(filmId, userId)),
    places: async query => read(({ places }) => places(query)),
    removePlace: async (filmId, change) => void (await thread.do('removePlace', filmId, change)),
    mergeViewings: async viewings => void (await thread.do('mergeViewings', viewings)),
    claim: (userId, key, hash, atMs) => thread.do('claim', userId, key, hash, atMs),
    settle: async (userId, key, answer) => void (await thread.do('settle', userId, key, answer)),
    lead: leading.lead,
    outbox: async () => read(({ outbox }) => outbox()),
    states: kind => statesOf(ask, kind),
    person: userId => personRows(ask, userId),
    forget: (userId, keepReviews) => thread.do('forget', userId, keepReviews),
    problem: () => thread.problem() ?? unread?.message ?? null,
    async close() {
      if (isClosed) return;
      leading.close();
      await thread.close();
      isClosed = true;
      open?.connection.close();
      open = null;
    },
  };
}

function leadOf(
  path: string,
  thread: ReturnType<typeof writingThread>,
  read: <T>(ask: (reads: Reads) => T) => T,
): Leading {
  const closing = new AbortController();
  const ended = new Set<(reason: string) => void>();

  async function elected(signal: AbortSignal): Promise<Outbox | null> {
    const held = await holdLead(path, signal);
    if (held === null) return null;
    const token = crypto.randomUUID();
    const lost = Promise.withResolvers<string>();
    const end = (reason: string): void => {
      if (!ended.delete(end)) return;
      held.release();
      lost.resolve(reason);
    };
    ended.add(end);
    try {
      await thread.do('takeLead', token);
    } catch (error) {
      end('it could not be taken');
      throw error;
    }
    const gone = (): never => {
      throw new PipelineError('store_unavailable', 'Another may publish what changes by now');
    };
    return {
      read: async countMax => (ended.has(end) ? read(({ waiting }) => waiting(countMax)) : gone()),
      published: async events =>
        ended.has(end)
          ? void (await thread.do(
              'published',
              events.map(one => one.sequence),
              token,
            ))
          : gone(),
      lost: lost.promise,
      close: async () => end('closed'),
    };
  }

  return {
    lead(signal) {
      const until = AbortSignal.any([signal, closing.signal]);
      // No room, or no right to write: the store's `problem` says it.
      return persistently(() => elected(until), { pauseMs: leadAgainMs, signal: until });
    },
    close() {
      closing.abort();
      for (const end of [...ended]) end('the store is closed');
    },
  };
}
