// Random operations of several users, drawn from one seed: the same ones for a store and for its model.

import type { ContentStore, Vote } from '../../src/ports/content.ts';
import { gathered } from './content.ts';
import type { Random } from './random.ts';

/** One question or change, and how it reads when it differs. */
export interface Operation {
  readonly words: string;
  on(store: ContentStore): Promise<unknown>;
}

const users = ['ann', 'bob', 'cid', 'dée'];
const films = ['a', 'b', 'ç'];
const votes: readonly Vote[] = [-1, 0, 1];
const states = ['pending', 'approved', 'rejected', 'spam'] as const;
const orders = ['newest', 'oldest', 'highest', 'lowest', 'useful'] as const;

/** What is drawn is drawn once, so that both are asked the same. */
export function operationsOf(random: Random): () => Operation {
  let atMs = 1_750_000_000_000;
  let ids = 0;
  const reviewId = (): string => `r${random.between(0, 9)}`;
  // Now and then a change that was sent before is sent again, as it was.
  let last = { userId: 'ann', atMs, eventId: 'e0' };
  const change = (): typeof last => {
    if (random.next() < 0.1) return last;
    atMs += random.between(0, 3); // moments that are the same, too
    last = { userId: random.pick(users), atMs, eventId: `e${String(++ids).padStart(6, '0')}` };
    return last;
  };

  /** Now and then it is another day. */
  const later = (): number => {
    if (random.next() < 0.2) atMs += 90_000_000;
    return atMs;
  };

  const kinds: readonly (() => [name: keyof ContentStore, ...args: unknown[]])[] = [
    () => ['vote', random.pick(films), random.pick(votes), change()],
    () => ['vote', random.pick(films), random.pick(votes), change()],
    () => ['bookmark', random.pick(films), random.next() < 0.6, change()],
    () => ['postReview', posted(), change()],
    () => ['editReview', reviewId(), edited(), change()],
    () => ['deleteReview', reviewId(), random.next() < 0.5 ? undefined : random.between(1, 3), change()],
    () => ['moderate', reviewId(), random.pick(states), change()],
    () => ['voteReview', reviewId(), random.pick(votes), change()],
    () => [
      'savePlace',
      { filmId: random.pick(films), position: random.between(0, 110), duration: random.pick([100, 0, 90.5]) },
      change(),
    ],
    () => ['removePlace', random.pick(films), change()],
    () => ['mergeViewings', Array.from({ length: random.between(0, 3) }, viewing)],
    () => ['claim', random.pick(users), random.pick(['k', 'l']), random.pick(['h', 'i']), later()],
    () => ['settle', random.pick(users), random.pick(['k', 'l']), `answer ${++ids}`],
    () => ['counts', random.pick(films)],
    () => ['voteOf', random.pick(films), random.pick(users)],
    () => ['isBookmarked', random.pick(films), random.pick(users)],
    () => ['bookmarks', random.pick(users), null, random.between(1, 3)],
    () => ['review', reviewId()],
    () => ['reviewVoteOf', reviewId(), random.pick(users)],
    () => ['reviews', page()],
    () => ['place', random.pick(films), random.pick(users)],
    () => [
      'places',
      { userId: random.pick(users), isResumable: random.next() < 0.5, after: null, countMax: random.between(1, 4) },
    ],
    () => ['outbox'],
  ];

  const posted = () => ({
    ...{ id: reviewId(), filmId: random.pick(films), rating: random.between(1, 10) },
    ...{ text: random.pick(['', 'well', '"\\', '🎬']), state: random.pick(['pending', 'approved']) },
  });
  const edited = () => ({
    ...(random.next() < 0.7 && { rating: random.between(1, 10) }),
    ...(random.next() < 0.5 && { text: random.pick(['', 'well', 'better']) }),
    ...(random.next() < 0.5 && { state: random.pick(['pending', 'approved']) }),
    ...(random.next() < 0.4 && { revision: random.between(1, 4) }),
  });
  const page = () => ({
    ...(random.next() < 0.6 && { filmId: random.pick(films) }),
    ...(random.next() < 0.4 && { userId: random.pick(users) }),
    ...{ states: random.pick([states, ['approved'], ['pending', 'spam']]), order: random.pick(orders) },
    ...{
      after: random.next() < 0.3 ? { value: random.between(-2, 10), id: reviewId() } : null,
      countMax: random.between(1, 5),
    },
  });
  const viewing = () => {
    const seenAtMs = atMs - random.between(0, 20);
    const position = random.next() < 0.5 ? random.between(0, 100) : null;
    const furthest = position === null ? 0 : position / 100;
    return {
      ...{
        userId: random.pick(users),
        filmId: random.pick(films),
        atMs: seenAtMs,
        eventId: `v${random.between(0, 9)}`,
      },
      ...{ position, duration: position === null ? null : 100, furthest, firstAtMs: seenAtMs - random.between(0, 3) },
      watchedAtMs: random.next() < 0.2 ? seenAtMs : null,
    };
  };

  return () => {
    const [name, ...args] = random.next() < 0.005 ? forgetting() : random.pick(kinds)();
    return {
      words: JSON.stringify([name, ...args]),
      on: store => (store[name] as (...given: unknown[]) => Promise<unknown>)(...args),
    };
  };

  function forgetting(): ['forget', string, boolean] {
    return ['forget', random.pick(users), random.next() < 0.5];
  }
}

/** Everything there is, told in an order of its own. */
export async function allOf(store: ContentStore): Promise<unknown> {
  return {
    counts: await Promise.all(films.map(film => store.counts(film))),
    likes: await gathered(store.states('likes')),
    bookmarks: await gathered(store.states('bookmarks')),
    reviews: await gathered(store.states('reviews')),
    persons: (await Promise.all(users.map(user => gathered(store.person(user))))).map(rows =>
      rows.map(row => JSON.stringify(row, Object.keys(row).toSorted())).toSorted(),
    ),
  };
}
